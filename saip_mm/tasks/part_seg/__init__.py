"""Body part segmentation, LIP's or with labels of one's own, over mmseg."""
from .ace2p import (ACE2P, ACE2PHead, BalancedEdgeLoss, EdgeConsistencyLoss,
                    LovaszSoftmaxLoss, MapNormNeck, PackPartInputs,
                    PartLogitTTA, RefinableCrossEntropy, SelfCorrectionHook,
                    WholePictureAffine)
from .class_count import ClassCountHook
from .draw import PartDrawHook
from .flip_tta import PartFlipTTA
from .flips import RandomPartFlip
from .lip import LIPPartsDataset
from .load_image import LoadPartImage
from .load_labels import LoadPartLabels
from .metric import PartSegMetric, confusion_matrix, part_scores
from .parts_dataset import PartsDataset

__all__ = [
    'ACE2P', 'ACE2PHead', 'BalancedEdgeLoss', 'ClassCountHook',
    'EdgeConsistencyLoss', 'LIPPartsDataset', 'LoadPartImage',
    'LoadPartLabels', 'LovaszSoftmaxLoss', 'MapNormNeck', 'PackPartInputs',
    'PartDrawHook', 'PartFlipTTA', 'PartLogitTTA', 'PartSegMetric',
    'PartsDataset', 'RandomPartFlip', 'RefinableCrossEntropy',
    'SelfCorrectionHook', 'WholePictureAffine', 'confusion_matrix',
    'part_scores'
]
