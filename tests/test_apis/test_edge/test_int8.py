"""Eight-bit files, their errors, and what they cost a search."""
import cv2
import numpy as np
import pytest
import torch

pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')

from saip_mm.apis.edge import note_in_sidecar  # noqa: E402
from saip_mm.apis.edge import rank1_loss  # noqa: E402
from saip_mm.apis.edge import export_onnx, quantize_onnx  # noqa: E402
from saip_mm.apis.edge.pictures import folder_pictures  # noqa: E402
from saip_mm.apis.edge.pictures import normalised  # noqa: E402
from saip_mm.apis.edge.pictures import rendered_pictures  # noqa: E402
from saip_mm.weights.onnx_file import read_sidecar  # noqa: E402
from ...test_models.tiny_saip import STARNET, VIT  # noqa: E402

SIZE = (64, 32)


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """Exported trackers of two tiny backbones, and a folder of pictures."""
    folder = tmp_path_factory.mktemp('edge')
    torch.manual_seed(0)
    for name, cfg in (('star', STARNET), ('vit', VIT)):
        (folder / f'{name}.py').write_text(f'backbone = {cfg!r}')
        export_onnx(
            str(folder / f'{name}.py'),
            out=str(folder / f'{name}.onnx'),
            size=SIZE,
            tracker=True)
    (folder / 'pictures').mkdir()
    rng = np.random.default_rng(0)
    for number in range(6):
        cv2.imwrite(
            str(folder / 'pictures' / f'{number}.png'),
            rng.integers(0, 255, (40, 20, 3)))
    return folder


def test_pictures_have_one_size(files):
    found = folder_pictures(str(files / 'pictures'), SIZE, limit=4)
    assert found.shape == (4, 3, *SIZE) and found.dtype == np.uint8
    sidecar = dict(input=dict(mean=[1, 2, 3], std=[2, 4, 8]))
    given = normalised(np.full((1, 3, 1, 1), 11, np.uint8), sidecar)
    assert given.ravel().tolist() == [5., 2.25, 1.]
    assert rendered_pictures(SIZE, 2).shape == (2, 3, *SIZE)
    with pytest.raises(FileNotFoundError, match='holds no pictures'):
        folder_pictures(str(files / 'none'), SIZE, 4)
    (files / 'broken').mkdir(exist_ok=True)
    (files / 'broken' / 'a.png').write_bytes(b'no picture')
    with pytest.raises(OSError, match='cannot decode .*a.png'):
        folder_pictures(str(files / 'broken'), SIZE, 4)


def test_static_measures_on_other_pictures(files):
    made = quantize_onnx(
        str(files / 'star.onnx'),
        'static',
        calibration=str(files / 'pictures'))
    assert made.path == str(files / 'star.int8.onnx')
    assert made.pictures == 3 and made.of == 'half of pictures'
    assert 0.9 < made.errors['features'].worst_cosine < 1
    sidecar, _ = read_sidecar(made.path)
    assert sidecar['int8']['mode'] == 'static'
    assert sidecar['int8']['calibrated_with'] == 3
    told = sidecar['int8']['errors']['features']
    assert told['cosine'] == made.errors['features'].cosine
    assert sidecar['size'] == list(SIZE)
    assert sidecar['source'] == read_sidecar(str(files /
                                                 'star.onnx'))[0]['source']
    with pytest.raises(ValueError, match='eight-bit already'):
        quantize_onnx(made.path)


def test_dynamic_needs_no_pictures_but_products(files):
    made = quantize_onnx(
        str(files / 'vit.onnx'), out=str(files / 'vit8.onnx'), limit=4)
    assert made.pictures == 4 and made.of == 'rendered persons'
    assert 0.98 < made.errors['features'].worst_cosine <= 1
    with pytest.raises(ValueError, match='star.onnx: it has no matrix prod'):
        quantize_onnx(str(files / 'star.onnx'), limit=2)


def test_mistakes(files):
    path = str(files / 'star.onnx')
    with pytest.raises(ValueError, match="'dynamic' or 'static', got 'fp8'"):
        quantize_onnx(path, 'fp8')
    with pytest.raises(ValueError, match='needs a calibration folder'):
        quantize_onnx(path, 'static')
    (files / 'one').mkdir(exist_ok=True)
    cv2.imwrite(str(files / 'one' / 'a.png'), np.zeros((8, 8, 3)))
    with pytest.raises(ValueError, match='holds one picture'):
        quantize_onnx(path, 'static', calibration=str(files / 'one'))


@pytest.mark.slow
def test_a_search_before_and_after(files):
    path = str(files / 'star.onnx')
    loss = rank1_loss(path, path)
    assert loss['queries'] > 10 and 0 < loss['rank1'] <= 1
    assert loss['rank1_loss'] == 0 and loss['map'] == loss['map_int8']
    copy = files / 'copy'
    copy.mkdir()
    for name in ('star.onnx', 'star.json'):
        (copy / name).write_bytes((files / name).read_bytes())
    note_in_sidecar(str(copy / 'star.onnx'), search=loss)
    assert read_sidecar(str(copy / 'star.onnx'))[0]['int8']['search'] == loss
