import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from PIL import Image

from mmpretrain.registry import DATASETS
from saip_mm.tasks.attributes import AttributeDataset
from .attribute_files import CLASSES, write, write_own

PIPELINE = (dict(type='LoadAnnotatedImage'),
            dict(type='Resize', scale=(16, 32),
                 backend='pillow'), dict(type='PackInputs'))


@pytest.fixture
def root(tmp_path):
    return write_own(tmp_path)


def build(root, **kwargs):
    kwargs.setdefault('data_prefix', 'images')
    return AttributeDataset(root, **kwargs)


def test_samples(root):
    data = build(root)
    assert len(data) == 6 and data.metainfo['classes'] == CLASSES
    assert data.metainfo['label_ratio'] == pytest.approx([.5, 1 / 6, .5])
    assert all(type(r) is float for r in data.metainfo['label_ratio'])
    sample = data[5]
    assert sample['img_path'] == f'{root}/images/train5.jpg'
    assert sample['gt_score'].dtype == np.float32
    assert sample['gt_score'].tolist() == [1, 0, 1]
    assert data.get_cat_ids(5) == [0, 2] and data.get_cat_ids(0) == []


def test_selected_attributes(root):
    data = build(root, metainfo=dict(classes=['long_sleeves', 'hat']))
    assert data.metainfo['classes'] == ('long_sleeves', 'hat')
    assert data[3]['gt_score'].tolist() == [1, 1]
    with pytest.raises(ValueError, match='no attribute scarf; it has hat'):
        build(root, metainfo=dict(classes=['scarf']))


def test_ratio_is_that_of_the_whole_list(root):
    data = build(root, indices=1)
    assert len(data) == 1
    assert data.metainfo['label_ratio'] == pytest.approx([.5, 1 / 6, .5])


@pytest.mark.parametrize('mode', ['L', 'LA', 'P', 'RGBA'])
def test_pictures_of_any_kind(root, mode):
    """Grey, with alpha, with a palette: three channels."""
    path = f'{root}/images/train0.jpg'
    Image.new(mode, (24, 48), 1).save(path.replace('.jpg', '.png'))
    write(f'{root}/one.csv', b'image,hat\ntrain0.png,1\n')
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        data = build(root, ann_file='one.csv', pipeline=PIPELINE)
    sample = data[0]
    assert sample['inputs'].shape == (3, 32, 16)
    assert sample['inputs'].dtype == torch.uint8
    assert sample['data_samples'].gt_score.tolist() == [1]


def test_broken_pictures_stop_the_run(root):
    """Nothing is put in their place."""
    write(f'{root}/images/train2.jpg', b'no picture')
    data = DATASETS.build(
        dict(
            type='AttributeDataset',
            data_root=root,
            data_prefix='images',
            pipeline=PIPELINE))
    assert data[1]['inputs'].shape == (3, 32, 16)
    with pytest.raises(ValueError, match='train2.jpg is no picture'):
        data[2]
    dropping = build(root, pipeline=[lambda results: None])
    with pytest.raises(ValueError, match='gave nothing for .*train0.jpg'):
        dropping[0]


def test_missing_files_are_named(root):
    with pytest.raises(FileNotFoundError, match='gone.csv'):
        build(root, ann_file='gone.csv')
    with pytest.raises(
            FileNotFoundError,
            match='6 of 6 pictures of .*train.csv are missing, first .*other'):
        build(root, data_prefix='other')


def test_one_sided_attributes_are_told(root, log):
    write(f'{root}/one.csv', b'image,hat,bag\ntrain0.jpg,1,0\n')
    build(root, ann_file='one.csv', test_mode=True)
    assert 'nothing can be learned' not in log.text
    build(root, ann_file='one.csv')
    assert 'no picture has bag; all have hat: nothing can be' in log.text
