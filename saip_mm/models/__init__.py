from .backbones import *  # noqa: F401,F403
from .encoder import EncoderOutput, PersonEncoder, TokenDims
from .experts import EmaExpert, ExpertOutput, FrozenExpert
from .heads import (CrossScaleMatchingHead, CrossScaleReconstructionHead,
                    CrossScaleSearchHead, InstanceMatchingHead)
from .necks import (AlignmentDecoder, ImageDecoder, InstanceDecoder,
                    PixelDecoder)
from .preprocessor import PersonViewPreprocessor, Views
from .selfsup import SAIP

__all__ = [
    'AlignmentDecoder', 'CrossScaleMatchingHead',
    'CrossScaleReconstructionHead', 'CrossScaleSearchHead', 'EmaExpert',
    'EncoderOutput', 'ExpertOutput', 'FrozenExpert', 'ImageDecoder',
    'InstanceDecoder', 'InstanceMatchingHead', 'PersonEncoder',
    'PersonViewPreprocessor', 'PixelDecoder', 'SAIP', 'TokenDims', 'Views'
]
