"""Names that scripts import from where they were still work."""
import importlib

import pytest

from saip_mm import weights

OLD = dict(
    checkpoint=('read_checkpoint', 'extract_backbone', 'load_weights',
                'check_weights', 'weights_of', 'meta_of', 'peek_checkpoint',
                'BACKBONES', 'OPTIONAL', 'NoMatchError',
                'UnsafeCheckpointError'),
    export=('publish_backbone', 'write_hashed', 'checkpoint_bytes',
            'file_sha256', 'Published'),
    key_maps=('convert_vit_keys', 'select_branch', 'ConvertedViT'),
    position_grid=('Grid', 'candidate_grids', 'table_layout'),
    **{
        'engine.atomic_backend': ('AtomicBackend', ),
        'engine.checkpoint_file':
        ('CheckpointError', 'find_resume_file', 'check_checkpoint')
    })


@pytest.mark.parametrize('module', OLD)
def test_old_names_are_forwarded_with_a_warning(module):
    old = importlib.import_module(f'saip_mm.{module}')
    for name in OLD[module]:
        with pytest.warns(FutureWarning, match=f'saip_mm.weights.{name} now'):
            assert getattr(old, name) is getattr(weights, name)


def test_unknown_names_are_unknown():
    old = importlib.import_module('saip_mm.checkpoint')
    with pytest.raises(AttributeError, match='moved to saip_mm.weights'):
        old.nothing
