"""LIP's configs: two steps of training, a test, a flip test, tiny."""
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

pytest.importorskip('mmseg')

from saip_mm.engine.launch import evaluate  # noqa: E402
from ..tiny_backbone import shrink_backbone, shrink_run  # noqa: E402
from .lip_files import write_lip  # noqa: E402

CONFIGS = sorted(
    (Path(__file__).parents[3] / 'configs/part_seg').rglob('*.py'))
SIZE = (32, 32)


def shrink(path, root, work_dir):
    cfg = shrink_run(Config.fromfile(path), work_dir)
    widths = shrink_backbone(cfg.model.backbone)
    cfg.model.data_preprocessor.size = SIZE
    cfg.model.decode_head.update(channels=8, in_channels=list(widths))
    cfg.model.auxiliary_head.update(channels=8, in_channels=widths[2])
    if 'neck' in cfg.model:
        cfg.model.neck.embed_dim = widths[0]
    for name in ('train', 'val', 'test'):
        cfg[f'{name}_dataloader'].dataset.data_root = root
    train = {t['type']: t for t in cfg.train_dataloader.dataset.pipeline}
    train['RandomResize'].scale = SIZE
    train['RandomCrop'].crop_size = SIZE
    for name in ('val', 'test'):
        cfg[f'{name}_dataloader'].dataset.pipeline[1].scale = SIZE
    cfg.tta_pipeline[1].transforms[0][0].scale = SIZE
    cfg.train_cfg.update(max_iters=2, val_interval=2)
    cfg.param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=False)]
    cfg.default_hooks.checkpoint.interval = 2
    cfg.default_hooks.logger.interval = 1
    return cfg


@pytest.mark.slow
@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_trains_and_tests(path, tmp_path):
    cfg = shrink(path, write_lip(tmp_path / 'lip'), tmp_path / 'work')
    runner = Runner.from_cfg(cfg)
    runner.train()
    scalars = runner.message_hub.log_scalars
    for name in ('loss', 'decode.loss_ce', 'aux.loss_ce', 'grad_norm'):
        history = torch.tensor(scalars[f'train/{name}'].data[0])
        assert len(history) == 2 and history.isfinite().all(), name
    for parameter in runner.model.parameters():
        assert parameter.grad is None or parameter.isfinite().all()
    for metric in ('mIoU', 'mAcc', 'aAcc'):
        assert 0 <= scalars[f'val/{metric}'].current() <= 100
    small = str(tmp_path / 'small.py')
    cfg.dump(small)
    for tta in (False, True):
        metrics = evaluate(
            small,
            str(tmp_path / 'work/iter_2.pth'),
            work_dir=str(tmp_path / 'test'),
            tta=tta)
        assert set(metrics) == {'mIoU', 'mAcc', 'aAcc'}


def test_a_head_of_another_number_of_classes(tmp_path):
    cfg = shrink(CONFIGS[0], write_lip(tmp_path / 'lip'), tmp_path / 'work')
    cfg.model.auxiliary_head.num_classes = 19
    error = 'auxiliary_head.num_classes is 19, .*has 20 classes'
    with pytest.raises(ValueError, match=error):
        Runner.from_cfg(cfg).train()


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_full_size_parameters(path):
    """Backbone, neck and heads as planned, in millions."""
    from mmseg.registry import MODELS
    cfg = Config.fromfile(path)
    parts = {
        name: sum(p.numel()
                  for p in MODELS.build(cfg.model[name]).parameters())
        for name in ('backbone', 'neck', 'decode_head', 'auxiliary_head')
        if name in cfg.model
    }
    assert {
        name: round(count / 1e6, 2)
        for name, count in parts.items()
    } == {
        'vit_tiny':
        dict(backbone=5.51, neck=0.44, decode_head=7.29, auxiliary_head=0.45),
        'starnet_s3':
        dict(backbone=5.49, decode_head=7.41, auxiliary_head=0.30),
        'tinyvit_5m':
        dict(backbone=5.07, decode_head=7.65, auxiliary_head=0.37),
    }[path.stem]
