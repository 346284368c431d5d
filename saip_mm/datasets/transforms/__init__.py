from .decode import BrokenImageError, DecodeImage, decode_image
from .resize import ResizePerson, resize_crop
from .view_crops import PersonCrops

__all__ = [
    'BrokenImageError', 'DecodeImage', 'PersonCrops', 'ResizePerson',
    'decode_image', 'resize_crop'
]
