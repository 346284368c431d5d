from .assignment import balanced_assignment
from .instance_matching import instance_matching_loss
from .matching import matching_loss
from .prototype_matching import prototype_matching_loss
from .reconstruction import masked_patch_loss, patchify
from .search import search_loss

__all__ = [
    'balanced_assignment', 'instance_matching_loss', 'masked_patch_loss',
    'matching_loss', 'patchify', 'prototype_matching_loss', 'search_loss'
]
