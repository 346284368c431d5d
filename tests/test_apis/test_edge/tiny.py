"""Every task's network at a fraction of its width, as a built model."""
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

CONFIGS = Path(__file__).parents[3] / 'configs'
SIZES = dict(
    pose=(64, 48),
    wholebody=(64, 48),
    part_seg=(64, 64),
    ace2p=(64, 32),
    detection=(64, 96),
    crowd=(64, 128),
    parsing=(64, 96),
    part_attributes=(64, 64),
    reid=(64, 32),
    text_reid=(64, 32),
    attributes=(64, 32))
NEEDS = dict(
    pose='mmpose',
    wholebody='mmpose',
    part_seg='mmseg',
    ace2p='mmseg',
    detection='mmdet',
    crowd='mmdet',
    parsing='mmdet',
    part_attributes='mmdet')
FILES = dict(
    pose='pose/coco/starnet_s3.py',
    wholebody='wholebody/coco_wholebody/demo.py',
    part_seg='part_seg/lip/demo.py',
    ace2p='part_seg/lip/demo_ace2p.py',
    detection='detection/crowdhuman/demo.py',
    crowd='detection/crowdhuman/starnet_s3_crowddet.py',
    parsing='parsing/cihp/demo.py',
    part_attributes='part_attributes/fashionpedia/demo.py',
    reid='reid/market1501/demo_vit_tiny.py',
    text_reid='text_reid/cuhk_pedes/demo.py',
    attributes='attributes/pa100k/demo.py')


def tiny_config(task, tmp_path):
    """The config of a task, shrunk as the task's own tests do."""
    if task in NEEDS:
        pytest.importorskip(NEEDS[task])
    path, work = CONFIGS / FILES[task], tmp_path / 'work'
    if task in ('pose', 'wholebody'):
        from ...test_tasks.test_pose.test_configs import shrink
        cfg = shrink(path, 'none', work)
    elif task == 'part_seg':
        from ...test_tasks.test_part_seg.test_configs import shrink
        cfg = shrink(path, 'none', work)
    elif task == 'ace2p':
        cfg = _ace2p(path)
    elif task in ('detection', 'crowd'):
        from ...test_tasks.test_detection.test_configs import shrink
        cfg = shrink(path, 'none', work)
    elif task == 'parsing':
        from ...test_tasks.test_parsing.test_configs import shrink
        cfg = shrink(path, 'none', work)
    elif task == 'part_attributes':
        from ...test_tasks.test_part_attributes.test_configs import shrink
        from ...test_tasks.test_part_attributes.tiny_head import write_matrix
        cfg = shrink(path, write_matrix(tmp_path), work)
    elif task == 'reid':
        from ...test_tasks.test_reid.test_configs import shrink
        cfg = shrink(path, 'none', work)
    elif task == 'text_reid':
        from ...test_tasks.test_text_reid.test_configs import shrink
        cfg = shrink(path, tmp_path)
    else:
        from ...test_tasks.test_attributes.test_configs import shrink
        cfg = shrink(path, 'none', work)
    return cfg


def _ace2p(path):
    from ...test_tasks.tiny_backbone import shrink_backbone
    cfg = Config.fromfile(path)
    widths = shrink_backbone(cfg.model.backbone)
    head = cfg.model.decode_head
    norms = cfg.model.get('neck')
    if norms:
        norms.in_channels = list(widths)[:len(norms.in_channels)]
    head.update(
        in_channels=list(widths)[:len(head.in_channels)],
        channels=8,
        context_channels=8,
        edge_channels=8,
        low_channels=8)
    return cfg


def tiny_model(task, tmp_path, seed=0):
    """The model of :func:`tiny_config`, with weights that are not all
    alike."""
    from mmengine.registry import MODELS

    from saip_mm.apis.config import load_config
    torch.manual_seed(seed)
    cfg = load_config(tiny_config(task, tmp_path))
    model = MODELS.build(cfg.model)
    model.init_weights()
    for parameter in model.parameters():  # heads start at almost nothing
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=parameter[0].numel()**-0.5)
    model.train(False)
    return model
