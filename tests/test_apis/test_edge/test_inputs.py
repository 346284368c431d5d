import pytest
from mmengine.config import Config

from saip_mm.apis.edge.inputs import (check_channels, check_size, config_size,
                                      how_fitted)
from .tiny import CONFIGS

WANTED = {
    'pose/coco/vit_tiny.py': (256, 192),
    'wholebody/coco_wholebody/demo.py': (128, 96),
    'part_seg/lip/vit_tiny.py': (480, 480),
    'part_seg/lip/starnet_s3_authors.py': (576, 384),
    'detection/crowdhuman/vit_tiny.py': (800, 1408),
    'detection/crowdhuman/vit_tiny_crowddet.py': (832, 1408),
    'parsing/cihp/vit_tiny.py': (800, 1344),
    'part_attributes/fashionpedia/vit_tiny.py': (1024, 1024),
    'reid/market1501/vit_tiny.py': (256, 128),
    'text_reid/cuhk_pedes/demo.py': (96, 32),
    'attributes/pa100k/demo.py': (96, 48)
}


@pytest.mark.parametrize('name', WANTED)
def test_size_is_that_of_the_tests(name):
    cfg = Config.fromfile(CONFIGS / name, import_custom_modules=False)
    assert config_size(cfg) == WANTED[name]


def test_a_pretraining_s_size_is_that_of_its_crops():
    cfg = Config.fromfile(
        CONFIGS / 'saip/vit_tiny.py', import_custom_modules=False)
    assert config_size(cfg) == (256, 128)
    assert config_size(Config()) is None


def nested(*steps, **settings):
    """A config whose data set lies in another one."""
    inner = dict(type='ADataset', pipeline=list(steps))
    loader = dict(dataset=dict(type='ConcatDataset', datasets=[inner]))
    return Config(dict(test_dataloader=loader, **settings))


@pytest.mark.parametrize('step, wanted', [
    (dict(type='mmpose.TopdownAffine', input_size=(48, 64)), (64, 48)),
    (dict(type='Resize', scale=96), (96, 96)),
    (dict(type='Resize', scale=(96, 64)), (64, 96)),
    (dict(type='CenterCrop', crop_size=224), (224, 224)),
    (dict(type='ResizePerson', size=(64, 32)), (64, 32)),
])
def test_sizes_in_other_forms(step, wanted):
    assert config_size(nested(step)) == wanted


@pytest.mark.parametrize('name, words', [
    ('pose/coco/vit_tiny.py', ('1.25 times', 'centres of')),
    ('wholebody/coco_wholebody/vit_tiny.py', ('1.25 times', 'edges of')),
    ('part_seg/lip/vit_tiny.py', ('the whole picture is brought', )),
    ('part_seg/lip/vit_tiny_authors.py', ('in the middle of black', )),
    ('parsing/cihp/vit_tiny.py', ('proportions kept', 'below with 0')),
    ('reid/market1501/vit_tiny.py', ('the whole picture is brought', )),
])
def test_how_pictures_are_fitted(name, words):
    cfg = Config.fromfile(CONFIGS / name, import_custom_modules=False)
    for word in words:
        assert word in how_fitted(cfg)


LOAD = dict(type='LoadImageFromFile')


def normalising(*steps, **settings):
    numbers = dict(mean=[1., 2., 3.], std=[1., 1., 1.])
    model = dict(data_preprocessor=dict(numbers, **settings))
    return nested(*steps, model=model)


@pytest.mark.parametrize('cfg, word', [
    (normalising(type='mmdet.DetDataPreprocessor'), 'bgr_to_rgb'),
    (normalising(type='PoseDataPreprocessor', bgr_to_rgb=False), 'bgr_to'),
    (normalising(LOAD), 'to_rgb'),
    (normalising(LOAD, type='mmpretrain.ClsDataPreprocessor'), 'to_rgb'),
])
def test_blue_first_is_refused(cfg, word):
    with pytest.raises(ValueError, match=f'blue, green, red .no {word}'):
        check_channels(cfg)


@pytest.mark.parametrize('cfg', [
    Config(),
    normalising(type='mmdet.DetDataPreprocessor', bgr_to_rgb=True),
    normalising(LOAD, to_rgb=True),
    normalising(dict(type='DecodeImage')),
    normalising(type='PersonPreprocessor'),
])
def test_red_first_is_taken(cfg):
    check_channels(cfg)


@pytest.mark.parametrize('size', [(256, ), (0, 128), (256, 128, 3), (1.5, 2)])
def test_other_sizes_are_refused(size):
    with pytest.raises(ValueError, match='must be height and width'):
        check_size(size)
