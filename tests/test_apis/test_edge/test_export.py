import json
import os
import sys

import numpy as np
import pytest
import torch

pytest.importorskip('onnxscript')
onnxruntime = pytest.importorskip('onnxruntime')

from saip_mm.apis import export_onnx  # noqa: E402
from saip_mm.apis.edge import export  # noqa: E402
from saip_mm.apis.edge.parts import example  # noqa: E402
from saip_mm.apis.edge.source import load_source  # noqa: E402
from saip_mm.weights.onnx_file import Deviation  # noqa: E402
from saip_mm.weights.onnx_sidecar import read_sidecar  # noqa: E402
from ...test_models.tiny_saip import STARNET, VIT  # noqa: E402

MINE = (127.5, 127.5, 127.5)


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text(f'backbone = {STARNET!r}')
    return str(path)


def test_two_files_that_say_all(config, tmp_path):
    torch.manual_seed(0)
    out = tmp_path / 'out' / 'star.onnx'
    made, = export_onnx(config, out=str(out), size=(64, 32))
    assert made.path == str(out)
    assert max(d.relative for d in made.deviations.values()) < 1e-4
    sidecar, content = read_sidecar(made.path)
    assert sidecar['size'] == [64, 32] and sidecar['part'] == ''
    assert sidecar['input']['channels'] == 'RGB'
    assert sidecar['input']['mean'] == pytest.approx([123.675, 116.28, 103.53])
    assert sidecar['inputs'][0]['shape'] == ['batch', 3, 64, 32]
    assert [o['name'] for o in sidecar['outputs']
            ] == ['image', 'map_1', 'map_2', 'map_3', 'map_4']
    assert sidecar['outputs'][4]['shape'] == ['batch', 64, 2, 1]
    assert sidecar['source']['weights'] == 'random'
    assert sidecar['input']['fitted'].startswith('the whole picture')
    assert sidecar['labels'] == {}
    assert sidecar['check']['outputs']['image']['relative'] < 1e-4
    session = onnxruntime.InferenceSession(content)
    for batch in (1, 5):
        images = np.zeros((batch, 3, 64, 32), np.float32)
        assert session.run(['image'],
                           dict(images=images))[0].shape == (batch, 64)


def test_what_deviates_leaves_nothing(config, tmp_path, monkeypatch):
    monkeypatch.setattr(export, 'deviations',
                        lambda *_: dict(image=Deviation(0.1, 1.)))
    with pytest.raises(ValueError, match='the export: onnxruntime differs'):
        export_onnx(config, out=str(tmp_path / 'a.onnx'), size=(64, 32))
    assert [p.name for p in tmp_path.iterdir()] == ['mine.py']


def test_bad_names_are_refused_before_any_work(config, tmp_path, monkeypatch):
    monkeypatch.setattr(export, 'load_source', None)
    with pytest.raises(ValueError, match='no name of an ONNX file'):
        export_onnx(config, out=str(tmp_path / 'a.pth'))
    (tmp_path / 'file').write_text('')
    with pytest.raises(OSError, match='cannot be a folder'):
        export_onnx(config, out=str(tmp_path / 'file' / 'a.onnx'))
    (tmp_path / 'a.onnx').mkdir()
    with pytest.raises(OSError, match='a.onnx.* is a folder'):
        export_onnx(config, out=tmp_path / 'a.onnx')
    (tmp_path / 'b.json').write_text('{"annotations": []}')
    with pytest.raises(FileExistsError, match='b.json exists and is no side'):
        export_onnx(config, out=tmp_path / 'b.onnx')


def test_what_is_not_installed_is_said_before_any_work(config, monkeypatch):
    monkeypatch.setattr(export, 'load_source', None)
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    with pytest.raises(ImportError, match='needs onnxruntime, which is not'):
        export_onnx(config)


def test_a_name_in_use_is_found_before_the_work(config, tmp_path, monkeypatch):
    """The default name too, which the source tells."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(export, '_traced', None)
    (tmp_path / 'mine.json').write_text('{}')
    with pytest.raises(FileExistsError, match='mine.json exists'):
        export_onnx(config, size=(64, 32))


def test_a_full_disk_leaves_nothing(config, tmp_path, monkeypatch):
    sync, left = os.fsync, [2]

    def full(handle):
        left[0] -= 1
        if not left[0]:
            raise OSError(28, 'No space left on device')
        sync(handle)

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='No space left'):
        export_onnx(config, out=tmp_path / 'a.onnx', size=(64, 32))
    assert [p.name for p in tmp_path.iterdir()] == ['mine.py']


@pytest.mark.slow
def test_a_tracker_s_pictures_are_imagenet_s(tmp_path):
    """Whatever the network was trained with."""
    path = tmp_path / 'mine.py'
    path.write_text(f'backbone = {VIT!r}')
    torch.manual_seed(0)
    source = load_source(str(path), size=(64, 32))
    source = source._replace(mean=MINE, std=MINE)
    part, = export.parts_of(source.model, source.size, tracker=True)
    content, _ = export._traced(export._with_imagenet(part, source), 1e-4)
    pixels = torch.rand(2, 3, 64, 32) * 255
    mean, std = (torch.tensor(x).view(3, 1, 1) for x in export.IMAGENET)
    session = onnxruntime.InferenceSession(content)
    given = ((pixels - mean) / std).numpy()
    found, = session.run(None, dict(images=given))
    with torch.no_grad():
        wanted = part.network((pixels - 127.5) / 127.5)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


def test_normalisation_is_left_where_it_is_the_same(config):
    source = load_source(config, size=(64, 32))
    part, = export.parts_of(source.model, source.size, tracker=True)
    assert export._with_imagenet(part, source) is part


def test_rows_are_other_ones_of_the_same_kind():
    images = example((8, 4))
    assert export._rows(images, 3).shape == (3, 3, 8, 4)
    ids = torch.tensor([[1, 2], [3, 4]])
    assert export._rows(ids, 1).shape == (1, 2)
    assert set(export._rows(ids, 3).flatten().tolist()) == {1, 2, 3, 4}
    rois = torch.ones(5, 5)
    assert export._rows(rois, 3).shape == (4, 5)
    humans = torch.ones(3, 5)
    assert export._rows(humans, 2) is humans


def test_the_sidecar_is_plain(config, tmp_path):
    out = str(tmp_path / 'a.onnx')
    export_onnx(config, out=out, size=(64, 32), tracker=True)
    text = (tmp_path / 'a.json').read_text()
    assert str(tmp_path) not in text
    sidecar = json.loads(text)
    assert sidecar['tracker'] and len(sidecar['outputs']) == 1
    assert len(sidecar['inputs']) == 1
