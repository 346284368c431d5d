from .image_decoder import AlignmentDecoder, ImageDecoder, InstanceDecoder
from .pixel_decoder import PixelDecoder
from .simple_fpn import SimpleFPN

__all__ = [
    'AlignmentDecoder', 'ImageDecoder', 'InstanceDecoder', 'PixelDecoder',
    'SimpleFPN'
]
