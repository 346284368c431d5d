from .backbones import *  # noqa: F401,F403
from .encoders import Encoder, MapEncoder, PlainEncoder
from .experts import EmaExpert, FrozenExpert
from .heads import (CrossScaleMatchingHead, CrossScaleReconstructionHead,
                    CrossScaleSearchHead, InstanceMatchingHead)
from .necks import (AlignmentDecoder, ImageDecoder, InstanceDecoder,
                    PixelDecoder)
from .preprocessor import PersonViewPreprocessor, Views
from .selfsup import SAIP, ViewPretraining
from .tokens import Answer, Request, TokenDims, Tokens

__all__ = [
    'AlignmentDecoder', 'Answer', 'CrossScaleMatchingHead',
    'CrossScaleReconstructionHead', 'CrossScaleSearchHead', 'EmaExpert',
    'Encoder', 'FrozenExpert', 'ImageDecoder', 'InstanceDecoder',
    'InstanceMatchingHead', 'MapEncoder', 'PersonViewPreprocessor',
    'PixelDecoder', 'PlainEncoder', 'Request', 'SAIP', 'TokenDims', 'Tokens',
    'ViewPretraining', 'Views'
]
