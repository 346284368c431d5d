import argparse
import sys

import pytest
import torch

pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')

from saip_mm.cli import export  # noqa: E402
from ..test_models.tiny_saip import VIT  # noqa: E402


def run(*arguments):
    parser = argparse.ArgumentParser()
    export.add_arguments(parser)
    export.run(parser.parse_args([str(a) for a in arguments]))


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text(f'backbone = {VIT!r}')
    return path


@pytest.mark.slow
def test_export_quantize_and_search(config, tmp_path, capsys):
    torch.manual_seed(0)
    out = tmp_path / 'a.onnx'
    run(config, '--out', out, '--size', 64, 32, '--tracker', '--int8',
        'dynamic', '--rank1')
    said = capsys.readouterr().out
    assert said.startswith(f'{out}\n  features     from torch ')
    assert f'{tmp_path}/a.int8.onnx: dynamic, on 32 of rendered' in said
    assert 'cosine 0.9' in said or 'cosine 1.0' in said
    assert 'rank-1 ' in said and ' queries' in said
    assert sorted(p.name for p in tmp_path.glob('a.*')) == [
        'a.int8.json', 'a.int8.onnx', 'a.json', 'a.onnx'
    ]


@pytest.mark.parametrize('flags, words', [
    (('--int8', 'static'), 'needs --calibration'),
    (('--rank1', ), 'are for --int8'),
    (('--calibration', 'folder'), 'are for --int8'),
    (('--int8', 'static', '--calibration', 'none'), "calibration 'none' is n"),
    (('--int8', 'dynamic', '--rank1', 'none'), "--rank1 'none' is no folder"),
    (('--tolerance', 0), 'must lie between 0 and 1'),
    (('--size', 100, 32), 'no multiple of the 16x16'),
    (('--out', 'a.pth'), 'no name of an ONNX file'),
    (('--checkpoint', 'none.pth'), 'none.pth does not exist'),
])
def test_mistakes(config, flags, words, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        run(config, *flags)
    assert [p.name for p in tmp_path.iterdir()] == ['mine.py']


@pytest.fixture
def told(monkeypatch, capsys):
    """What is made eight-bit, of sidecars."""
    from saip_mm.apis import edge
    from saip_mm.weights import onnx_sidecar
    made, sidecars = [], {}
    monkeypatch.setattr(onnx_sidecar, 'read_sidecar', lambda path:
                        (sidecars[path], b''))
    monkeypatch.setattr(
        edge, 'quantize_onnx',
        lambda *args: made.append(args) or edge.Quantized(
            args[0], {}, 1, 'nobody'))
    monkeypatch.setattr(
        edge, 'rank1_loss', lambda *args: dict.fromkeys(
            ('rank1', 'rank1_int8', 'map', 'map_int8', 'queries'), 0))
    monkeypatch.setattr(edge, 'note_in_sidecar',
                        lambda path, **_: made.append(path))

    def run_on(**files):
        parser = argparse.ArgumentParser()
        export.add_arguments(parser)
        sidecars.update(files)

        def quantize(*flags):
            made.clear()
            export._quantize_all(
                list(files), parser.parse_args(['x', '--int8', *flags]))
            return list(made), capsys.readouterr().out

        return quantize

    return run_on


def sidecar(*inputs, output='features'):
    return dict(
        inputs=[dict(name=name) for name in inputs],
        outputs=[dict(name=output)],
        input={} if inputs == ('images', ) else None)


def test_halves_of_search_by_text_are_told_apart(told):
    quantize = told(image=sidecar('images'), text=sidecar('ids'))
    made, said = quantize('static', '--calibration', 'folder', '--rank1')
    assert made == [('image', 'static', None, 'folder'), 'image']
    assert 'text: takes sentences' in said
    made, said = quantize('dynamic', '--calibration', 'folder')
    assert made == [('image', 'dynamic', None, 'folder'),
                    ('text', 'dynamic', None, None)]


def test_a_search_needs_vectors(told):
    quantize = told(
        a=sidecar('images', output='proposals'), b=sidecar('rois', 'map_1'))
    with pytest.raises(ValueError, match='rank1 is for networks with a vec'):
        quantize('dynamic', '--rank1')
    made, said = quantize('dynamic')
    assert made == [('a', 'dynamic', None, None)]
    assert 'b: takes boxes' in said


def test_a_missing_library_is_named(config, monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnxscript', None)
    with pytest.raises(ImportError, match='an ONNX export needs onnxscript'):
        run(config)  # main makes a line of it


def test_a_missing_config(monkeypatch, tmp_path):
    with pytest.raises(FileNotFoundError, match='none.py'):
        run(tmp_path / 'none.py')
