"""Files in COCO's format, read once for data set and metric alike."""
from collections import Counter
from numbers import Real
from typing import Any, Dict, List, Set, Tuple

import numpy as np
from mmengine.fileio import exists, get

from ...datasets.text_files import parse_json
from .annotations import check_annotation, numbers

IMAGE_KEYS = ('id', 'file_name', 'height', 'width')
LARGEST_ID = 2**63  # the evaluation counts in int64
# what COCO's evaluation takes for the mask where there is none (CrowdPose)
MASK_SHARE = 0.53  # of the box


def read_json(path: str, what: str) -> Any:
    """Read a JSON file in any of Unicode's encodings, named if it is none.

    Args:
        path (str): File, of any backend of mmengine.
        what (str): What it should be, for the error.

    Raises:
        AssertionError: If it does not exist.
        ValueError: If it is no JSON file.
    """
    assert exists(path), f'{what} {path} does not exist'
    return parse_json(get(path), path)


def read_images(path: str) -> dict:
    """Read pictures and categories of a file in COCO's format.

    Its annotations, if there are any, are left unread.

    Args:
        path (str): File.

    Returns:
        dict: Content; ``images`` once each, ``categories`` made of those
        used where there are none.

    Raises:
        AssertionError: If the file does not exist.
        ValueError: If it is not in COCO's format, or its ids do not tell
            pictures apart; names file, picture, value and remedy.
    """
    data = read_json(path, 'annotation file')
    if not isinstance(data, dict):
        raise ValueError(
            f'{path} holds a {type(data).__name__}, no object with images, '
            'annotations and categories (a list of detections is a bbox_file)')
    _check_images(data, path)
    _check_categories(data, path)
    return data


def read_persons(path: str,
                 parts: Dict[str, int],
                 annotated: bool = True) -> Tuple[dict, Dict[str, str]]:
    """Read and check a file of persons' keypoints.

    What a data set and a metric must understand alike is made so here:
    ``iscrowd``, ``num_keypoints`` and ``area`` are filled in where missing;
    annotations whose ids do not tell them apart are numbered anew; persons
    that no data set can cut out lose their landmarks, so that they are
    neither trained on nor asked for (the metric ignores who has none).

    Args:
        path (str): File.
        parts (dict[str, int]): As in :func:`check_annotation`.
        annotated (bool): Whether ``annotations`` are needed; else they may
            be missing, as in COCO's test files. Defaults to True.

    Returns:
        tuple[dict, dict[str, str]]: Content, and what was done to it, in
        words for the log: keys are ``'ids'``, ``'images'``, ``'unsaid'``,
        ``'persons'``, ``'area'``, of what was found only.

    Raises:
        AssertionError, ValueError: As :func:`read_images` and
            :func:`check_annotation`.
    """
    data, notes = read_images(path), {}
    annotations = _list_of(data, 'annotations', path, needed=annotated)
    for number, annotation in enumerate(annotations):
        named = annotation if 'id' in annotation else dict(
            annotation, id=f'number {number}')
        check_annotation(named, parts, path)
    _check_references(data, path, notes)
    _number(data['annotations'], notes)
    _fill(data, parts, notes)
    return data, notes


def read_detections(path: str, images: Dict[Any, dict], categories: Set[Any],
                    source: str) -> Tuple[List[dict], Dict[str, str]]:
    """Read and check boxes of persons that a detector found.

    Args:
        path (str): JSON list of ``bbox`` (x, y, width, height), ``score``,
            ``image_id`` and ``category_id``.
        images (dict): COCO's ``images`` by id.
        categories (set): Ids of what to keep.
        source (str): File of the images, for the error.

    Returns:
        tuple[list[dict], dict[str, str]]: Detections in their order, and
        what is left out, as in :func:`read_persons`.

    Raises:
        AssertionError: If the file does not exist.
        ValueError: If it is not such a list.
    """
    found = read_json(path, 'bbox file')
    if not isinstance(found, list) or not all(
            isinstance(one, dict) for one in found):
        raise ValueError(f'bbox file {path} is no list of objects, each with '
                         'bbox, category_id, image_id, score')
    kept, empty = [], 0
    for one in found:
        for key in ('bbox', 'category_id', 'image_id', 'score'):
            if key not in one:
                raise ValueError(
                    f"a detection in {path} has no '{key}'; each needs bbox, "
                    'category_id, image_id, score')
        if not _is_one_of(one['category_id'], categories):
            continue
        image = one['image_id']
        if not _is_one_of(image, images):
            raise ValueError(
                f'detection file {path} lists image {image!r}, which '
                f'{source} does not have (are both of the same pictures, '
                'val2017 say, and are ids numbers in both?)')
        name = f'a detection in {path} of image {image}'
        box = numbers(one['bbox'])
        if box is None or len(box) < 4:  # a fifth may be the score
            raise ValueError(f'{name} has a bbox of {one["bbox"]!r}: four '
                             'numbers x, y, width, height are needed')
        if not np.isfinite(box).all():
            raise ValueError(f'{name} has a bbox that is not finite: '
                             f'{one["bbox"]}')
        score = one['score']
        if not isinstance(score, Real) or not np.isfinite(score):
            raise ValueError(f'{name} has a score of {score!r}: a finite '
                             'number is needed')
        if is_inside(one['bbox'], images[image]):
            kept.append(one)
        else:
            empty += 1
    notes = {}
    if empty:
        notes['boxes'] = (f'{empty} of {len(found)} boxes lie outside of '
                          'their picture or have no size: left out')
    return kept, notes


def is_inside(box: List[float], image: dict) -> bool:
    """Whether a box has some area in its picture, as mmpose clips it."""
    x, y, w, h = box[:4]
    width, height = image['width'] - 1, image['height'] - 1
    return (min(max(x + w, 0), width) > min(max(x, 0), width)
            and min(max(y + h, 0), height) > min(max(y, 0), height))


def _list_of(data: dict, key: str, path: str, needed: bool) -> List[dict]:
    values = data.get(key)
    if values is None and not needed:
        values = data[key] = []
    if not isinstance(values, list) or not all(
            isinstance(value, dict) for value in values):
        state = 'has no' if key not in data else 'has no list of objects as'
        raise ValueError(f"{path} {state} '{key}': is it a file of keypoints "
                         "in COCO's format?")
    return values


def _check_images(data: dict, path: str) -> None:
    images = {}
    for image in _list_of(data, 'images', path, needed=True):
        for key in IMAGE_KEYS:
            if key not in image:
                raise ValueError(f"an image in {path} has no '{key}' (id "
                                 f'{image.get("id")!r}); each needs '
                                 f'{", ".join(IMAGE_KEYS)}')
        name, number = f'{path}: image {image["id"]!r}', image['id']
        if not isinstance(number,
                          (int, str)) and not (isinstance(number, float)
                                               and number.is_integer()):
            raise ValueError(f'{name}: an id is a whole number or a text')
        if not isinstance(image['file_name'], str) or not image['file_name']:
            raise ValueError(f'{name} has a file_name of '
                             f'{image["file_name"]!r}: a text is needed')
        for key in ('height', 'width'):
            if not isinstance(image[key], Real) or not image[key] >= 1:
                raise ValueError(f'{name} has a {key} of {image[key]!r}: its '
                                 'pixels, as labelled, are needed')
        if number in images:
            other = images[number]
            if any(image[key] != other[key] for key in IMAGE_KEYS):
                raise ValueError(
                    f'{name} is there twice, as {other["file_name"]} and as '
                    f'{image["file_name"]}: which one persons are on is not '
                    'told; give each picture its own id')
        images[number] = image
    kinds = {isinstance(number, str): number for number in images}
    if len(kinds) > 1:
        raise ValueError(f'{path} has image ids of two kinds, {kinds[False]!r}'
                         f' and {kinds[True]!r}: make all numbers or all '
                         'texts, in images and annotations')
    data['images'] = list(images.values())


def _check_categories(data: dict, path: str) -> None:
    if not _list_of(data, 'categories', path, needed=False):
        annotations = data.get('annotations')
        used = {
            repr(a['category_id']): a['category_id']
            for a in (annotations if isinstance(annotations, list) else ())
            if isinstance(a, dict) and 'category_id' in a
        }
        data['categories'] = [
            dict(id=number, name='person') for number in (used or {
                '1': 1
            }).values()
        ]
    for category in data['categories']:
        if not isinstance(category.get('id'), (int, str)):
            raise ValueError(f'{path} has a category of no id that is a '
                             f'number or a text: {category}')


def _check_references(data: dict, path: str, notes: Dict[str, str]) -> None:
    """Leave out persons of unknown pictures, name those of no category."""
    annotations = data['annotations']
    known = {category['id'] for category in data['categories']}
    images = {image['id'] for image in data['images']}
    kept = []
    for annotation in annotations:
        if not _is_one_of(annotation['category_id'], known):
            raise ValueError(
                f'{path}: annotation {annotation.get("id")} has a category_id '
                f"of {annotation['category_id']!r}, which 'categories' do not "
                f'list; they have {", ".join(map(repr, known))}')
        if _is_one_of(annotation['image_id'], images):
            kept.append(annotation)
    if annotations and not kept:
        first = next(iter(data['images']), {})
        raise ValueError(
            f"{path}: no annotation is of a picture that 'images' lists; the "
            f'first has an image_id of {annotations[0]["image_id"]!r}, the '
            f'first image an id of {first.get("id")!r}')
    if len(kept) < len(annotations):
        notes['images'] = (
            f'{len(annotations) - len(kept)} of {len(annotations)} '
            "annotations are of pictures that 'images' does not list: left "
            'out')
    data['annotations'] = kept


def _number(annotations: List[dict], notes: Dict[str, str]) -> None:
    """Give annotations ids that tell them apart, if theirs do not."""
    ids = [annotation.get('id') for annotation in annotations]
    counts = Counter(map(repr, ids))
    wrong = [
        i for i in ids if counts[repr(i)] > 1 or not isinstance(i, int)
        or not 0 <= i < LARGEST_ID
    ]
    if not wrong:
        return
    for number, annotation in enumerate(annotations, 1):
        annotation['id'] = number
    notes['ids'] = (
        f'{len(wrong)} of {len(ids)} annotation ids repeat or are no whole '
        f'numbers ({", ".join(sorted({repr(i) for i in wrong})[:3])}): '
        'annotations are numbered from 1 on')


def _fill(data: dict, parts: Dict[str, int], notes: Dict[str, str]) -> None:
    """What data set and metric would each make of a gap in their own way."""
    annotations, no_area, uncut, unsaid = data['annotations'], 0, [], 0
    images = {image['id']: image for image in data['images']}
    for annotation in annotations:
        annotation.setdefault('iscrowd', 0)
        labelled = sum(v > 0 for v in annotation['keypoints'][2::3])
        if annotation.setdefault('num_keypoints', labelled) == 0 and labelled:
            unsaid += 1
            _unlabel(annotation, ('keypoints', ))
        box = annotation['bbox']
        if not annotation['iscrowd'] and _is_labelled(
                annotation,
                parts) and (not is_inside(box, images[annotation['image_id']])
                            or _is_nowhere(annotation, parts)):
            uncut.append(annotation['id'])
            annotation['num_keypoints'] = 0
            _unlabel(annotation, parts)
        if not annotation.get('area'):
            no_area += 1
            annotation['area'] = max(MASK_SHARE * box[2] * box[3], 1.)
    if unsaid:
        notes['unsaid'] = (f'{unsaid} annotations with labelled joints have '
                           'num_keypoints 0: taken as not labelled')
    if uncut:
        some = ', '.join(map(str, uncut[:3])) + ', ...' * (len(uncut) > 3)
        notes['persons'] = (
            f'{len(uncut)} of {len(annotations)} annotations (ids {some}) '
            'have joints, and a box outside of the picture or of no positive '
            'width and height: left out, and ignored by the metric')
    if no_area:
        notes['area'] = (
            f"{no_area} of {len(annotations)} annotations have no 'area': "
            f'{MASK_SHARE} of the box is taken for the mask, as CrowdPose '
            'does')


def _is_labelled(annotation: dict, parts: Dict[str, int]) -> bool:
    return any(v > 0 for key in parts for v in annotation[key][2::3])


def _is_nowhere(annotation: dict, parts: Dict[str, int]) -> bool:
    """Whether mmpose would drop it: no coordinate is positive."""
    return all(x <= 0 for key in parts for start in (0, 1)
               for x in annotation[key][start::3])


def _unlabel(annotation: dict, parts) -> None:
    for key in parts:
        values = annotation[key]
        annotation[key] = [
            0 if place % 3 == 2 else value
            for place, value in enumerate(values)
        ]


def _is_one_of(value: Any, known) -> bool:
    try:
        return value in known
    except TypeError:  # a list or an object
        return False
