from .image_decoder import AlignmentDecoder, ImageDecoder
from .pixel_decoder import PixelDecoder

__all__ = ['AlignmentDecoder', 'ImageDecoder', 'PixelDecoder']
