"""Pedestrian detection (CrowdHuman), over mmdet."""
from .assigner import FewBoxesAssigner, PersonFirstAssigner
from .check_size import CheckImageSize
from .crowdhuman import CrowdHumanPersonDataset
from .metric import CrowdHumanPersonMetric
from .pair_head import PairBBoxHead

__all__ = [
    'CheckImageSize', 'CrowdHumanPersonDataset', 'CrowdHumanPersonMetric',
    'FewBoxesAssigner', 'PairBBoxHead', 'PersonFirstAssigner'
]
