import os.path as osp
from typing import Optional

import numpy as np
from mmdet.datasets.transforms import LoadAnnotations
from mmdet.registry import TRANSFORMS

from .label_files import check_size, read_maps
from .parts import NUM_PARTS, join_maps


@TRANSFORMS.register_module()
class LoadParsing(LoadAnnotations):
    """Loads boxes of persons and one map of all their parts.

    Required keys: ``instances`` (with ``human_id``), ``category_path``,
    ``human_path``, ``ori_shape`` of the loaded picture; optional
    ``num_parts``. Added: those of mmdet's ``LoadAnnotations`` for boxes,
    ``gt_human_ids`` (``(n, )`` int64) and ``gt_seg_map`` (``(H, W)`` int32,
    see :func:`join_maps`): one map a picture, however many persons, which
    transforms carry along as a semantic one. To follow the loading of the
    picture at once, before it is resized.

    Args:
        box_type (str): See mmdet. Defaults to 'hbox'.

    Raises:
        ValueError: While loading, naming the picture: if a map is none, holds
            a part that is none or differs from the picture in size; if the
            map shows other persons than the index, or beyond their boxes.
    """

    def __init__(self, box_type: Optional[str] = 'hbox') -> None:
        super().__init__(with_bbox=True, with_label=True, box_type=box_type)

    def transform(self, results: dict) -> dict:
        results = super().transform(results)
        number = results.get('num_parts', NUM_PARTS)
        path = results['human_path']
        parts, humans = read_maps(results['category_path'], path, number,
                                  results.get('parts_of', 'CIHP'))
        check_size(path, 'image', results['ori_shape'][:2], 'Human_ids',
                   humans.shape)
        joined = join_maps(parts, humans, number)
        ids = [person['human_id'] for person in results['instances']]
        _check_persons(results['instances'], joined, number, results)
        results['gt_human_ids'] = np.array(ids, dtype=np.int64)
        results['gt_seg_map'] = joined
        return results


def _check_persons(persons: list, joined: np.ndarray, num_parts: int,
                   results: dict) -> None:
    """Compare the index with the map: one of them may be of another day."""
    ids = [person['human_id'] for person in persons]
    counts = np.bincount(joined.ravel())
    counts[0] = 0  # shows nobody
    shown = set((np.flatnonzero(counts) // num_parts + 1).tolist())
    name = osp.splitext(osp.basename(results['human_path']))[0]
    rebuild = f'rebuild {results.get("size_file", "the index")}'
    for human in ids:
        if human not in shown:
            raise ValueError(f'person {human} of {name} has no pixel; '
                             f'{rebuild}')
    extra = sorted(shown - set(ids))
    if extra:
        raise ValueError(f'person {extra[0]} of {name} is not in the index; '
                         f'{rebuild}')
    for person in persons:
        outside = _pixels_outside(person, joined, counts, num_parts)
        if outside:
            raise ValueError(f'person {person["human_id"]} of {name} has '
                             f'{outside} pixels outside of its box in the '
                             f'index; {rebuild}')


def _pixels_outside(person: dict, joined: np.ndarray, counts: np.ndarray,
                    num_parts: int) -> int:
    x1, y1, x2, y2 = person['bbox']
    first = (person['human_id'] - 1) * num_parts
    here = joined[y1:y2, x1:x2]
    inside = (here > first) & (here < first + num_parts)
    return counts[first + 1:first + num_parts].sum() - inside.sum()
