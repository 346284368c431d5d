"""LIP's configs of UPerNet: two steps of training, tests, tiny."""
from pathlib import Path

import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.runner import Runner

pytest.importorskip('mmseg')

from saip_mm.apis import evaluate  # noqa: E402
from ..photographs import REAL, needs_photographs  # noqa: E402
from ..tiny_backbone import shrink_backbone, shrink_run  # noqa: E402
from .lip_files import write_lip  # noqa: E402

CONFIGS = sorted(
    path for path in (Path(__file__).parents[3] /
                      'configs/part_seg/lip').rglob('*.py')
    if not path.stem.endswith(('_authors', '_ace2p')))  # see test_ace2p
PAPER = [p for p in CONFIGS if not p.stem.startswith('demo')]
SIZE = (32, 32)
HALF = (240, 240)  # height, width of the paper's configs, halved


def shrink(path, root, work_dir):
    cfg = shrink_run(Config.fromfile(path), work_dir)
    widths = shrink_backbone(cfg.model.backbone)
    cfg.model.decode_head.update(channels=8, in_channels=list(widths))
    cfg.model.auxiliary_head.update(channels=8, in_channels=widths[2])
    if 'neck' in cfg.model:
        cfg.model.neck.embed_dim = widths[0]
    return set_data(cfg, root, SIZE, max_iters=2)


def set_data(cfg, root, size, max_iters):
    """Other pictures, in another size, for a few iterations."""
    cfg.model.data_preprocessor.size = size
    for name in ('train', 'val', 'test'):
        cfg[f'{name}_dataloader'].dataset.data_root = root
    train = {t['type']: t for t in cfg.train_dataloader.dataset.pipeline}
    train['RandomResize'].scale = size
    train['RandomCrop'].crop_size = size
    for name in ('val', 'test'):
        cfg[f'{name}_dataloader'].dataset.pipeline[1].scale = size
    cfg.tta_pipeline[1].transforms[0][0].scale = size
    cfg.train_cfg.update(max_iters=max_iters, val_interval=max_iters)
    cfg.param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=False)]
    cfg.default_hooks.checkpoint.interval = max_iters
    cfg.default_hooks.logger.interval = 1
    return cfg


def check_run(runner, steps):
    """Finite losses and weights, and metrics of a finished training."""
    scalars = runner.message_hub.log_scalars
    for name in ('loss', 'decode.loss_ce', 'aux.loss_ce', 'grad_norm'):
        history = torch.tensor(scalars[f'train/{name}'].data[0])
        assert len(history) == steps and history.isfinite().all(), name
    for parameter in runner.model.parameters():
        assert parameter.isfinite().all()
    for metric in ('mIoU', 'mAcc', 'aAcc'):
        assert 0 <= scalars[f'val/{metric}'].current() <= 100


@pytest.mark.slow
@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_trains_and_tests(path, tmp_path):
    cfg = shrink(path, write_lip(tmp_path / 'lip'), tmp_path / 'work')
    runner = Runner.from_cfg(cfg)
    runner.train()
    check_run(runner, steps=2)
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


@pytest.mark.parametrize('path', PAPER, ids=lambda path: path.stem)
def test_full_size_parameters(path):
    """Backbone, neck and heads as planned, in millions; and the metafile."""
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
    metafile = yaml.safe_load((path.parents[1] / 'metafile.yml').read_text())
    own = path.relative_to(path.parents[3]).as_posix()
    row, = (row for row in metafile['Models'] if row['Config'] == own)
    numbers = row['Metadata']
    assert numbers['Parameters'] == sum(parts.values())
    assert numbers['Iterations'] == cfg.train_cfg.max_iters
    assert numbers['Batch Size'] == 8 * cfg.train_dataloader.batch_size
    paper = {
        'vit_tiny': (52.3, 63.3),
        'starnet_s3': (52.7, 61.7),
        'tinyvit_5m': (58.3, 68.8),
    }[path.stem]
    results = [result['Metrics'] for result in row['Results']]
    assert results == [dict(zip(('mIoU (paper)', 'mAcc (paper)'), paper))]


@pytest.mark.slow
@needs_photographs
@pytest.mark.parametrize('path', PAPER, ids=lambda path: path.stem)
def test_whole_width_on_photographs(path, tmp_path):
    """Four steps and two tests on five persons, drawn; pictures of 240x240."""
    cfg = shrink_run(Config.fromfile(path), tmp_path / 'work')
    set_data(cfg, str(REAL / 'lip_style'), HALF, max_iters=4)
    for name in ('val', 'test'):  # there are training pictures only
        cfg[f'{name}_dataloader'].dataset.update({
            key:
            cfg.train_dataloader.dataset[key]
            for key in ('ann_file', 'data_prefix')
        })
    cfg.default_hooks.visualization.update(draw=True, interval=1)
    runner = Runner.from_cfg(cfg)
    runner.train()
    check_run(runner, steps=4)
    assert set(runner.test()) == {'mIoU', 'mAcc', 'aAcc'}
    for mode in ('val', 'test'):
        pictures = (tmp_path / 'work').rglob(f'vis_image/{mode}_*.png')
        assert len(list(pictures)) == 5
