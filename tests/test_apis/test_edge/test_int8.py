"""Eight-bit files, their errors, and what they cost a search."""
import cv2
import numpy as np
import pytest
import torch

pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')

from saip_mm.apis.edge import export_onnx  # noqa: E402
from saip_mm.apis.edge import note_in_sidecar  # noqa: E402
from saip_mm.apis.edge import quantize_onnx  # noqa: E402
from saip_mm.apis.edge import rank1_loss  # noqa: E402
from saip_mm.apis.edge import takes  # noqa: E402
from saip_mm.apis.edge import vector_of  # noqa: E402
from saip_mm.apis.edge.pictures import PictureBatches  # noqa: E402
from saip_mm.apis.edge.pictures import folder_pictures  # noqa: E402
from saip_mm.apis.edge.pictures import normalised  # noqa: E402
from saip_mm.apis.edge.pictures import rendered_pictures  # noqa: E402
from saip_mm.weights.onnx_file import trace_onnx  # noqa: E402
from saip_mm.weights.onnx_sidecar import described  # noqa: E402
from saip_mm.weights.onnx_sidecar import read_sidecar  # noqa: E402
from saip_mm.weights.onnx_sidecar import write_onnx  # noqa: E402
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


PLAIN = dict(input=dict(mean=[0, 0, 0], std=[1, 1, 1]))


def test_pictures_have_one_size(files):
    found = folder_pictures(str(files / 'pictures'), SIZE, limit=4)
    batch, = PictureBatches(found, PLAIN)
    assert len(found) == 4 and batch['images'].shape == (4, 3, *SIZE)
    assert 100 < batch['images'].mean() < 155
    sidecar = dict(input=dict(mean=[1, 2, 3], std=[2, 4, 8]))
    given = normalised(np.full((1, 3, 1, 1), 11, np.uint8), sidecar)
    assert given.ravel().tolist() == [5., 2.25, 1.]
    with pytest.raises(FileNotFoundError, match="none' is no folder"):
        folder_pictures(str(files / 'none'), SIZE, 4)
    (files / 'empty').mkdir(exist_ok=True)
    with pytest.raises(ValueError, match="empty' holds no image"):
        folder_pictures(str(files / 'empty'), SIZE, 4)


def test_a_broken_picture_is_named(files):
    (files / 'broken').mkdir(exist_ok=True)
    (files / 'broken' / 'a.png').write_bytes(b'no picture')
    (files / 'broken' / 'b.png').write_bytes(b'nor this')
    with pytest.raises(OSError, match='cannot read picture .*(a|b).png'):
        quantize_onnx(
            str(files / 'star.onnx'),
            'static',
            out=str(files / 'other.onnx'),
            calibration=str(files / 'broken'))
    assert not (files / 'other.onnx').exists()


def test_pictures_are_decoded_when_they_are_asked_for():
    """Some at a time: all of a detector's are gigabytes."""
    alive = []

    class Pictures:

        def __len__(self):
            return 20

        def __getitem__(self, number):
            alive.append(number)
            return torch.full((3, 2, 2), number, dtype=torch.uint8)

    batches = PictureBatches(Pictures(), PLAIN)
    assert len(batches) == 20 and not alive
    sizes, means = [], []
    for batch in batches:
        sizes.append((len(batch['images']), len(alive)))
        means += batch['images'].mean((1, 2, 3)).tolist()
    assert sizes == [(8, 8), (8, 16), (4, 20)] and means == list(range(20))


def test_rendered_persons_are_pictures():
    batch, = PictureBatches(rendered_pictures(SIZE, 2), PLAIN)
    assert batch['images'].shape == (2, 3, *SIZE)
    assert batch['images'].std() > 10


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
    with pytest.raises(ValueError, match='limit must be 2 or more, got 1'):
        quantize_onnx(path, limit=1)
    with pytest.raises(ValueError, match='star.onnx is the float file itsel'):
        quantize_onnx(path, out=path)
    (files / 'used.json').write_text('{}')
    with pytest.raises(FileExistsError, match='used.json exists'):
        quantize_onnx(path, out=files / 'used.onnx')
    with pytest.raises(ValueError, match='star.onnx is in float'):
        note_in_sidecar(path, search={})
    with pytest.raises(ValueError, match='a.pth is no name of an ONNX'):
        quantize_onnx('a.pth')


class Words(torch.nn.Module):
    """A vector of a sentence."""

    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(50, 8)
        self.linear = torch.nn.Linear(8, 8)

    def forward(self, ids):
        return self.linear(self.table(ids)).mean(1)


def test_sentences_are_measured_with_random_ones(tmp_path):
    torch.manual_seed(0)
    content = trace_onnx(Words().eval(), dict(ids=torch.ones(2, 12).long()),
                         ('features', ))
    words = dict(context_length=12, start=48, end=49, mask=47)
    path = str(tmp_path / 'a.text.onnx')
    sidecar = dict(described(content, {}), input=None, tokenizer=words)
    write_onnx([(path, content, sidecar)])
    made = quantize_onnx(path)
    assert made.of == 'random sentences' and made.pictures == 16
    assert made.errors['features'].worst_cosine > 0.98
    with pytest.raises(ValueError, match='takes sentences, no pictures'):
        quantize_onnx(path, calibration=str(tmp_path))
    sidecar = read_sidecar(path)[0]
    assert takes(sidecar) == 'sentences' and vector_of(sidecar) is None
    sidecar['inputs'] *= 2
    assert takes(sidecar) == 'boxes'


@pytest.mark.slow
def test_a_search_before_and_after(files):
    path = str(files / 'star.onnx')
    loss = rank1_loss(path, path)
    assert loss['queries'] > 10 and 0 < loss['rank1'] <= 1
    assert loss['rank1_loss'] == 0 and loss['map'] == loss['map_int8']
    made = quantize_onnx(
        path,
        'static',
        out=str(files / 'noted.onnx'),
        calibration=str(files / 'pictures'))
    note_in_sidecar(made.path, search=loss)
    sidecar, _ = read_sidecar(made.path)
    assert sidecar['int8']['search'] == loss
    assert sidecar['int8']['mode'] == 'static'
