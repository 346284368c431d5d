"""Body part segmentation (LIP), over mmseg."""
from .class_count import ClassCountHook
from .flip_tta import PartFlipTTA
from .lip import LIPPartsDataset
from .load_labels import LoadPartLabels
from .metric import PartSegMetric, confusion_matrix, part_scores

__all__ = [
    'ClassCountHook', 'LIPPartsDataset', 'LoadPartLabels', 'PartFlipTTA',
    'PartSegMetric', 'confusion_matrix', 'part_scores'
]
