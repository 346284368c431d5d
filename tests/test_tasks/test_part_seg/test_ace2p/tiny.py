"""An A-CE2P small enough for a test, and samples for it."""
import torch
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from mmseg.utils import register_all_modules

from ....test_models.tiny_saip import STARNET

HEAD = dict(
    type='ACE2PHead',
    channels=8,
    context_channels=8,
    edge_channels=4,
    low_channels=4,
    num_classes=5,
    norm_cfg=dict(type='BN'))
WIDTHS = [8, 16, 32, 64]


def build(cfg):
    """Something of mmseg's registry, from seed 0."""
    register_all_modules(init_default_scope=False)
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmseg'):
        return MODELS.build(cfg)


def build_model(**head):
    """A whole segmentor with StarNet's map at 16, 16 last."""
    return build(
        dict(
            type='ACE2P',
            data_preprocessor=dict(type='SegDataPreProcessor', size=(48, 32)),
            backbone=dict(
                STARNET, type='mmpretrain.StrideMapBackbone', last_stride=1),
            decode_head=dict(HEAD, in_channels=WIDTHS, **head),
            train_cfg=dict(),
            test_cfg=ConfigDict(mode='whole')))


def labelled(label, **meta):
    """A sample of a label ``(H, W)``."""
    sample = SegDataSample(metainfo=meta)
    sample.gt_sem_seg = PixelData(data=label[None])
    return sample


def samples(count=2, size=(48, 32), classes=5):
    """Random patches, some of them ignored."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(
        0,
        classes + 1, (count, size[0] // 8, size[1] // 8),
        generator=generator)
    labels[labels == classes] = 255
    labels = labels.repeat_interleave(8, 1).repeat_interleave(8, 2)
    return [labelled(label) for label in labels]
