"""Search for persons by picture, over mmpretrain."""
from .head import BNNeckHead
from .identity_count import IdentityCountHook
from .jigsaw import CameraEmbedding, JigsawBranches, shift_and_shuffle
from .preprocessor import PersonPreprocessor
from .transreid import TransReID
from .triplet import BatchHardTripletLoss, batch_hard_triplet
from .warm_cosine import WarmCosineLR, warm_cosine

__all__ = [
    'BNNeckHead', 'BatchHardTripletLoss', 'CameraEmbedding',
    'IdentityCountHook', 'JigsawBranches', 'PersonPreprocessor', 'TransReID',
    'WarmCosineLR', 'batch_hard_triplet', 'shift_and_shuffle', 'warm_cosine'
]
