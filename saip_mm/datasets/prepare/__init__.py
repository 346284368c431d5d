"""Once, before training: lists of images, crops of persons, LMDBs, shards."""
from .image_selection import build_image_list, select_keys
from .lmdb_pack import pack_lmdb
from .person_crops import CropOptions, crop_persons
from .shard_pack import index_shards, pack_shards

__all__ = [
    'CropOptions', 'build_image_list', 'crop_persons', 'index_shards',
    'pack_lmdb', 'pack_shards', 'select_keys'
]
