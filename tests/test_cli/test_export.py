import argparse

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
    (('--size', 100, 32), 'no multiple of the 16x16'),
    (('--out', 'a.pth'), 'no name of an ONNX file'),
    (('--checkpoint', 'none.pth'), 'none.pth does not exist'),
])
def test_mistakes(config, flags, words, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        run(config, *flags)
    assert [p.name for p in tmp_path.iterdir()] == ['mine.py']


def test_a_missing_config(monkeypatch, tmp_path):
    with pytest.raises(FileNotFoundError, match='none.py'):
        run(tmp_path / 'none.py')
