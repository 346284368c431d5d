from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from PIL import Image

from saip_mm.tasks.parsing import draw
from saip_mm.tasks.parsing.parts import PALETTE, PARTS
from .cihp_files import PICTURES, draw_persons, write_cihp

NAME = '0000006'
SIZE, BOXES = PICTURES[NAME]


@pytest.fixture
def sample(tmp_path):
    """One of two persons found, another one too unsure to be drawn."""
    write_cihp(tmp_path)
    paths = {
        key: str(tmp_path / 'Training' / kind / f'{NAME}.{ending}')
        for key, kind, ending in (('img_path', 'Images', 'jpg'),
                                  ('category_path', 'Category_ids',
                                   'png'), ('human_path', 'Human_ids', 'png'))
    }
    data = DetDataSample(metainfo=dict(ori_shape=SIZE, **paths))
    crop = np.full((40, 20), 5, np.uint8)
    data.pred_instances = InstanceData(
        bboxes=torch.tensor([[4., 4., 24., 44.], [40., 0., 60., 40.]]),
        scores=torch.tensor([0.9, 0.2]),
        labels=torch.zeros(2, dtype=torch.long),
        parsings=[(4, 4, crop), (40, 0, crop + 4)])
    return data


def visualizer(name, tmp_path):
    own = draw.ParsingLocalVisualizer.get_instance(
        f'parsing_{name}_{tmp_path.name}',
        vis_backends=[dict(type='LocalVisBackend')],
        save_dir=str(tmp_path / 'drawn'),
        line_width=1)
    own.dataset_meta = dict(
        classes=('person', ),
        palette=[(220, 20, 60)],
        parts=PARTS,
        part_palette=PALETTE)
    return own


def test_annotated_persons_in_the_form_of_predictions(sample):
    persons = draw.annotated_persons(sample.category_path, sample.human_path)
    parts, humans = draw_persons(SIZE, BOXES)
    assert persons.bboxes.tolist() == [[4, 4, 24, 44], [30, 8, 46, 44]]
    for number, (x0, y0, crop) in enumerate(persons.parsings, 1):
        whole = np.zeros(SIZE, np.uint8)
        whole[y0:y0 + crop.shape[0], x0:x0 + crop.shape[1]] = crop
        assert (whole == np.where(humans == number, parts, 0)).all()


@pytest.mark.parametrize('mode', ['val', 'test'])
def test_annotated_and_found_side_by_side(sample, tmp_path, mode, monkeypatch):
    own = visualizer(mode, tmp_path)
    hook = draw.ParsingDrawHook(draw=True, interval=2)
    hook._visualizer = own
    runner = SimpleNamespace(iter=0, work_dir=str(tmp_path), timestamp='now')
    if mode == 'val':
        for batch in range(3):
            hook.after_val_iter(runner, batch, None, [sample])
    else:
        hook.after_test_iter(runner, 0, None, [sample, sample])
    files = sorted((tmp_path / 'drawn').rglob(f'{mode}_img*.png'))
    assert len(files) == 2
    image = cv2.imread(str(files[0]))[..., ::-1].astype(int)
    assert image.shape == (48, 128, 3)
    photo = cv2.imread(sample.img_path)[..., ::-1].astype(int)
    # a leg on the left, drawn as annotated and as found
    for column, colour in ((8, PALETTE[17]), (64 + 8, PALETTE[5])):
        wanted = 0.4 * photo[40, column % 64] + 0.6 * np.array(colour)
        assert np.abs(image[40, column] - wanted).max() <= 2
    # who is unsure is not drawn
    assert np.abs(image[20, 64 + 58] - photo[20, 58]).max() <= 2


def test_nothing_is_drawn_unless_asked_for(sample, tmp_path):
    hook = draw.ParsingDrawHook()
    hook._visualizer = visualizer('off', tmp_path)
    hook.after_val_iter(SimpleNamespace(iter=0), 0, None, [sample])
    hook.after_test_iter(SimpleNamespace(iter=0), 0, None, [sample])
    assert not list((tmp_path / 'drawn').rglob('*.png'))


def test_picture_turned_by_exif_and_without_labels(sample, tmp_path):
    """A picture of one's own: stored 48 wide, shown 64 wide."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / 'own.jpg'
    Image.new('RGB', (48, 64), (9, 90, 200)).save(path, exif=exif)
    data = DetDataSample(metainfo=dict(ori_shape=SIZE, img_path=str(path)))
    data.pred_instances = sample.pred_instances
    hook = draw.ParsingDrawHook(draw=True, test_out_dir='out')
    hook._visualizer = visualizer('own', tmp_path)
    runner = SimpleNamespace(iter=0, work_dir=str(tmp_path), timestamp='now')
    hook.after_test_iter(runner, 0, None, [data])
    image = cv2.imread(str(tmp_path / 'now/out/own.jpg'))
    assert image.shape == (48, 64, 3)


def test_nobody_found(sample, tmp_path):
    sample.pred_instances = sample.pred_instances[:0]
    hook = draw.ParsingDrawHook(draw=True)
    hook._visualizer = visualizer('nobody', tmp_path)
    hook.after_test_iter(SimpleNamespace(iter=0), 0, None, [sample])
    assert len(list((tmp_path / 'drawn').rglob('test_img*.png'))) == 1
