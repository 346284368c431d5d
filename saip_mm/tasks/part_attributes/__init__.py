"""Garments, their parts and attributes (Fashionpedia), over mmdet."""
from .annotations import (FilterFashionAnnotations, LoadFashionAnnotations,
                          PackFashionInputs)
from .dataset import FashionpediaDataset
from .draw import FashionLocalVisualizer
from .ke_head import KEHead
from .ke_roi_head import KERoIHead
from .metric import FashionpediaMetric
from .predictions import to_predictions

__all__ = [
    'FashionLocalVisualizer', 'FashionpediaDataset', 'FashionpediaMetric',
    'FilterFashionAnnotations', 'KEHead', 'KERoIHead',
    'LoadFashionAnnotations', 'PackFashionInputs', 'to_predictions'
]
