"""Doors for weights of the tasks: their libraries' own.

What is held here for the core is in tests/test_weights/test_doors.py.
"""
import importlib
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from saip_mm.apis import evaluate
from ..test_weights.payloads import (DAMAGES, FOREIGN, damage, foreign_code,
                                     training_checkpoint)
from .tiny_backbone import shrink_backbone

CONFIGS = Path(__file__).parents[2] / 'configs'
# library, config, function of its own that opens a checkpoint
TASKS = dict(
    attributes=('mmpretrain', 'attributes/pa100k/demo.py', 'get_model'),
    reid=('mmpretrain', 'reid/market1501/demo.py', 'get_model'),
    text_reid=('mmpretrain', 'text_reid/cuhk_pedes/demo.py', 'get_model'),
    pose=('mmpose', 'pose/coco/demo.py', 'init_model'),
    wholebody=('mmpose', 'wholebody/coco_wholebody/demo.py', 'init_model'),
    part_seg=('mmseg', 'part_seg/lip/demo.py', 'init_model'),
    detection=('mmdet', 'detection/crowdhuman/demo.py', 'init_detector'),
    part_attributes=('mmdet', 'part_attributes/fashionpedia/demo.py',
                     'init_detector'),
    parsing=('mmdet', 'parsing/cihp/demo.py', 'init_detector'))
DOORS = ('init_cfg', 'inference', 'test.py')


@pytest.fixture(params=TASKS)
def task(request):
    library, config, function = TASKS[request.param]
    pytest.importorskip(library)
    return library, str(CONFIGS / config), function


def through(door, task, path) -> None:
    library, config, function = task
    if door == 'test.py':
        evaluate(config, str(path), work_dir=str(path.parent / 'work'))
    elif door == 'inference':
        open_model = getattr(
            importlib.import_module(f'{library}.apis'), function)
        open_model(config, str(path), device='cpu')
    else:
        cfg = Config.fromfile(config)
        shrink_backbone(cfg.model.backbone)
        cfg.model.backbone.init_cfg = dict(
            type='Pretrained', checkpoint=str(path))
        models = importlib.import_module(f'{library}.registry').MODELS
        models.build(cfg.model.backbone).init_weights()


@pytest.mark.parametrize('door', DOORS)
def test_no_door_runs_foreign_code(door, task, tmp_path):
    path, marker = tmp_path / 'epoch_1.pth', tmp_path / 'ran'
    for name in FOREIGN:
        content = training_checkpoint(dict(a=torch.ones(2)))
        content['meta']['config'] = foreign_code(marker)[name]
        torch.save(content, path)
        with pytest.raises((ValueError, RuntimeError),
                           match='epoch_1.pth holds objects of .*run code'):
            through(door, task, path)
        assert not marker.exists(), name


@pytest.mark.parametrize('door', DOORS)
def test_no_door_takes_a_damaged_file(door, task, tmp_path):
    path = tmp_path / 'epoch_1.pth'
    for kind in DAMAGES:
        torch.save(training_checkpoint(dict(a=torch.randn(1 << 16))), path)
        damage(path, kind)
        with pytest.raises((ValueError, RuntimeError), match='epoch_1.pth'):
            through(door, task, path)
