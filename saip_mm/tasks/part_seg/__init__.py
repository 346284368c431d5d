"""Body part segmentation, LIP's or with labels of one's own, over mmseg."""
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
    'ClassCountHook', 'LIPPartsDataset', 'LoadPartImage', 'LoadPartLabels',
    'PartDrawHook', 'PartFlipTTA', 'PartSegMetric', 'PartsDataset',
    'RandomPartFlip', 'confusion_matrix', 'part_scores'
]
