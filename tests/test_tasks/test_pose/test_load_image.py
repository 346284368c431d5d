"""Pictures of persons: turned as labelled, of the size that was labelled."""
import numpy as np
import pytest
from PIL import Image

pytest.importorskip('mmpose')

from mmengine.config import Config  # noqa: E402
from mmengine.registry import DefaultScope  # noqa: E402
from mmpose.datasets.transforms import GetBBoxCenterScale  # noqa: E402
from mmpose.datasets.transforms import TopdownAffine  # noqa: E402
from mmpose.registry import DATASETS  # noqa: E402

from saip_mm.tasks.pose import LoadPersonImage  # noqa: E402
from . import coco_files as coco  # noqa: E402
from .test_configs import CONFIGS, SPLITS, name_of  # noqa: E402

TURNED = 6  # EXIF: shown after a quarter turn clockwise


def write_picture(path, orientation):
    """120x80 pixels as stored; red where x < 40 and y < 20 of it."""
    stored = np.zeros((80, 120, 3), dtype=np.uint8)
    stored[:20, :40, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(stored).save(path, quality=100, exif=exif)


def persons(tmp_path, size, box, kind, detected=False):
    """A data set of one person in one picture of a height and a width."""
    data = coco.people(images=(3, ))
    data['images'][0].update(height=size[0], width=size[1])
    data['annotations'] = data['annotations'][:1]
    data['annotations'][0]['bbox'] = box
    with DefaultScope.overwrite_default_scope('mmpose'):
        return DATASETS.build(
            dict(
                type=kind,
                ann_file=coco.write_json(tmp_path / 'persons.json', data),
                bbox_file=coco.write_json(tmp_path / 'found.json', [
                    dict(bbox=box, score=1, category_id=1, image_id=3)
                ]) if detected else None,
                test_mode=True,
                data_prefix=dict(img=str(tmp_path / 'pictures')),
                pipeline=[
                    dict(type='LoadPersonImage'),
                    dict(type='GetBBoxCenterScale', padding=1.),
                    dict(type='TopdownAffine', input_size=(24, 32)),
                ]))


@pytest.mark.parametrize('detected', [False, True], ids=['gt', 'detected'])
@pytest.mark.parametrize('kind',
                         ['PersonKeypointsDataset', 'WholeBodyDataset'])
@pytest.mark.parametrize(
    'size, box',
    [
        ((120, 80), [60, 0, 20, 40]),  # as shown: the corner is right above
        ((80, 120), [0, 0, 40, 20]),  # as stored
    ])
def test_the_box_is_cut_where_it_was_drawn(tmp_path, size, box, kind,
                                           detected):
    write_picture(tmp_path / 'pictures/000000000003.jpg', TURNED)
    dataset = persons(tmp_path, size, box, kind, detected)
    inner = dataset[0]['img'][12:20, 9:15].reshape(-1, 3).mean(0)
    assert inner[2] > 240 and inner[:2].max() < 20  # red of BGR


def test_a_picture_of_another_size_is_named(tmp_path):
    write_picture(tmp_path / 'pictures/000000000003.jpg', 1)
    dataset = persons(tmp_path, (160, 240), [0, 0, 80, 40],
                      'PersonKeypointsDataset')
    error = '000000000003.jpg has 80x120 pixels .* labels are of 160x240'
    with pytest.raises(ValueError, match=error):
        dataset[0]


def test_a_picture_that_is_loaded_already():
    """As mmpose's inference hands it on."""
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    found = LoadPersonImage()(dict(img=image))
    assert found['img'] is image
    assert found['img_shape'] == found['ori_shape'] == (4, 5)
    assert found['img_path'] is None
    found = LoadPersonImage(to_float32=True)(dict(img=image))
    assert found['img'].dtype == np.float32
    found['bbox'] = np.array([[0., 0, 5, 4]])
    found = TopdownAffine((24, 32))(GetBBoxCenterScale()(found))
    assert found['img'].shape == (32, 24, 3)


@pytest.mark.parametrize('path', CONFIGS, ids=name_of)
def test_every_config_loads_by_it(path):
    cfg = Config.fromfile(path)
    for name in SPLITS:
        first = cfg[f'{name}_dataloader'].dataset.pipeline[0]
        assert first.type == 'LoadPersonImage'
