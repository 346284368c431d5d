from .identity_sampler import IdentityBatchSampler
from .key_table import KeyTable
from .person_images import PersonImages
from .picture_files import PictureFiles, Unreadable
from .prepare import (CropOptions, build_image_list, crop_persons,
                      index_shards, pack_lmdb, pack_shards, select_keys)
from .retrieval import (MarketDataset, MSMT17Dataset, PersonRetrievalDataset,
                        QueryAndGallery)
from .samplers import ResumableSampler
from .shard_sampler import ShardSampler
from .shard_source import ShardSource
from .sources import FolderSource, ImageSource, LmdbSource, build_source
from .transforms import *  # noqa: F401,F403

__all__ = [
    'CropOptions', 'FolderSource', 'IdentityBatchSampler', 'ImageSource',
    'KeyTable', 'LmdbSource', 'MSMT17Dataset', 'MarketDataset', 'PersonImages',
    'PersonRetrievalDataset', 'PictureFiles', 'QueryAndGallery',
    'ResumableSampler', 'ShardSampler', 'ShardSource', 'Unreadable',
    'build_image_list', 'build_source', 'crop_persons', 'index_shards',
    'pack_lmdb', 'pack_shards', 'select_keys'
]
