from .image_decoder import AlignmentDecoder, ImageDecoder
from .pixel_decoder import PixelDecoder
from .simple_fpn import SimpleFPN

__all__ = ['AlignmentDecoder', 'ImageDecoder', 'PixelDecoder', 'SimpleFPN']
