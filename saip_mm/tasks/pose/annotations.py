"""What a person's annotation in COCO's format must hold."""
from typing import Dict, Iterable

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
        parts (dict[str, int]): ``BODY`` or ``WHOLE_BODY``.
        source (str): Its file, for the error.

    Raises:
        ValueError: If a part is missing or has a wrong number of values, a
            coordinate or the box is not finite, or a visibility is negative.
    """
    name = f'{source}: annotation {annotation.get("id")}'
    wanted = (*parts, *WHOLE_BODY_KEYS) if parts is WHOLE_BODY else parts
    for key in wanted:
        if key not in annotation:
            file = ('coco_wholebody_*_v1.0.json'
                    if parts is WHOLE_BODY else 'person_keypoints_*2017.json')
            raise ValueError(f"{source} has no '{key}' in annotation "
                             f'{annotation.get("id")}: is it {file}?')
    box = annotation.get('bbox')
    if box is not None and not np.isfinite(box).all():
        raise ValueError(f'{name} has a bbox of {box}: x, y, width, height '
                         'must be finite')
    for key, count in parts.items():
        values = annotation[key]
        if len(values) != 3 * count:
            raise ValueError(f"{name} has {len(values)} numbers in '{key}', "
                             f'{3 * count} expected: {count} times x, y, v')
        values = np.asarray(values, dtype=np.float64)
        if not np.isfinite(values).all():
            raise ValueError(f"{name} has a value in '{key}' that is not "
                             'finite: mark what is not labelled by v = 0')
        if (values[2::3] < 0).any():
            raise ValueError(f"{name} has a negative visibility in '{key}': "
                             'v is 0 where nothing is labelled, else above')


def check_annotations(annotations: Iterable[dict], parts: Dict[str, int],
                      source: str) -> None:
    """:func:`check_annotation` for each."""
    for annotation in annotations:
        check_annotation(annotation, parts, source)
