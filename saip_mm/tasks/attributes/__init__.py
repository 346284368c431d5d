"""Pedestrian attributes: PA100K, PETA, or a list of one's own."""
from .attribute_count import AttributeCountHook
from .dataset import AttributeDataset
from .draw import AttributeDrawHook, draw_attributes
from .head import AttributeHead
from .loss import LabelRatioLoss
from .metric import AttributeMetric
from .pa100k import PA100KDataset
from .peta import PETADataset
from .scores import AttributeScores, attribute_scores

__all__ = [
    'AttributeCountHook', 'AttributeDataset', 'AttributeDrawHook',
    'AttributeHead', 'AttributeMetric', 'AttributeScores', 'LabelRatioLoss',
    'PA100KDataset', 'PETADataset', 'attribute_scores', 'draw_attributes'
]
