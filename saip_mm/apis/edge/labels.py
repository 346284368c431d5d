"""Names of what a network tells apart, as its training's data had them."""
from typing import Any, Optional

from saip_mm.weights import meta_of

# of a data set's metainfo: classes, parts of persons, attributes of garments,
# and what a mirror image exchanges
KEPT = ('classes', 'parts', 'attributes', 'flip_indices', 'flip_pairs')


def labels_of(content: Optional[dict]) -> dict:
    """Names for a sidecar, in the order of the outputs' channels.

    Args:
        content (dict, optional): Of a training checkpoint; None is none.

    Returns:
        dict: Plain values: ``classes``, ``keypoints``, ``parts``,
        ``attributes``, ``flip_indices``, ``flip_pairs``, those that the
        training's data set had.

    Example:
        >>> meta = dict(dataset_meta=dict(
        ...     keypoint_id2name={0: 'nose', 1: 'eye'}, flip_indices=[0, 1]))
        >>> labels_of(dict(meta=meta))
        {'keypoints': ['nose', 'eye'], 'flip_indices': [0, 1]}
    """
    said = meta_of(content or {}).get('dataset_meta')
    said = said if isinstance(said, dict) else {}
    found = {}
    points = said.get('keypoint_id2name')
    if isinstance(points, dict):
        found['keypoints'] = [str(points[key]) for key in sorted(points)]
    for key in KEPT:
        value = said.get(key)
        if isinstance(value, (list, tuple)):
            found[key] = _plain(value)
    return found


def _plain(value: Any):
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, int) else str(value)
