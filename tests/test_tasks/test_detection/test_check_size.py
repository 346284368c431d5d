import json

import numpy as np
import pytest
from mmcv.transforms import Compose
from PIL import Image

pytest.importorskip('mmdet')

from mmdet.registry import TRANSFORMS  # noqa: E402
from mmengine.registry import DefaultScope  # noqa: E402

from saip_mm.tasks.detection import CheckImageSize  # noqa: E402
from .crowd_files import person, write_crowd  # noqa: E402
from .test_crowdhuman import crowd  # noqa: E402

STEPS = [dict(type='LoadImageFromFile'), dict(type='CheckImageSize')]
ORIENTATION = 0x0112


@pytest.fixture(autouse=True, scope='module')
def scope():
    from mmdet.utils import register_all_modules
    register_all_modules(init_default_scope=False)
    with DefaultScope.overwrite_default_scope('mmdet'):
        yield


def write_turned(path, orientation, size=(30, 20), **kwargs):
    """White on the left, black on the right, as stored (width, height)."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[:, :size[0] // 2] = 255
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(pixels).save(path, exif=exif, **kwargs)


def load(path, **kwargs):
    steps = [TRANSFORMS.build(step) for step in STEPS]
    return Compose(steps)(dict(img_path=str(path), img_id='x', **kwargs))


def corners(image):
    """Brightness at the middles of left, top, right, bottom."""
    height, width = image.shape[:2]
    return [
        int(image[y, x, 0] > 127)
        for y, x in ((height // 2, 0), (0, width // 2 - 1),
                     (height // 2, width - 1), (height - 1, width // 2 - 1))
    ]


@pytest.mark.parametrize('kind', ['jpg', 'webp'])
def test_a_picture_is_the_way_up_that_its_labels_are(tmp_path, kind):
    """Orientation 6: what is stored left is shown above."""
    path = tmp_path / f'x.{kind}'
    write_turned(path, 6)
    shown = load(path, height=30, width=20)
    assert shown['img'].shape == (30, 20, 3)
    assert shown['img_shape'] == shown['ori_shape'] == (30, 20)
    above = corners(shown['img'])
    assert (above[1], above[3]) == (1, 0)
    stored = load(path, height=20, width=30)
    assert stored['img'].shape == (20, 30, 3)
    assert stored['ori_shape'] == (20, 30)
    left = corners(stored['img'])
    assert (left[0], left[2]) == (1, 0)
    with pytest.raises(ValueError, match='says 40x20 for x, .*delete it'):
        load(path, height=40, width=20)


@pytest.mark.parametrize('kind', ['jpg', 'webp'])
def test_half_turns_are_as_viewers_show_them(tmp_path, kind):
    path = tmp_path / f'x.{kind}'
    write_turned(path, 3)
    left = corners(load(path, height=20, width=30)['img'])
    assert (left[0], left[2]) == (0, 1)


def test_a_picture_of_ones_own_is_let_through(tmp_path):
    """mmdet's DetInferencer knows no size."""
    image = np.zeros((4, 5, 3), np.uint8)
    results = dict(img=image, img_path='nowhere.jpg')
    assert CheckImageSize()(results)['img'] is image


def test_a_picture_cut_short(tmp_path):
    """Some versions of OpenCV fill up with grey, others give nothing."""
    path = tmp_path / 'x.jpg'
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:-200])
    results = dict(img=noise, img_path=str(path), height=64, width=64)
    with pytest.raises(ValueError, match='x.jpg is cut short: copy it anew'):
        CheckImageSize()(results)


def test_the_file_of_sizes_is_named(tmp_path):
    root = write_crowd(tmp_path, {'x': ((20, 30), [person([1] * 4)])})
    (tmp_path / 'mine.json').write_text(json.dumps(dict(x=[20, 31])))
    dataset = crowd(root, id_hw_file='mine.json', pipeline=STEPS)
    error = f'{tmp_path}/mine.json says 20x31 for x, .*x.jpg has 20x30'
    with pytest.raises(ValueError, match=error):
        dataset[0]
    # labels drawn on the picture as it is stored: the file says so
    write_turned(tmp_path / 'Images/x.jpg', 6)
    (tmp_path / 'mine.json').write_text(json.dumps(dict(x=[20, 30])))
    assert crowd(
        root, id_hw_file='mine.json',
        pipeline=STEPS)[0]['img'].shape == (20, 30, 3)
    (tmp_path / 'mine.json').unlink()
    assert crowd(
        root, id_hw_file='mine.json',
        pipeline=STEPS)[0]['img'].shape == (30, 20, 3)


@pytest.mark.parametrize('content', [b'', b'no picture', b'\xff\xd8\xff'])
def test_what_is_no_picture_is_named(tmp_path, content):
    """OpenCV's errors name no file, or no remedy."""
    root = write_crowd(tmp_path, {'x': ((20, 30), [person([1] * 4)])})
    dataset = crowd(root, pipeline=STEPS)
    (tmp_path / 'Images/x.jpg').write_bytes(content)
    with pytest.raises(ValueError, match='x.jpg is no picture, or cut short'):
        dataset[0]
