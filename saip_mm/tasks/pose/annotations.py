"""What a person's annotation in COCO's format must hold."""
from numbers import Integral, Real
from typing import Any, Dict, Iterable, Optional

import numpy as np

# key of an annotation: landmarks in it, each x, y, v
BODY = dict(keypoints=17)
WHOLE_BODY = dict(
    keypoints=17,
    foot_kpts=6,
    face_kpts=68,
    lefthand_kpts=21,
    righthand_kpts=21)
# optional in COCO's own files, read without a question from whole-body ones
WHOLE_BODY_KEYS = ('num_keypoints', 'segmentation')


def check_annotation(annotation: dict, parts: Dict[str, int],
                     source: str) -> None:
    """Refuse landmarks that would be misread, or fail without a name.

    Args:
        annotation (dict): One of ``annotations``.
        parts (dict[str, int]): Landmarks by key: ``BODY``, ``WHOLE_BODY`` or
            ``dict(keypoints=...)`` of a data set's own.
        source (str): Its file, for the error.

    Raises:
        ValueError: If a part or a key is missing, has a wrong number of
            values or one that is no finite number, or a visibility is
            negative.
    """
    name = f'{source}: annotation {annotation.get("id")}'
    whole = 'foot_kpts' in parts
    wanted = (*parts, *WHOLE_BODY_KEYS) if whole else parts
    for key in wanted:
        if key not in annotation:
            file = ('coco_wholebody_*_v1.0.json'
                    if whole else 'person_keypoints_*2017.json')
            raise ValueError(f"{source} has no '{key}' in annotation "
                             f'{annotation.get("id")}: is it {file}?')
    for key, use in (('image_id', 'the id of its image'), ('category_id',
                                                           'that of person'),
                     ('bbox', '[x, y, width, height] in pixels')):
        if key not in annotation:
            raise ValueError(f"{name} has no '{key}': {use}")
    check_box(annotation['bbox'], name)
    for key, count in parts.items():
        _check_landmarks(annotation[key], key, count, name)
    _check_optional(annotation, name)


def check_annotations(annotations: Iterable[dict], parts: Dict[str, int],
                      source: str) -> None:
    """:func:`check_annotation` for each."""
    for annotation in annotations:
        check_annotation(annotation, parts, source)


def check_box(box: Any, name: str, at_most: Optional[int] = 4) -> None:
    """Refuse a box that is not four finite numbers.

    Args:
        box: Value of ``bbox``.
        name (str): Whose it is, for the error.
        at_most (int, optional): Numbers allowed. None: four or more.

    Raises:
        ValueError: If it is not.
    """
    values = numbers(box)
    if values is None or len(values) < 4 or len(values) > (at_most or 1e9):
        raise ValueError(f'{name} has a bbox of {box!r}: four numbers x, y, '
                         'width, height are needed')
    if not np.isfinite(values).all():
        raise ValueError(f'{name} has a bbox of {box}: x, y, width, height '
                         'must be finite')


def numbers(values: Any) -> Optional[np.ndarray]:
    """A flat list of numbers as float64 ``(N, )``; None if it is not one."""
    if not isinstance(values, (list, tuple)):
        return None
    try:
        array = np.asarray(values)
    except ValueError:  # ragged
        return None
    if array.ndim != 1 or array.dtype.kind not in 'iuf':
        return None
    return array.astype(np.float64)


def _check_landmarks(values: Any, key: str, count: int, name: str) -> None:
    array = numbers(values)
    found = len(values) if isinstance(values, (list, tuple)) else None
    if found is not None and found != 3 * count:
        whose = ("; the data set's metainfo names as many"
                 if key == 'keypoints' else '')
        raise ValueError(f"{name} has {found} numbers in '{key}', "
                         f'{3 * count} expected: {count} times x, y, v{whose}')
    if array is None:
        shown = str(values)
        raise ValueError(
            f"{name} has no flat list of numbers in '{key}': "
            f'{shown[:60]}{"..." if len(shown) > 60 else ""}; {count} times '
            'x, y, v are needed')
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has a value in '{key}' that is not "
                         'finite: mark what is not labelled by v = 0')
    if (array[2::3] < 0).any():
        raise ValueError(f"{name} has a negative visibility in '{key}': "
                         'v is 0 where nothing is labelled, else above')


def _check_optional(annotation: dict, name: str) -> None:
    count = annotation.get('num_keypoints', 0)
    if not isinstance(count, Integral) or count < 0:
        raise ValueError(f"{name} has {count!r} in 'num_keypoints': the "
                         'number of its labelled joints, or leave it out')
    if annotation.get('iscrowd', 0) not in (0, 1):
        raise ValueError(f"{name} has {annotation['iscrowd']!r} in 'iscrowd':"
                         ' 0 for a person, 1 for a crowd, or leave it out')
    area = annotation.get('area', 0)
    if not isinstance(area, Real) or not 0 <= area < np.inf:
        raise ValueError(f"{name} has {area!r} in 'area': the pixels of its "
                         'mask, or leave it out')
