"""Labels of one's own on real photographs: a step each, and a test.

Leeds Sports Pose (14 joints) and Penn-Fudan (pedestrians), each in a folder
of a user's, by a config there that inherits one of ours.
"""
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from .own_sets import WRITERS
from .photographs import REAL
from .tiny_backbone import shrink_run

CONFIGS = Path(__file__).parents[2] / 'configs'
METRICS = dict(lsp=('coco/AP', 'PCK'), penn_fudan=('coco/bbox_mAP', ))
LIBRARIES = dict(lsp='mmpose', penn_fudan='mmdet')


@pytest.mark.parametrize('name', METRICS)
def test_trains_and_tests(name, tmp_path):
    pytest.importorskip(LIBRARIES[name])
    source = REAL.parent / name
    if not source.is_dir():
        pytest.skip(f'{name} is not there')
    config = WRITERS[name](str(source), str(tmp_path / 'own'), str(CONFIGS), 2)
    cfg = shrink_run(Config.fromfile(config), tmp_path / 'work')
    cfg.train_cfg.update(max_epochs=1, val_interval=1)
    cfg.param_scheduler = []
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.iter == 1
    for parameter in runner.model.parameters():
        assert parameter.isfinite().all()
    losses = runner.message_hub.get_scalar('train/loss').data[0]
    assert torch.tensor(losses).isfinite().all()
    scores = runner.test()
    for metric in METRICS[name]:
        assert -1 <= scores[metric] <= 1
