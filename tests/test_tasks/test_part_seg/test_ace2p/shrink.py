"""The configs of A-CE2P at a tenth of their width, on a few pictures."""
from pathlib import Path

from mmengine.config import Config

from ...tiny_backbone import shrink_backbone, shrink_run

CONFIGS = Path(__file__).parents[4] / 'configs/part_seg'
SIZE = (48, 32)


def shrink(path, root, work_dir, size=SIZE, epochs=3):
    """Averages at the ends of epochs 1, 2, 3...; see :func:`tiny_widths`."""
    cfg = shrink_run(Config.fromfile(path), work_dir)
    tiny_widths(cfg)
    return set_data(cfg, root, size, epochs)


def tiny_widths(cfg):
    widths = list(shrink_backbone(cfg.model.backbone))
    if 'neck_channels' in cfg.model.backbone:
        cfg.model.backbone.neck_channels = widths[-1]
    count = len(cfg.model.decode_head.in_channels)
    if count == 3:  # a plain transformer of four blocks
        cfg.model.backbone.out_indices = [0, 1, 3]
    if 'neck' in cfg.model:
        cfg.model.neck.in_channels = widths[:count]
    cfg.model.decode_head.update(
        in_channels=widths[:count],
        channels=8,
        context_channels=8,
        edge_channels=4,
        low_channels=4)


def set_data(cfg, root, size, epochs):
    """Other pictures, in another size, for a few epochs."""
    cfg.model.data_preprocessor.size = size
    for name in ('train', 'val', 'test'):
        dataset = cfg[f'{name}_dataloader'].dataset
        dataset.data_root = root
        for step in dataset.pipeline:
            if step.type == 'WholePictureAffine':
                step.size = size
    cfg.tta_pipeline[1].size = size
    cfg.train_cfg.update(max_epochs=epochs, val_interval=epochs)
    cfg.param_scheduler = [
        dict(
            type='CosineRestartLR',
            periods=[1] * 9,
            restart_weights=[0.5] * 9,
            eta_min_ratio=0.1,
            begin=1)
    ]
    cfg.default_hooks.checkpoint.interval = 1
    cfg.default_hooks.logger.interval = 1
    return cfg
