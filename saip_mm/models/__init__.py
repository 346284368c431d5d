from .backbones import *  # noqa: F401,F403
from .encoders import (Encoder, MapEncoder, PlainEncoder, TimmEncoder,
                       TokenBlocks)
from .experts import EmaExpert, FrozenExpert
from .heads import (AlignmentHead, CrossScaleMatchingHead,
                    CrossScaleReconstructionHead, CrossScaleSearchHead,
                    DINOHead, HAPHead, InstanceMatchingHead,
                    MaskedReconstructionHead, SOLIDERHead)
from .necks import (AlignmentDecoder, ImageDecoder, InstanceDecoder,
                    PixelDecoder)
from .preprocessors import PersonViewPreprocessor, Views
from .selfsup import SAIP, ViewPretraining
from .tokens import Answer, Request, TokenDims, Tokens

__all__ = [
    'AlignmentDecoder', 'AlignmentHead', 'Answer', 'CrossScaleMatchingHead',
    'CrossScaleReconstructionHead', 'CrossScaleSearchHead', 'DINOHead',
    'EmaExpert', 'Encoder', 'FrozenExpert', 'HAPHead', 'ImageDecoder',
    'InstanceDecoder', 'InstanceMatchingHead', 'MapEncoder',
    'MaskedReconstructionHead', 'PersonViewPreprocessor', 'PixelDecoder',
    'PlainEncoder', 'Request', 'SAIP', 'SOLIDERHead', 'TimmEncoder',
    'TokenBlocks', 'TokenDims', 'Tokens', 'ViewPretraining', 'Views'
]
