import numpy as np
import pytest
import torch
from torch import nn

pytest.importorskip('onnxscript')
onnxruntime = pytest.importorskip('onnxruntime')

from saip_mm.weights import onnx_file  # noqa: E402
from saip_mm.weights.onnx_file import Deviation  # noqa: E402
from saip_mm.weights.onnx_file import check_deviations  # noqa: E402
from saip_mm.weights.onnx_file import check_installed  # noqa: E402
from saip_mm.weights.onnx_file import deviations  # noqa: E402
from saip_mm.weights.onnx_file import open_onnx  # noqa: E402
from saip_mm.weights.onnx_file import trace_onnx  # noqa: E402


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
    """Of small outputs too: heads start at almost nothing."""
    small, large = Deviation(2e-4, 0.1), Deviation(2e-4, 10.)
    assert small.relative == pytest.approx(2e-3)
    assert large.relative == pytest.approx(2e-5)
    assert Deviation(0., 0.).relative == 0
    check_deviations(dict(b=large), 1e-4, 'x')
    for wrong in (small, Deviation(2e-4, 0.)):
        with pytest.raises(ValueError, match='x: onnxruntime .* a by .*Noth'):
            check_deviations(dict(a=wrong, b=large), 1e-4, 'x')


class Root(nn.Module):
    """NaN where a picture is negative."""

    def forward(self, images):
        return images.sqrt()


def test_what_is_no_number_is_found():
    """In whatever batch, by whichever side."""
    good = dict(images=torch.ones(2, 3))
    bad = dict(images=torch.tensor([[1., 1., 1.], [1., -1., 1.]]))
    content = trace_onnx(Root(), good, ('a', ))
    for batches in ([good, bad], [bad, good]):
        apart = deviations(Root(), content, batches)
        assert np.isnan(apart['a'].scale)
        with pytest.raises(ValueError, match='x: the network gives values th'):
            check_deviations(apart, 1e-4, 'x')
    ours = nn.Hardtanh(-9, 9)  # finite where the program is not
    apart = deviations(ours, content, [bad, good])
    with pytest.raises(ValueError, match='x: onnxruntime differs'):
        check_deviations(apart, 1e-4, 'x')


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
    with pytest.raises(ImportError, match=r'needs torch, which is not'):
        check_installed()


def missing(name):
    raise ModuleNotFoundError(f'No module named {name}', name=name)


def test_what_is_no_program_is_refused(tmp_path):
    (tmp_path / 'a.onnx').write_bytes(b'nothing')
    with pytest.raises(ValueError, match='a.onnx cannot be opened'):
        open_onnx(str(tmp_path / 'a.onnx'))
    with pytest.raises(FileNotFoundError, match='b.onnx does not exist'):
        open_onnx(str(tmp_path / 'b.onnx'))
