"""Files of weights: read, check, rename, write, resume from, publish."""
from .atomic import AtomicBackend, write_file
from .backbone import BACKBONES, backbone_options, extract_backbone
from .check import OPTIONAL, NoMatchError, check_weights, load_weights
from .convert import convert_backbone
from .converted import Converted
from .finite import NonFiniteWeightsError, check_finite
from .key_maps import ConvertedViT, convert_vit_keys, select_branch
from .loader import register_loaders
from .position_grid import (Grid, candidate_grids, check_orientation,
                            table_layout)
from .publish import (Published, checkpoint_bytes, file_sha256,
                      publish_backbone, write_hashed)
from .read import (UnsafeCheckpointError, listed_keys, meta_of,
                   peek_checkpoint, read_checkpoint, weights_of)
from .resume import CheckpointError, check_checkpoint, find_resume_file

__all__ = [
    'AtomicBackend', 'BACKBONES', 'CheckpointError', 'Converted',
    'ConvertedViT', 'Grid', 'NoMatchError', 'NonFiniteWeightsError',
    'OPTIONAL', 'Published', 'UnsafeCheckpointError', 'backbone_options',
    'candidate_grids', 'check_checkpoint', 'check_finite', 'check_weights',
    'checkpoint_bytes', 'convert_backbone', 'convert_vit_keys',
    'extract_backbone', 'file_sha256', 'find_resume_file', 'listed_keys',
    'load_weights', 'meta_of', 'peek_checkpoint', 'publish_backbone',
    'read_checkpoint', 'register_loaders', 'select_branch', 'table_layout',
    'weights_of', 'write_file', 'write_hashed'
]
