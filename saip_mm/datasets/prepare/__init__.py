"""Once, before training: lists of images, crops of persons, LMDB files."""
from .image_selection import build_image_list, select_keys
from .lmdb_pack import pack_lmdb
from .person_crops import CropOptions, crop_persons

__all__ = [
    'CropOptions', 'build_image_list', 'crop_persons', 'pack_lmdb',
    'select_keys'
]
