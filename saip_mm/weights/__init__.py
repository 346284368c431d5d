"""Files of weights: read, check, rename, write, resume from, publish."""
from .atomic import AtomicBackend, replacing, write_file, write_files
from .backbone import BACKBONES, backbone_options, extract_backbone
from .check import (OPTIONAL, NoMatchError, check_weights, for_test,
                    load_weights, training_only)
from .convert import convert_backbone, select_branch
from .converted import Converted
from .finite import NonFiniteWeightsError, check_finite
from .key_maps import ConvertedViT, convert_vit_keys
from .loader import register_loaders
from .position_grid import (Grid, candidate_grids, check_orientation,
                            table_layout)
from .publish import (Published, checkpoint_bytes, file_sha256,
                      publish_backbone, write_hashed)
from .read import (UnsafeCheckpointError, listed_keys, meta_of,
                   peek_checkpoint, read_checkpoint, weights_of)
from .resume import CheckpointError, check_checkpoint, find_resume_file
from .semantic import controlled_blocks
from .third_party import convert_third_party
from .transfer import DownloadError
from .zoo import NotPublishedError, fetch

__all__ = [
    'AtomicBackend', 'BACKBONES', 'CheckpointError', 'Converted',
    'ConvertedViT', 'DownloadError', 'Grid', 'NoMatchError',
    'NonFiniteWeightsError', 'NotPublishedError', 'OPTIONAL', 'Published',
    'UnsafeCheckpointError', 'backbone_options', 'candidate_grids',
    'check_checkpoint', 'check_finite', 'check_orientation', 'check_weights',
    'checkpoint_bytes', 'controlled_blocks', 'convert_backbone',
    'convert_third_party', 'convert_vit_keys', 'extract_backbone', 'fetch',
    'file_sha256', 'find_resume_file', 'for_test', 'listed_keys',
    'load_weights', 'meta_of', 'peek_checkpoint', 'publish_backbone',
    'read_checkpoint', 'register_loaders', 'replacing', 'select_branch',
    'table_layout', 'training_only', 'weights_of', 'write_file', 'write_files',
    'write_hashed'
]
