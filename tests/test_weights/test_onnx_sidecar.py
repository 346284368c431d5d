import json
import os

import pytest
import torch
from torch import nn

pytest.importorskip('onnxscript')
onnxruntime = pytest.importorskip('onnxruntime')

from saip_mm.weights import onnx_sidecar  # noqa: E402
from saip_mm.weights.onnx_file import trace_onnx  # noqa: E402
from saip_mm.weights.onnx_sidecar import check_free  # noqa: E402
from saip_mm.weights.onnx_sidecar import check_onnx_path  # noqa: E402
from saip_mm.weights.onnx_sidecar import described  # noqa: E402
from saip_mm.weights.onnx_sidecar import read_sidecar  # noqa: E402
from saip_mm.weights.onnx_sidecar import versions  # noqa: E402
from saip_mm.weights.onnx_sidecar import write_onnx  # noqa: E402


@pytest.fixture(scope='module')
def program():
    torch.manual_seed(0)
    return trace_onnx(
        nn.Linear(4, 3).eval(), dict(images=torch.randn(2, 4)), ('a', ))


def test_program_and_sidecar_come_back(program, tmp_path):
    path = str(tmp_path / 'deep' / 'a.onnx')
    sides = described(program, dict(images='pictures', a='vectors'))
    assert sides['inputs'][0] == dict(
        name='images', shape=['batch', 4], dtype='float', meaning='pictures')
    write_onnx([(path, program, dict(size=[4, 4], **sides))])
    sidecar, content = read_sidecar(path)
    assert content == program and sidecar['size'] == [4, 4]
    assert sidecar['file'] == 'a.onnx'
    assert sidecar['versions']['torch'] == torch.__version__
    assert str(tmp_path) not in json.dumps(sidecar)
    assert sorted(
        p.name for p in (tmp_path / 'deep').iterdir()) == ['a.json', 'a.onnx']


def test_two_halves_of_two_exports_are_refused(program, tmp_path):
    """As after a kill between the two."""
    path = str(tmp_path / 'a.onnx')
    write_onnx([(path, program, {})])
    (tmp_path / 'a.onnx').write_bytes(program + b'\n')
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


def test_a_kill_between_the_renames_is_told(program, tmp_path, monkeypatch):
    """Of a second export over a first; wherever it strikes."""
    paths = [str(tmp_path / name) for name in ('a.onnx', 'a.boxes.onnx')]
    first = [(path, program, dict(of=1)) for path in paths]
    second = [(path, program + b'\n', dict(of=2)) for path in paths]
    replace = os.replace

    class KillError(BaseException):
        """Nothing after it is done."""

    for done in range(1, 4):
        write_onnx(first)
        left = [done]

        def replacing(source, target):
            if not left[0]:
                raise KillError
            left[0] -= 1
            replace(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, 'replace', replacing)
            with pytest.raises(KillError):
                write_onnx(second)
        with pytest.raises(ValueError, match='of another file'):
            assert {read_sidecar(path)[0]['of'] for path in paths} == {2}


def test_files_of_others_are_not_written_over(program, tmp_path):
    path = str(tmp_path / 'a.onnx')
    check_free(path)
    write_onnx([(path, program, {})])
    check_free(path)  # an earlier export
    for content in ('{"images": []}', 'no json', '[1]'):
        (tmp_path / 'a.json').write_text(content)
        with pytest.raises(FileExistsError, match='a.json exists and is no'):
            check_free(path)
    (tmp_path / 'b.json').mkdir()
    with pytest.raises(FileExistsError, match='b.json exists'):
        check_free(str(tmp_path / 'b.onnx'))


def test_onnxruntime_under_any_name(monkeypatch):
    """onnxruntime-gpu, say, is no package of the module's name."""
    monkeypatch.setattr(onnxruntime, '__version__', '9.9')
    assert versions()['onnxruntime'] == '9.9'
    assert set(versions()) == {
        'saip_mm', 'torch', 'onnx', 'onnxscript', 'onnxruntime', 'python'
    }


def test_no_sidecar_holds_what_is_no_number(program, tmp_path):
    with pytest.raises(ValueError, match='not JSON compliant'):
        write_onnx([(str(tmp_path / 'a.onnx'), program, dict(a=float('nan')))])
    assert not list(tmp_path.iterdir())
    assert onnx_sidecar.sidecar_path('a/b.int8.onnx') == 'a/b.int8.json'
