from .alignment import (attention_divergence, pairwise_distance,
                        relation_divergence, token_distance)
from .assignment import balanced_assignment
from .instance_matching import instance_matching_loss
from .matching import matching_loss
from .prototype_matching import prototype_matching_loss
from .reconstruction import masked_patch_loss, patchify
from .search import search_loss

__all__ = [
    'attention_divergence', 'balanced_assignment', 'instance_matching_loss',
    'masked_patch_loss', 'matching_loss', 'pairwise_distance', 'patchify',
    'prototype_matching_loss', 'relation_divergence', 'search_loss',
    'token_distance'
]
