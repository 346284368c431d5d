"""A-CE2P and self-correction, by which LIP's best parsers are trained."""
from .affine import PackPartInputs, WholePictureAffine, bring_back, fit_matrix
from .batch_norm import estimate_batch_norm
from .edges import (BalancedEdgeLoss, EdgeConsistencyLoss, balanced_edge_loss,
                    edge_consistency, edge_targets)
from .head import ACE2PHead, PartMaps
from .logit_tta import PartLogitTTA
from .lovasz import LovaszSoftmaxLoss, lovasz_softmax
from .maps import MapNormNeck
from .refined import RefinableCrossEntropy, divergence, refine
from .segmentor import ACE2P
from .self_correction import SelfCorrectionHook

__all__ = [
    'ACE2P', 'ACE2PHead', 'BalancedEdgeLoss', 'EdgeConsistencyLoss',
    'LovaszSoftmaxLoss', 'MapNormNeck', 'PackPartInputs', 'PartLogitTTA',
    'PartMaps', 'RefinableCrossEntropy', 'SelfCorrectionHook',
    'WholePictureAffine', 'balanced_edge_loss', 'bring_back', 'divergence',
    'edge_consistency', 'edge_targets', 'estimate_batch_norm', 'fit_matrix',
    'lovasz_softmax', 'refine'
]
