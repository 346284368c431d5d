"""The config's RoI head at a fraction of its width."""
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData

CONFIG = Path(__file__).parents[3] / 'configs/_base_/models/ke_rcnn.py'
WIDTH, HIDDEN = 8, 16
SIDE = 64  # of the pictures


def write_matrix(folder, seed=0):
    """A knowledge matrix with a third of the pairs; its path."""
    rng = np.random.default_rng(seed)
    matrix = rng.random((46, 294)) * (rng.random((46, 294)) < .3)
    path = folder / 'knowledge.npy'
    np.save(path, matrix.astype(np.float32))
    return str(path)


def shrink_head(head, knowledge):
    """Make a config of a KERoIHead tiny."""
    for name in ('bbox_roi_extractor', 'mask_roi_extractor'):
        head[name].out_channels = WIDTH
    head.bbox_head.update(
        in_channels=WIDTH, conv_out_channels=WIDTH, fc_out_channels=HIDDEN)
    head.mask_head.update(
        in_channels=WIDTH, conv_out_channels=WIDTH, num_convs=1)
    head.attribute_head.update(
        in_channels=WIDTH,
        class_channels=HIDDEN,
        dims=WIDTH,
        hidden_dims=HIDDEN,
        num_heads=2,
        knowledge=knowledge)
    return head


def build_head(knowledge, **changes):
    """A KERoIHead with random weights, in eval mode.

    Args:
        knowledge (str): See :func:`write_matrix`.
        changes: Of the head's config.
    """
    from mmdet.registry import MODELS
    from mmdet.utils import register_all_modules

    import saip_mm.tasks.part_attributes  # noqa: F401
    register_all_modules(init_default_scope=False)
    cfg = Config.fromfile(CONFIG).model
    head = shrink_head(cfg.roi_head, knowledge)
    test = dict(cfg.test_cfg.rcnn, score_thr=0., max_per_img=12)
    head.update(train_cfg=cfg.train_cfg.rcnn, test_cfg=test, **changes)
    torch.manual_seed(0)
    return MODELS.build(head).eval()


def maps(count=1, seed=1):
    """Levels of stride 4 to 64 of ``count`` pictures."""
    torch.manual_seed(seed)
    return tuple(
        torch.randn(count, WIDTH, SIDE // stride, SIDE // stride)
        for stride in (4, 8, 16, 32, 64))


def proposals(count=20, seed=2):
    """Boxes inside the picture."""
    torch.manual_seed(seed)
    near = 40 * torch.rand(count, 2)
    return InstanceData(
        bboxes=torch.cat([near, near + 8 + 14 * torch.rand(count, 2)], 1),
        scores=torch.rand(count))
