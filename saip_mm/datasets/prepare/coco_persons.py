"""Persons of COCO-style annotation files, checked entry by entry."""
import math
import os.path as osp
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from ..text_files import read_json
from ..transforms.picture_header import Size


@dataclass(frozen=True)
class CropOptions:
    """Which persons to cut, and how.

    Args:
        enlarge (float): Factor on the box's width and height, about its
            centre; the image's border limits it. Defaults to 1.1.
        min_height (float): Of the box before enlarging, in pixels.
            Defaults to 96.
        min_width (float): Defaults to 48.
        min_keypoints (int): Labelled keypoints (v > 0) a person must have;
            sets without keypoints are not asked. Defaults to 6.
        keypoint_enlarge (float): Where a person has no box, the extent of
            its keypoints times this is taken. Defaults to 1.25.
        quality (int): Of the JPEGs, 1 to 100. Defaults to 95.

    Raises:
        ValueError: If a factor is not positive, or quality out of range.
    """
    enlarge: float = 1.1
    min_height: float = 96
    min_width: float = 48
    min_keypoints: int = 6
    keypoint_enlarge: float = 1.25
    quality: int = 95

    def __post_init__(self) -> None:
        for name in ('enlarge', 'keypoint_enlarge'):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise ValueError(f'{name} must be above 0, got {value}')
        if not 1 <= self.quality <= 100:
            raise ValueError(f'quality must be 1 to 100, got {self.quality}')


class Photo(NamedTuple):
    """A picture of an annotation file.

    Attributes:
        file_name (str): As the file has it.
        size (tuple[int, int], optional): Height and width in pixels; None
            where the file does not tell.
    """
    file_name: str
    size: Optional[Size]


def person_box(ann: dict, options: CropOptions) -> Optional[List[float]]:
    """Box of one annotation.

    Args:
        ann (dict): With ``bbox`` (x, y, w, h) or ``keypoints`` (x, y, v)*.
        options (CropOptions): See there.

    Returns:
        list[float], optional: ``x, y, w, h`` in pixels, or None.
    """
    box = ann.get('bbox')
    if box and box[2] > 0 and box[3] > 0:
        return list(box)
    points = np.reshape(ann.get('keypoints') or [], (-1, 3))
    points = points[points[:, 2] > 0, :2]
    if len(points) < 2:
        return None
    low, high = points.min(0), points.max(0)
    return scale_box([*low, *(high - low)], options.keypoint_enlarge)


def scale_box(box: List[float], factor: float) -> List[float]:
    """Scale ``x, y, w, h`` about its centre.

    Example:
        >>> scale_box([10, 10, 20, 40], 1.5)
        [5.0, 0.0, 30.0, 60.0]
    """
    x, y, w, h = (float(v) for v in box)
    return [
        x - (factor - 1) * w / 2, y - (factor - 1) * h / 2, factor * w,
        factor * h
    ]


def refusal(ann: dict, box: Optional[List[float]],
            options: CropOptions) -> Optional[str]:
    """Say why a person is left out: 'crowd', 'box', 'keypoints', 'small'."""
    if ann.get('iscrowd', 0) or ann.get('ignore', 0):
        return 'crowd'
    if box is None:
        return 'box'
    if ann.get('keypoints') is not None:
        labelled = sum(v > 0 for v in ann['keypoints'][2::3])
        if labelled < options.min_keypoints:
            return 'keypoints'
    if box[3] < options.min_height or box[2] < options.min_width:
        return 'small'
    return None


def read_persons(
    ann_file: str, options: CropOptions
) -> Tuple[Dict[Any, Photo], Dict[Any, List[tuple]], Counter]:
    """Read the persons to cut out of a COCO-style file.

    Args:
        ann_file (str): JSON with ``images``, ``annotations`` and, unless
            everything is a person, ``categories`` with one named 'person'.
        options (CropOptions): See there.

    Returns:
        tuple[dict, dict, Counter]: Picture of each image id, list of
        (annotation id, box) of each image id, and reasons of refusal.

    Raises:
        FileNotFoundError: If the file is missing.
        ValueError: If it is not COCO-style, names no persons, or an entry
            lacks something or holds what cannot be meant; says which.
    """
    ann_file = osp.expanduser(ann_file)
    if not osp.isfile(ann_file):
        raise FileNotFoundError(f"annotation file '{ann_file}' not found")
    content = read_json(ann_file)
    if not isinstance(content, dict) or not all(
            isinstance(content.get(key), list)
            for key in ('images', 'annotations')):
        raise ValueError(f"'{ann_file}' is not COCO-style: it needs the lists "
                         "'images' and 'annotations'; convert it first")
    persons = _person_ids(content, ann_file)
    photos = _photos(content['images'], ann_file)
    boxes, refused = defaultdict(list), Counter()
    for i, ann in enumerate(content['annotations']):
        where = _where(ann_file, 'annotation', i, ann)
        if persons and _id_of(ann, 'category_id', where) not in persons:
            continue
        image = _id_of(ann, 'image_id', where)
        number = _id_of(ann, 'id', where) if 'id' in ann else i
        ann = _checked(ann, where)
        box = person_box(ann, options)
        reason = refusal(ann, box, options)
        if reason is None and image not in photos:
            reason = 'no image'
        if reason is None:
            boxes[image].append((number, box))
        else:
            refused[reason] += 1
    return photos, boxes, refused


def _where(ann_file: str, what: str, number: int, entry: Any) -> str:
    """Name an entry by its place, and by its id where it has one."""
    where = f"'{ann_file}': {what} {number}"
    if not isinstance(entry, dict):
        raise ValueError(f'{where} is {_short(entry)}, a JSON object is '
                         'expected')
    return f"{where} (id {_short(entry['id'])})" if 'id' in entry else where


def _id_of(entry: dict, key: str, where: str) -> Any:
    if key not in entry:
        raise ValueError(f"{where} has no '{key}'")
    value = entry[key]
    if not isinstance(value, (int, float, str)):
        raise ValueError(f'{where} has {key} {_short(value)}; a number or a '
                         'string is expected')
    return value


def _person_ids(content: dict, ann_file: str) -> set:
    categories = content.get('categories') or []
    if not isinstance(categories, list):
        raise ValueError(f"'{ann_file}': categories is "
                         f'{_short(categories)}, a list is expected')
    persons = set()
    for i, category in enumerate(categories):
        where = _where(ann_file, 'category', i, category)
        number = _id_of(category, 'id', where)
        if str(_id_of(category, 'name', where)).lower() == 'person':
            persons.add(number)
    if len(categories) > 1 and not persons:
        raise ValueError(f"'{ann_file}' has {len(categories)} categories, "
                         "none named 'person'")
    return persons


def _photos(images: list, ann_file: str) -> Dict[Any, Photo]:
    photos: Dict[Any, Photo] = {}
    for i, image in enumerate(images):
        where = _where(ann_file, 'image', i, image)
        number, name = (_id_of(image, k, where) for k in ('id', 'file_name'))
        if not isinstance(name, str) or not name:
            raise ValueError(f'{where} has file_name {_short(name)}; the name '
                             'of a file is expected')
        photo = Photo(name, _size(image, where))
        if photos.setdefault(number, photo) != photo:
            raise ValueError(
                f"{where} has the id of another image, '"
                f"{photos[number].file_name}': boxes cannot be told apart. "
                'Give each image an id of its own')
    return photos


def _size(image: dict, where: str) -> Optional[Size]:
    sides = [image.get('height'), image.get('width')]
    if sides == [None, None]:
        return None
    if not all(_is_number(v) and v >= 1 and v == int(v) for v in sides):
        raise ValueError(f'{where} has height {_short(sides[0])} and width '
                         f'{_short(sides[1])}; whole pixels are expected, or '
                         'neither')
    return int(sides[0]), int(sides[1])


def _checked(ann: dict, where: str) -> dict:
    """An annotation whose values are what they should be."""
    box, points = ann.get('bbox') or None, ann.get('keypoints')
    if box is not None and not (_are_numbers(box) and len(box) == 4):
        raise ValueError(f'{where} has bbox {_short(box)}; four numbers x, y, '
                         'width, height are expected, or null')
    if points is not None and not (_are_numbers(points)
                                   and len(points) % 3 == 0):
        raise ValueError(f'{where} has keypoints {_short(points)}; numbers x, '
                         'y, v of each are expected, or null')
    flags = {k: _flag(ann, k, where) for k in ('iscrowd', 'ignore')}
    return dict(ann, bbox=box, keypoints=points, **flags)


def _flag(ann: dict, key: str, where: str) -> bool:
    value = ann.get(key)
    if value in (None, 0, '0', ''):
        return False
    if value in (1, '1'):
        return True
    raise ValueError(f'{where} has {key} {_short(value)}; 0 or 1 is expected')


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def _are_numbers(values: Any) -> bool:
    return isinstance(values, list) and all(map(_is_number, values))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + '...'
