from .annotated_image import (LoadAnnotatedImage, decode_as_labelled,
                              read_orientation)
from .decode import BrokenImageError, DecodeImage, decode_image
from .resize import ResizePerson, resize_crop
from .view_crops import PersonCrops

__all__ = [
    'BrokenImageError', 'DecodeImage', 'LoadAnnotatedImage', 'PersonCrops',
    'ResizePerson', 'decode_as_labelled', 'decode_image', 'read_orientation',
    'resize_crop'
]
