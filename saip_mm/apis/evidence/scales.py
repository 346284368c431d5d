"""Search across scales: is a person the same one when smaller?"""
from typing import Dict

from mmengine.device import get_device
from mmengine.registry import init_default_scope

from mmpretrain.registry import DATASETS
from ...engine.hooks import RetrievalMonitorHook
from ...evaluation import retrieval_scores
from ..encoders import Size, ready_encoder
from .settings import SIZE, retrieval_set

SMALL = (64, 32)  # height, width of a query


def scores_across_scales(weights: str,
                         search: str,
                         query_size: Size = SMALL) -> Dict[str, float]:
    """Search for small persons among large ones, with a frozen backbone.

    Args:
        weights (str): Its published file.
        search (str): Folder as Market1501 lies.
        query_size (tuple[int, int]): Height and width of queries, in pixels;
            the gallery has those of the pretraining, ``SIZE``.

    Returns:
        dict[str, float]: ``rank1`` and ``map`` in per cent.
    """
    ready = ready_encoder(weights)
    ready.encoder.to(get_device())
    init_default_scope('mmpretrain')  # of parts it is another
    monitor = RetrievalMonitorHook(None, None)
    query, gallery = (monitor.extract(
        ready.encoder, DATASETS.build(retrieval_set(search, split, size)),
        ready.mean, ready.std) for split, size in (('query', query_size),
                                                   ('gallery', SIZE)))
    found = retrieval_scores(*query, *gallery)
    return dict(rank1=100 * found.rank1, map=100 * found.map)
