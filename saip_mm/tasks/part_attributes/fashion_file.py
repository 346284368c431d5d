"""Fashionpedia's annotation files: read, checked, attributes by index."""
from collections import Counter
from typing import Dict, List, NamedTuple

from saip_mm.datasets.fashion_taxonomy import (ATTRIBUTE_IDS, CATEGORIES,
                                               WITH_ATTRIBUTES,
                                               attribute_index, describe_ids)
from ..detection.coco_file import load_coco, parse_coco
from .outlines import check_outline, shows_nothing

KEPT = ('segmentation', 'attribute_ids', 'file_id')
PUBLISHED = 'instances_attributes_*.json'


class FashionFile(NamedTuple):
    """Garments and garment parts of a file's pictures.

    Attributes:
        images (list[dict]): In file order, as the file has them.
        annotations (list[dict]): ``id`` from 1 on, ``image_id``,
            ``category_id`` 0 to 45, ``bbox`` x, y, w, h, ``area``,
            ``iscrowd``, ``segmentation`` (polygons or run lengths),
            ``attribute_ids`` as in the file, ``attributes`` (sorted places of
            these among the 294), ``file_id`` (the file's own ``id``, for
            errors), ``empty`` (whether the outline shows nothing).
        categories (list[str]): The file's names, by id.
        attributes (list[str]): The same of attributes, by place.
        notes (list[str]): What was put right or is odd, and how often.
    """
    images: List[dict]
    annotations: List[dict]
    categories: List[str]
    attributes: List[str]
    notes: List[str]


def read_fashion(path: str) -> FashionFile:
    """Read a file of Fashionpedia, or in its format.

    As ``read_coco`` does, but that boxes without area stay: the benchmark
    counts them, and pipelines of training drop them.

    Args:
        path (str): ``instances_attributes_train2020.json`` say.

    Returns:
        FashionFile: Garments and parts.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is none of COCO's; is of another taxonomy, as an
            early sample is; if an annotation has no attributes (which may be
            an empty list), no outline or a malformed one, or names an unknown
            attribute.
    """
    content = load_coco(path)
    _check_taxonomy(content, path)
    other = Counter()
    for annotation in content['annotations']:
        annotation['file_id'] = annotation.get('id')
        where = f'{path}: annotation {annotation["file_id"]}'
        _check_attributes(annotation, where)
        _check_outline(annotation, where)
        if annotation['attribute_ids'] and annotation.get(
                'category_id') not in WITH_ATTRIBUTES:
            other[annotation.get('category_id')] += 1
            other.setdefault('first', annotation.get('id'))
    names = _names(content['categories'])
    boxes = parse_coco(content, path, names, keep=KEPT, drop_flat=False)
    sizes = {one['id']: (one['height'], one['width']) for one in boxes.images}
    empty = []
    for annotation in boxes.annotations:
        outline = annotation['segmentation']
        try:
            check_outline(outline, *sizes[annotation['image_id']])
        except ValueError as error:
            raise ValueError(f'{path}: annotation {annotation["file_id"]}: '
                             f'{error}') from error
        annotation['empty'] = shows_nothing(outline)
        if annotation['empty']:
            empty.append(annotation['file_id'])
        annotation['attributes'] = sorted(
            {attribute_index(i)
             for i in annotation['attribute_ids']})
    return FashionFile(boxes.images, boxes.annotations, names,
                       _names(content['attributes']),
                       boxes.notes + _notes(path, other, empty))


def _names(terms: List[dict]) -> List[str]:
    return [term['name'] for term in sorted(terms, key=lambda t: t['id'])]


def _check_taxonomy(content: Dict[str, list], path: str) -> None:
    """Refuse other categories or attributes than those of the release."""
    if 'attributes' not in content:
        raise ValueError(f"{path} has no 'attributes': use {PUBLISHED}, "
                         'whose annotations name them (instances_*.json have '
                         'outlines alone)')
    wanted = dict(
        categories=[term.id for term in CATEGORIES],
        attributes=ATTRIBUTE_IDS.tolist())
    for key, ids in wanted.items():
        terms = content[key]
        if not isinstance(terms, list) or not all(
                isinstance(t, dict) and isinstance(t.get('id'), int)
                and isinstance(t.get('name'), str) for t in terms):
            raise ValueError(f"{path}: '{key}' is no list of objects with id "
                             'and name')
        found = [term['id'] for term in terms]
        if sorted(found) != ids:
            raise ValueError(
                f'{path} has {len(found)} {key} (ids {describe_ids(found)}); '
                f'the final taxonomy has {len(ids)} with ids '
                f'{describe_ids(ids)}')


def _check_attributes(annotation: dict, where: str) -> None:
    ids = annotation.get('attribute_ids')
    if ids is None:
        raise ValueError(f"{where} has no 'attribute_ids'; use {PUBLISHED}")
    if not isinstance(ids, list) or not all(
            isinstance(i, int) and not isinstance(i, bool) for i in ids):
        raise ValueError(f'{where}: attribute_ids is {ids!r}, expected a list '
                         'of ids')
    for value in ids:
        try:
            attribute_index(value)
        except (ValueError, OverflowError) as error:
            raise ValueError(f'{where}: {error}') from error


def _check_outline(annotation: dict, where: str) -> None:
    outline = annotation.get('segmentation')
    if isinstance(outline, dict):
        good = {'counts', 'size'} <= outline.keys()
    else:
        good = isinstance(outline, list) and len(outline) > 0
        good = good and all(isinstance(piece, list) for piece in outline)
    if not good:
        raise ValueError(f"{where} has no 'segmentation': polygons [[x1, y1, "
                         '...], ...], or run lengths dict(counts=..., '
                         f'size=...), are needed; use {PUBLISHED}')


def _notes(path: str, other: Counter, empty: list) -> List[str]:
    notes = []
    if empty:
        notes.append(
            f'{path}: {len(empty)} annotations (first {empty[0]}) have an '
            'outline without a pixel, or of fewer than three corners: nothing '
            'is learnt of them')
    first = other.pop('first', None)
    if other:
        notes.append(
            f'{path}: {sum(other.values())} annotations (first {first}) have '
            'attributes although their categories have none by definition '
            f'({describe_ids(other)}): kept')
    return notes
