"""Detection over mmdet: pedestrians (CrowdHuman), or categories of one's own.
"""
from .assigner import FewBoxesAssigner, PersonFirstAssigner
from .category_count import CategoryCountHook
from .check_size import CheckImageSize
from .coco_boxes import CocoBoxesDataset, CocoBoxesMetric
from .crowdhuman import CrowdHumanPersonDataset
from .metric import CrowdHumanPersonMetric
from .pair_head import PairBBoxHead

__all__ = [
    'CategoryCountHook', 'CheckImageSize', 'CocoBoxesDataset',
    'CocoBoxesMetric', 'CrowdHumanPersonDataset', 'CrowdHumanPersonMetric',
    'FewBoxesAssigner', 'PairBBoxHead', 'PersonFirstAssigner'
]
