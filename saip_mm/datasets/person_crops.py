"""Cut persons out of photographs with COCO-style annotations.

HP1M is "1 million high fidelity person images from 7 publicly available
datasets (COCO, AIC, etc)"; which ones, and how they were cut, is not
stated. What this makes is a comparable mixture, not HP1M.
"""
import json
import multiprocessing
import os
import os.path as osp
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import partial
from typing import List, Optional, Tuple

import cv2
import numpy as np
from mmengine.utils import track_iter_progress

from .image_selection import write_image_list
from .transforms import BrokenImageError, decode_image

HP1M_SIZE = 1_218_136  # Table 5 of the paper


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
        quality (int): Of the JPEGs. Defaults to 95.
    """
    enlarge: float = 1.1
    min_height: float = 96
    min_width: float = 48
    min_keypoints: int = 6
    keypoint_enlarge: float = 1.25
    quality: int = 95


def person_box(ann: dict, options: CropOptions) -> Optional[List[float]]:
    """Box of one annotation.

    Args:
        ann (dict): With ``bbox`` (x, y, w, h) or ``keypoints`` (x, y, v)*.
        options (CropOptions): See there.

    Returns:
        list[float], optional: ``x, y, w, h`` in pixels, or None.
    """
    box = ann.get('bbox')
    if box is not None and box[2] > 0 and box[3] > 0:
        return list(box)
    points = np.reshape(ann.get('keypoints', []), (-1, 3))
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
    if 'keypoints' in ann:
        labelled = sum(v > 0 for v in ann['keypoints'][2::3])
        if labelled < options.min_keypoints:
            return 'keypoints'
    if box[3] < options.min_height or box[2] < options.min_width:
        return 'small'
    return None


def read_persons(ann_file: str,
                 options: CropOptions) -> Tuple[dict, dict, Counter]:
    """Read the persons to cut out of a COCO-style file.

    Args:
        ann_file (str): JSON with ``images``, ``annotations`` and, unless
            everything is a person, ``categories`` with one named 'person'.
        options (CropOptions): See there.

    Returns:
        tuple[dict, dict, Counter]: File name of each image id, list of
        (annotation id, box) of each image id, and reasons of refusal.

    Raises:
        FileNotFoundError: If the file is missing.
        ValueError: If it is not COCO-style or names no persons.
    """
    if not osp.isfile(ann_file):
        raise FileNotFoundError(f"annotation file '{ann_file}' not found")
    with open(ann_file, encoding='utf-8') as file:
        content = json.load(file)
    if not isinstance(content, dict) or not {'images', 'annotations'
                                             } <= set(content):
        raise ValueError(f"'{ann_file}' is not COCO-style: it needs 'images' "
                         "and 'annotations'; convert it first")
    persons = _person_ids(content, ann_file)
    names = {image['id']: image['file_name'] for image in content['images']}
    boxes, refused = defaultdict(list), Counter()
    for i, ann in enumerate(content['annotations']):
        if persons and ann.get('category_id') not in persons:
            continue
        box = person_box(ann, options)
        reason = refusal(ann, box, options)
        if reason is None and ann['image_id'] not in names:
            reason = 'no image'
        if reason is None:
            boxes[ann['image_id']].append((ann.get('id', i), box))
        else:
            refused[reason] += 1
    return names, boxes, refused


def _person_ids(content: dict, ann_file: str) -> set:
    categories = content.get('categories') or []
    persons = {c['id'] for c in categories if c['name'].lower() == 'person'}
    if len(categories) > 1 and not persons:
        raise ValueError(f"'{ann_file}' has {len(categories)} categories, "
                         "none named 'person'")
    return persons


def _cut_image(image_root: str, out: str, options: CropOptions,
               work: tuple) -> Tuple[List[str], Optional[str]]:
    """Write all persons of one image; returns keys and what failed."""
    name, prefix, persons = work
    try:
        with open(osp.join(image_root, name), 'rb') as file:
            image = decode_image(file.read())
    except (BrokenImageError, OSError) as error:
        return [], f'{name}: {error}'
    image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    height, width = image.shape[:2]
    keys = []
    for ann_id, box in persons:
        x, y, w, h = scale_box(box, options.enlarge)
        x1, x2 = np.clip([round(x), round(x + w)], 0, width).tolist()
        y1, y2 = np.clip([round(y), round(y + h)], 0, height).tolist()
        if x2 <= x1 or y2 <= y1:
            continue
        key = f'{prefix}_{ann_id}.jpg'
        path = osp.join(out, key)
        os.makedirs(osp.dirname(path), exist_ok=True)
        cv2.imwrite(path, image[y1:y2, x1:x2],
                    [cv2.IMWRITE_JPEG_QUALITY, options.quality])
        keys.append(key)
    return keys, None


def crop_persons(ann_file: str,
                 image_root: str,
                 out: str,
                 name: str,
                 options: CropOptions = CropOptions(),
                 allow_eval_split: bool = False,
                 workers: int = 0) -> dict:
    """Cut the persons of one data set.

    Writes ``out/{name}/{image}_{annotation id}.jpg`` and the list
    ``out/{name}.txt`` with its side file. Persons of COCO's training set
    are also fine-tuning data of pose and whole-body landmarks; images that
    a downstream task tests on must not be used at all.

    Args:
        ann_file (str): See :func:`read_persons`.
        image_root (str): Folder the images' ``file_name`` is relative to.
        out (str): Folder to write.
        name (str): Short name of the data set, first part of all keys.
        options (CropOptions): Defaults to ``CropOptions()``.
        allow_eval_split (bool): Take a file whose name says 'val' or
            'test'. Defaults to False.
        workers (int): Processes; 0 works in this one. Defaults to 0.

    Returns:
        dict: ``persons`` (int, crops written), ``refused`` (counts by
        reason), ``broken`` (list[str]) and ``list`` (its path).

    Raises:
        FileNotFoundError: If the annotations or the images are missing.
        ValueError: If the file belongs to a test split, or no person is
            left.
    """
    stem = osp.basename(ann_file).lower()
    if not allow_eval_split and ('val' in stem or 'test' in stem):
        raise ValueError(
            f"'{ann_file}' looks like an evaluation split, which must not be "
            'pretrained on; pass --allow-eval-split if it is none')
    if not osp.isdir(image_root):
        raise FileNotFoundError(f"image folder '{image_root}' not found")
    names, boxes, refused = read_persons(ann_file, options)
    if not boxes:
        raise ValueError(f"'{ann_file}' holds no person to cut; left out: "
                         f'{dict(refused)}. Relax min_height, min_width or '
                         'min_keypoints?')
    work = [(names[i], f'{name}/{osp.splitext(names[i])[0]}', boxes[i])
            for i in sorted(boxes, key=names.get)]
    cut = partial(_cut_image, image_root, out, options)
    keys, broken = [], []
    pool = multiprocessing.Pool(workers) if workers else None
    try:
        done = pool.imap(cut, work, chunksize=8) if pool else map(cut, work)
        for new, failure in track_iter_progress((done, len(work))):
            keys += new
            broken += [failure] * (failure is not None)
    finally:
        if pool:
            pool.terminate()
    if not keys:
        raise ValueError(f"none of {len(work)} images in '{image_root}' can "
                         f'be read, the first being {broken[0]}')
    path = osp.join(out, f'{name}.txt')
    facts = dict(persons=len(keys), refused=dict(refused), broken=broken)
    write_image_list(
        path,
        sorted(keys),
        source=osp.abspath(ann_file),
        options=vars(options),
        **facts)
    return dict(facts, list=path)
