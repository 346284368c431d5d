"""Cut persons out of photographs with COCO-style annotations.

HP1M is "1 million high fidelity person images from 7 publicly available
datasets (COCO, AIC, etc)"; which ones, and how they were cut, is not
stated. What this makes is a comparable mixture, not HP1M.
"""
import multiprocessing
import os
import os.path as osp
import re
from collections import Counter
from functools import partial
from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

import cv2
import numpy as np
from mmengine.utils import track_iter_progress

from ...weights import write_file
from ...weights.atomic import remove_leftovers
from ..sources import FolderSource
from ..transforms import BrokenImageError, decode_as_labelled
from .coco_persons import (CropOptions, Photo, person_box, read_persons,
                           refusal, scale_box)
from .image_selection import canonical_key, write_image_list
from .output import check_folder, check_writable

HP1M_SIZE = 1_218_136  # Table 5 of the paper
MAX_NAME = 200  # bytes of a part of a path: 255 in all with what is added
_CONTROL = re.compile(r'[\x00-\x1f\x7f]')

__all__ = [
    'CropOptions', 'HP1M_SIZE', 'crop_persons', 'person_box', 'read_persons',
    'refusal', 'scale_box'
]


class _Work(NamedTuple):
    """A photograph, and the key and box of each person to cut out of it."""
    photo: Photo
    persons: List[Tuple[str, List[float]]]


def safe_path(name: str, what: str) -> str:
    """A relative path that stays below the folder it is joined to.

    Args:
        name (str): As some file gives it; ``\\`` separates as well.
        what (str): What has this name, for the error.

    Returns:
        str: With ``/``, composed (NFC), without empty parts.

    Raises:
        ValueError: If it is absolute, has a drive letter, leads upwards, is
            too long, or holds control characters.

    Example:
        >>> safe_path('.\\\\a//b.jpg', 'image 1')
        'a/b.jpg'
    """
    path = canonical_key(name)
    parts = [part for part in path.split('/') if part not in ('', '.')]
    if (path.startswith('/') or re.match('[A-Za-z]:', path) or '..' in parts
            or not parts):
        raise ValueError(f'{what} has the name {name!r}, which leads out of '
                         'its folder: make it relative to that folder, '
                         "without '..'")
    if _CONTROL.search(path):
        raise ValueError(f'{what} has the name {name!r}, which holds control '
                         'characters: rename it')
    longest = max(len(p.encode('utf-8', 'surrogatepass')) for p in parts)
    if longest > MAX_NAME:
        raise ValueError(f'{what} has a name of {longest} bytes, {MAX_NAME} '
                         f'are taken: {name[:60]!r}...; rename it')
    return '/'.join(parts)


def _plan(photos: Dict, boxes: Dict, name: str,
          ann_file: str) -> Tuple[List[_Work], int]:
    """Give each person a key of its own.

    Returns:
        tuple[list, int]: Work, in the order of file names, and how many
        keys were changed because ids repeat.
    """
    work, used, renamed = [], set(), 0
    for image in sorted(boxes, key=lambda i: (photos[i].file_name, str(i))):
        what = f"'{ann_file}': image {image!r}"
        stem = osp.splitext(safe_path(photos[image].file_name, what))[0]
        persons = []
        for number, box in boxes[image]:
            what = f"'{ann_file}': annotation {number!r}"
            part = safe_path(str(number), what)
            if '/' in part:
                raise ValueError(f'{what} has an id with a slash, which names '
                                 'no file')
            key, again = f'{name}/{stem}_{part}.jpg', 1
            # Some disks do not tell cases apart.
            while key.lower() in used:
                again += 1
                key = f'{name}/{stem}_{part}-{again}.jpg'
            renamed += again > 1
            used.add(key.lower())
            persons.append((key, box))
        work.append(_Work(photos[image], persons))
    return work, renamed


def _check_links(out: str, keys: Iterable[str]) -> None:
    """Refuse folders below ``out`` that are links to somewhere else."""
    root = osp.realpath(out)
    for folder in sorted({osp.dirname(key) for key in keys}):
        real = osp.realpath(osp.join(root, folder))
        if osp.commonpath([real, root]) != root:
            raise ValueError(f"'{osp.join(out, folder)}' leads to '{real}', "
                             f"out of '{out}', by a link: remove the link, or "
                             'write to that folder')


def _cut_image(source: FolderSource, out: str, options: CropOptions,
               work: _Work) -> Tuple[List[str], int, Optional[str]]:
    """Write all persons of one image; keys, how many outside, what failed."""
    name = work.photo.file_name
    try:
        try:
            data = source.read(name)
        except FileNotFoundError:
            data = source.read(canonical_key(name))
        image = decode_as_labelled(data, work.photo.size, name)
    except (BrokenImageError, ValueError) as error:
        return [], 0, str(error)
    except OSError as error:
        return [], 0, f'{name}: {error}'
    height, width = image.shape[:2]
    keys, outside = [], 0
    for key, box in work.persons:
        x, y, w, h = scale_box(box, options.enlarge)
        x1, x2 = (round(v) for v in np.clip([x, x + w], 0, width).tolist())
        y1, y2 = (round(v) for v in np.clip([y, y + h], 0, height).tolist())
        if x2 <= x1 or y2 <= y1:
            outside += 1
            continue
        crop = image[y1:y2, x1:x2]
        try:
            data = _encode(crop, options.quality)
        except (cv2.error, ValueError) as error:
            return keys, outside, (f'{name}: its crop of {crop.shape[0]}x'
                                   f'{crop.shape[1]} pixels cannot be encoded '
                                   f'({error})')
        write_file(osp.join(out, key), data, sync=False)
        keys.append(key)
    return keys, outside, None


def _encode(image: np.ndarray, quality: int) -> bytes:
    done, data = cv2.imencode('.jpg', image,
                              [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError('no JPEG')
    return data.tobytes()


def crop_persons(ann_file: str,
                 image_root: str,
                 out: str,
                 name: str,
                 options: CropOptions = CropOptions(),
                 allow_eval_split: bool = False,
                 workers: int = 0) -> dict:
    """Cut the persons of one data set.

    Writes ``out/{name}/{image}_{annotation id}.jpg`` and the list
    ``out/{name}.txt`` with its side file; nothing is written elsewhere,
    whatever names the annotations hold. Persons of COCO's training set are
    also fine-tuning data of pose and whole-body landmarks; images that a
    downstream task tests on must not be used at all.

    Pictures are turned as their labels are, see :func:`decode_as_labelled`;
    those of another size than the annotations say are left out and named in
    ``broken``. An annotation id that repeats gets ``-2``, ``-3``, ... .

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
        reason), ``broken`` (list[str]), ``renamed`` (int, keys changed
        because ids repeat) and ``list`` (its path).

    Raises:
        FileNotFoundError: If the annotations or the images are missing.
        OSError: If a crop or the list cannot be written; crops written until
            then stay.
        ValueError: If the file belongs to a test split, has an entry that
            cannot be meant, or no person is left.
    """
    ann_file, image_root, out = map(osp.expanduser,
                                    (ann_file, image_root, out))
    stem = osp.basename(ann_file).lower()
    if not allow_eval_split and ('val' in stem or 'test' in stem):
        raise ValueError(
            f"'{ann_file}' looks like an evaluation split, which must not be "
            'pretrained on; pass --allow-eval-split if it is none')
    if '/' in safe_path(name, 'the data set'):
        raise ValueError(f"the data set's name {name!r} is to be one word, "
                         'without slashes')
    if not osp.isdir(image_root):
        raise FileNotFoundError(f"image folder '{image_root}' not found")
    photos, boxes, refused = read_persons(ann_file, options)
    if not boxes:
        raise ValueError(f"'{ann_file}' holds no person to cut; left out: "
                         f'{dict(refused)}. Relax min_height, min_width or '
                         'min_keypoints?')
    work, renamed = _plan(photos, boxes, name, ann_file)
    path = osp.join(out, f'{name}.txt')
    check_writable(path)
    check_folder(osp.join(out, name))
    _check_links(out, (key for w in work for key, _ in w.persons))
    for folder, _, _ in os.walk(osp.join(out, name)):  # of a killed run
        remove_leftovers(folder)
    keys, broken = _cut_all(work, image_root, out, options, workers, refused)
    facts = dict(
        persons=len(keys),
        refused=dict(refused),
        broken=broken,
        renamed=renamed)
    write_image_list(
        path,
        sorted(keys),
        source=osp.abspath(ann_file),
        options=vars(options),
        **facts)
    return dict(facts, list=path)


def _cut_all(work: List[_Work], image_root: str, out: str,
             options: CropOptions, workers: int,
             refused: Counter) -> Tuple[List[str], List[str]]:
    """Cut in order; counts in ``refused`` boxes outside their image."""
    # Its keys are the annotations', so it need not look for images.
    cut = partial(_cut_image, FolderSource(image_root, ['']), out, options)
    keys, broken = [], []
    pool = multiprocessing.Pool(workers) if workers else None
    try:
        done = pool.imap(cut, work, chunksize=8) if pool else map(cut, work)
        for new, outside, failure in track_iter_progress((done, len(work))):
            keys += new
            broken += [failure] * (failure is not None)
            if outside:
                refused['outside'] += outside
    finally:
        if pool:
            pool.terminate()
    if not keys and broken:
        raise ValueError(f"none of {len(work)} images in '{image_root}' can "
                         f'be read, the first being {broken[0]}')
    if not keys:
        raise ValueError(f'no person is left; left out: {dict(refused)}')
    return keys, broken
