from .image_decoder import AlignmentDecoder, ImageDecoder, InstanceDecoder
from .map_pyramid import HalveLastMap, MapPyramid
from .masked_image_decoder import MaskedImageDecoder
from .pixel_decoder import PixelDecoder
from .simple_fpn import SimpleFPN

__all__ = [
    'AlignmentDecoder', 'HalveLastMap', 'ImageDecoder', 'InstanceDecoder',
    'MapPyramid', 'MaskedImageDecoder', 'PixelDecoder', 'SimpleFPN'
]
