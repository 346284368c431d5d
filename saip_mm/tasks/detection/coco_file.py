"""Boxes in COCO's format: read, checked, and put in order once."""
import os.path as osp
from collections import Counter
from typing import Dict, List, NamedTuple, Sequence

from ...datasets.text_files import read_json
from .box_checks import has_area, is_box, is_number


class CocoBoxes(NamedTuple):
    """What is to be found in the pictures of a file.

    Attributes:
        images (list[dict]): In file order, as the file has them.
        annotations (list[dict]): ``id`` from 1 on, ``image_id``,
            ``category_id`` (the number of the class, from 0 on), ``bbox`` x,
            y, w, h, ``area``, ``iscrowd``; of the classes asked for.
        category_ids (list[int]): The file's own numbers of the classes.
        notes (list[str]): What was put right or left out, and how often.
    """
    images: List[dict]
    annotations: List[dict]
    category_ids: List[int]
    notes: List[str]


def read_coco(path: str, classes: Sequence[str]) -> CocoBoxes:
    """Read a file of boxes in COCO's format.

    Annotations are numbered anew, as their numbers are of no use for boxes
    and often repeat. One without ``area`` has that of its box; without
    ``iscrowd`` it is no crowd; marked by ``ignore`` it is one, a region in
    which nothing is learnt and nothing is false. Boxes of other categories,
    and those without area in their picture, are left out.

    Args:
        path (str): JSON file with ``images`` (``id``, ``file_name``,
            ``height``, ``width``), ``annotations`` (``image_id``,
            ``category_id``, ``bbox``) and ``categories`` (``id``, ``name``).
        classes (Sequence[str]): Names of categories to be found.

    Returns:
        CocoBoxes: The boxes.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is none of COCO's, something in it is missing,
            stands twice or cannot be read, or a class is no category of it.
    """
    return parse_coco(load_coco(path), path, classes)


def parse_coco(content: Dict[str, list],
               path: str,
               classes: Sequence[str],
               keep: Sequence[str] = (),
               drop_flat: bool = True) -> CocoBoxes:
    """Check what :func:`load_coco` gave; see :func:`read_coco`.

    Args:
        content (dict[str, list]): Of the file.
        path (str): The file, for errors.
        classes (Sequence[str]): Names of categories to be found.
        keep (Sequence[str]): What else of an annotation is handed on, if it
            has it: 'segmentation' say. Defaults to nothing.
        drop_flat (bool): Whether boxes without area in their picture are
            left out. Defaults to True.

    Returns:
        CocoBoxes: The boxes.

    Raises:
        ValueError: See :func:`read_coco`.
    """
    images = {}
    for index, image in enumerate(content['images']):
        where = f'{path}: images[{index}]'
        _check_image(image, where)
        if images.setdefault(image['id'], image) is not image:
            raise ValueError(f'{where}: id {image["id"]} stands twice')
    labels = _labels(content['categories'], classes, path)
    annotations, odd, other = [], Counter(), Counter()
    for index, ann in enumerate(content['annotations']):
        where = f'{path}: annotations[{index}]'
        _check_annotation(ann, where, images, labels)
        label, name = labels[ann['category_id']]
        if label < 0:
            other[name] += 1
            continue
        x, y, w, h = ann['bbox']
        image = images[ann['image_id']]
        if drop_flat and not has_area([x, y, x + w, y + h], image['height'],
                                      image['width']):
            odd['flat'] += 1
            continue
        area = ann.get('area')
        if not is_number(area) or area <= 0:
            odd['area'] += 1
            area = w * h
        crowd = int(bool(ann.get('iscrowd')) or bool(ann.get('ignore')))
        annotations.append(
            dict(
                id=len(annotations) + 1,  # 0 would be 'unmatched' to COCO
                image_id=ann['image_id'],
                category_id=label,
                bbox=[x, y, w, h],
                area=area,
                iscrowd=crowd,
                **{key: ann[key]
                   for key in keep if key in ann}))
    own = {label: key for key, (label, _) in labels.items()}
    return CocoBoxes(content['images'], annotations,
                     [own[label] for label in range(len(classes))],
                     _notes(path, odd, other))


def _notes(path: str, odd: Counter, other: Counter) -> List[str]:
    notes = []
    if odd['flat']:
        notes.append(f'{path}: {odd["flat"]} boxes have no area in their '
                     'picture (flat, negative or outside) and are left out')
    if odd['area']:
        notes.append(f'{path}: {odd["area"]} annotations have no area; that '
                     'of the box is taken')
    if other:
        counts = ', '.join(f'{name} {n}' for name, n in other.most_common(5))
        notes.append(f'{path}: {sum(other.values())} boxes of categories that '
                     f'the config does not name are left out ({counts})')
    return notes


def load_coco(path: str) -> Dict[str, list]:
    """Read a file whose parts are lists of objects.

    Args:
        path (str): JSON file.

    Returns:
        dict[str, list]: Its content, not looked into any further.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is none of COCO's.
    """
    content = read_json(path, 'set data_root and ann_file to a file of boxes')
    keys = ('images', 'annotations', 'categories')
    for key in keys:
        if not isinstance(content, dict) or key not in content:
            raise ValueError(f"{path} has no '{key}': COCO's format is an "
                             f'object of {", ".join(keys)}')
        if not isinstance(content[key], list) or not all(
                isinstance(item, dict) for item in content[key]):
            raise ValueError(f"{path}: '{key}' is no list of objects")
    return content


def _need(item: dict, keys: Sequence[str], where: str) -> None:
    for key in keys:
        if item.get(key) is None:
            raise ValueError(f"{where} has no '{key}'; each needs "
                             f'{", ".join(keys)}')


def _is_id(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_image(image: dict, where: str) -> None:
    _need(image, ('id', 'file_name', 'height', 'width'), where)
    name = image['file_name']
    if not _is_id(image['id']):
        raise ValueError(f'{where}: id is {image["id"]!r}, expected a whole '
                         'number: number the images, and name these numbers '
                         'as image_id')
    if not isinstance(name, str) or not name:
        raise ValueError(f'{where}: file_name is {name!r}, expected text')
    if osp.basename(name).startswith('._'):
        raise ValueError(f"{where}: {name} is a Mac's note on a file, no "
                         'picture: remove it from the list')
    for key in ('height', 'width'):
        if not _is_id(image[key]) or image[key] <= 0:
            raise ValueError(f'{where} ({name}): {key} is {image[key]!r}, '
                             'expected pixels')


def _check_annotation(ann: dict, where: str, images: dict,
                      labels: dict) -> None:
    _need(ann, ('image_id', 'category_id', 'bbox'), where)
    where = f'{where} of image {ann["image_id"]!r}'
    for key, known, place in (('image_id', images, 'images'),
                              ('category_id', labels, 'categories')):
        if not _is_id(ann[key]) or ann[key] not in known:
            raise ValueError(f'{where}: {key} is {ann[key]!r}, which none of '
                             f'the {place} has as its id')
    if not is_box(ann['bbox']):
        raise ValueError(f'{where}: bbox is {ann["bbox"]}, expected four '
                         'numbers x, y, width, height')
    for key in ('iscrowd', 'ignore'):
        value = ann.get(key)
        if not (value is None or is_number(value)):
            raise ValueError(
                f'{where}: {key} is {value!r}, expected the number 0 or 1')


def _labels(categories: List[dict], classes: Sequence[str],
            path: str) -> Dict[int, tuple]:
    """Number of the class (-1: not asked for) and name by category id."""
    names = {}
    for index, category in enumerate(categories):
        where = f'{path}: categories[{index}]'
        _need(category, ('id', 'name'), where)
        if not _is_id(category['id']) or category['id'] in names:
            raise ValueError(f'{where}: id {category["id"]!r} stands twice, '
                             'or is no whole number')
        names[category['id']] = category['name']
    for name in classes:
        number = list(names.values()).count(name)
        if number != 1:
            state = 'is no category of' if not number else 'stands twice in'
            raise ValueError(
                f"{path}: the config's class {name!r} {state} the file, whose "
                f'categories are {sorted(map(str, names.values()))}: set '
                "metainfo['classes']")
    return {
        key: (classes.index(name) if name in classes else -1, name)
        for key, name in names.items()
    }
