import json

import numpy as np
import pytest
import torch
from torch import nn

pytest.importorskip('onnxscript')
onnxruntime = pytest.importorskip('onnxruntime')

from saip_mm.weights import onnx_file  # noqa: E402
from saip_mm.weights.onnx_file import Deviation  # noqa: E402
from saip_mm.weights.onnx_file import check_deviations  # noqa: E402
from saip_mm.weights.onnx_file import check_onnx_path  # noqa: E402
from saip_mm.weights.onnx_file import described  # noqa: E402
from saip_mm.weights.onnx_file import deviations  # noqa: E402
from saip_mm.weights.onnx_file import open_onnx  # noqa: E402
from saip_mm.weights.onnx_file import read_sidecar  # noqa: E402
from saip_mm.weights.onnx_file import trace_onnx  # noqa: E402
from saip_mm.weights.onnx_file import write_onnx  # noqa: E402


class Pair(nn.Module):
    """Two inputs of unequal length, two outputs."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 3)

    def forward(self, images, rois):
        return self.linear(images), rois * self.linear.weight.sum()


@pytest.fixture(scope='module')
def pair():
    """A network, its inputs and its program."""
    torch.manual_seed(0)
    network = Pair().eval()
    inputs = dict(images=torch.randn(2, 4), rois=torch.randn(5, 2))
    return network, inputs, trace_onnx(network, inputs, ('a', 'b'))


def test_the_first_sides_are_free_and_named(pair):
    session = open_onnx(pair[2])
    assert [x.shape for x in session.get_inputs()] == [['batch', 4],
                                                       ['n_rois', 2]]
    assert [x.shape for x in session.get_outputs()] == [['batch', 3],
                                                        ['n_rois', 2]]
    for batch, boxes in ((1, 1), (3, 7), (4, 4)):
        given = dict(
            images=np.ones((batch, 4), np.float32),
            rois=np.ones((boxes, 2), np.float32))
        a, b = session.run(None, given)
        assert a.shape == (batch, 3) and b.shape == (boxes, 2)


def test_deviations_are_the_worst_of_all_batches(pair):
    network, inputs, content = pair
    apart = deviations(network, content, [inputs])
    assert apart['a'].absolute < 1e-6
    assert apart['a'].scale == pytest.approx(
        network(*inputs.values())[0].abs().max().item())
    moved = Pair().eval()
    moved.load_state_dict(network.state_dict())
    with torch.no_grad():
        moved.linear.bias += 0.25
    double = {k: 2 * v for k, v in inputs.items()}
    apart = deviations(moved, content, [inputs, double])
    assert apart['a'].absolute == pytest.approx(0.25, abs=1e-5)
    assert apart['b'].absolute < 1e-5


def test_a_deviation_counts_by_the_largest_value():
    small, large = Deviation(2e-4, 0.1), Deviation(2e-4, 10.)
    assert small.relative == 2e-4 and large.relative == pytest.approx(2e-5)
    check_deviations(dict(b=large), 1e-4, 'x')
    for wrong in (small, Deviation(float('nan'), 1.)):
        with pytest.raises(ValueError, match='x: onnxruntime .* a by .*Noth'):
            check_deviations(dict(a=wrong, b=large), 1e-4, 'x')


class Fixed(nn.Module):
    """Makes the batch a constant."""

    def forward(self, images):
        return images.reshape(int(len(images)), -1).sum(1)


class Branches(nn.Module):
    """Decides by a value."""

    def forward(self, images):
        return images * 2 if images.sum() > 0 else images


@pytest.mark.parametrize('network', [Fixed(), Branches()])
def test_what_torch_cannot_export_is_told(network):
    with pytest.raises(ValueError, match='cannot be exported: .'):
        trace_onnx(network, dict(images=torch.ones(2, 4)), ('a', ))


def test_without_onnxscript_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(onnx_file, 'import_module', missing)
    with pytest.raises(ImportError, match=r'pip install "saip_mm\[export\]"'):
        trace_onnx(nn.Identity(), {}, ())


def missing(name):
    raise ModuleNotFoundError(f'No module named {name}', name=name)


def test_program_and_sidecar_come_back(pair, tmp_path):
    path = str(tmp_path / 'deep' / 'a.onnx')
    sides = described(pair[2], dict(images='pictures', a='vectors'))
    assert sides['inputs'][0] == dict(
        name='images', shape=['batch', 4], dtype='float', meaning='pictures')
    write_onnx(path, pair[2], dict(size=[4, 4], **sides))
    sidecar, content = read_sidecar(path)
    assert content == pair[2] and sidecar['size'] == [4, 4]
    assert sidecar['file'] == 'a.onnx'
    assert sidecar['versions']['torch'] == torch.__version__.split('+')[0]
    assert str(tmp_path) not in json.dumps(sidecar)
    assert sorted(
        p.name for p in (tmp_path / 'deep').iterdir()) == ['a.json', 'a.onnx']


def test_two_halves_of_two_exports_are_refused(pair, tmp_path):
    """As after a kill between the two."""
    path = str(tmp_path / 'a.onnx')
    write_onnx(path, pair[2], {})
    (tmp_path / 'a.onnx').write_bytes(pair[2] + b'\n')
    with pytest.raises(ValueError, match='of another file'):
        read_sidecar(path)
    (tmp_path / 'a.json').write_text('{')
    with pytest.raises(ValueError, match='a.json is no JSON'):
        read_sidecar(path)
    (tmp_path / 'a.json').write_text('[]')
    with pytest.raises(ValueError, match='a.json is no sidecar'):
        read_sidecar(path)
    (tmp_path / 'a.json').unlink()
    with pytest.raises(FileNotFoundError, match='a.json does not exist'):
        read_sidecar(path)


@pytest.mark.parametrize('name', ['a.pth', '.onnx', 'a.onnx.json'])
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match='no name of an ONNX file'):
        check_onnx_path(name)


def test_what_is_no_program_is_refused(tmp_path):
    (tmp_path / 'a.onnx').write_bytes(b'nothing')
    with pytest.raises(ValueError, match='a.onnx cannot be opened'):
        open_onnx(str(tmp_path / 'a.onnx'))
    with pytest.raises(FileNotFoundError, match='b.onnx does not exist'):
        open_onnx(str(tmp_path / 'b.onnx'))
