from .annotated_image import LoadAnnotatedImage, decode_as_labelled
from .decode import MAX_PIXELS, DecodeImage, decode_image, turn
from .pack_person import PERSON_KEYS, PackPerson
from .picture_header import (BrokenImageError, RefusedImageError,
                             read_orientation)
from .resize import ResizePerson, resize_crop
from .view_crops import PersonCrops

__all__ = [
    'BrokenImageError', 'DecodeImage', 'LoadAnnotatedImage', 'MAX_PIXELS',
    'PERSON_KEYS', 'PackPerson', 'PersonCrops', 'RefusedImageError',
    'ResizePerson', 'decode_as_labelled', 'decode_image', 'read_orientation',
    'resize_crop', 'turn'
]
