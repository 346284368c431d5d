from .image_selection import build_image_list, select_keys
from .key_table import KeyTable
from .lmdb_pack import pack_lmdb
from .market1501 import MarketDataset
from .person_crops import CropOptions, crop_persons
from .person_images import PersonImages
from .samplers import ResumableSampler
from .sources import FolderSource, ImageSource, LmdbSource, build_source
from .transforms import *  # noqa: F401,F403

__all__ = [
    'CropOptions', 'FolderSource', 'ImageSource', 'KeyTable', 'LmdbSource',
    'MarketDataset', 'PersonImages', 'ResumableSampler', 'build_image_list',
    'build_source', 'crop_persons', 'pack_lmdb', 'select_keys'
]
