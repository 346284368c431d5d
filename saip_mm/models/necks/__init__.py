from .image_decoder import AlignmentDecoder, ImageDecoder, InstanceDecoder
from .masked_image_decoder import MaskedImageDecoder
from .pixel_decoder import PixelDecoder
from .simple_fpn import SimpleFPN

__all__ = [
    'AlignmentDecoder', 'ImageDecoder', 'InstanceDecoder',
    'MaskedImageDecoder', 'PixelDecoder', 'SimpleFPN'
]
