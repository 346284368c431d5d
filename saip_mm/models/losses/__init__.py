from .assignment import balanced_assignment
from .matching import matching_loss
from .reconstruction import masked_patch_loss, patchify
from .search import search_loss

__all__ = [
    'masked_patch_loss', 'balanced_assignment', 'matching_loss', 'patchify',
    'search_loss'
]
