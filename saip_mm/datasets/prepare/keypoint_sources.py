"""Keypoints as others keep them, one picture after another."""
import math
import os.path as osp
from typing import Any, Dict, Iterable, Iterator, List, Optional, Set

import numpy as np

from ..array_pickle import read_array_file
from ..keypoint_file import SHAPE
from ..text_files import read_json

NAMED = 'keypoints'


def stem_of(key: str) -> str:
    """A key without its suffix: ``a/b.jpg`` -> ``a/b``."""
    return osp.splitext(key)[0]


def points_of_folder(folder: str,
                     keys: Iterable[str]) -> Iterator[Optional[np.ndarray]]:
    """One ``.npy`` a picture, as HAP's LUPerson-pose has it.

    A file has the picture's own name, in the same sub-folder or in none:
    ``a/b.jpg`` has ``a/b.npy`` or ``b.npy``. It holds ``(17, 3)`` numbers, or
    pickled objects in which the first dict with ``keypoints`` has them, which
    is read without running anything.

    Args:
        folder (str): The folder.
        keys (Iterable[str]): Keys of the pictures.

    Yields:
        np.ndarray or None: ``(17, 3)``, x, y in pixels and score; None where
        there is no file.

    Raises:
        NotADirectoryError: If there is no such folder.
        ValueError: If a file is damaged or holds something else, or one in no
            sub-folder may be of several pictures.
    """
    folder = osp.expanduser(folder)
    if not osp.isdir(folder):
        raise NotADirectoryError(f"keypoint folder '{folder}' not found: it "
                                 'has one .npy a picture')
    taken: Set[str] = set()
    for key in keys:
        stem = stem_of(key)
        name = osp.basename(stem)
        path = f'{folder}/{stem}.npy'
        if not osp.isfile(path):
            path = f'{folder}/{name}.npy'
            if not osp.isfile(path):
                yield None
                continue
            if name in taken:
                raise _ambiguous(path, key)
            taken.add(name)
        yield _first_person(path)


def _ambiguous(name: str, key: str) -> ValueError:
    return ValueError(
        f"'{name}' may be of '{key}' or of another picture of this name: name "
        'both by their folders, as the pictures are')


def _first_person(path: str) -> np.ndarray:
    content = read_array_file(path)
    found = content if isinstance(content, np.ndarray) else _search(content)
    try:
        points = np.array(found, np.float64)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.shape != SHAPE:
        raise ValueError(f"'{path}' holds no 17 keypoints of x, y and score, "
                         f'but {points.shape if points.size else "others"}')
    return points


def _search(node: Any) -> Any:
    """What the first dict with keypoints has of them."""
    if isinstance(node, dict):
        return node.get(NAMED)
    for item in node if isinstance(node, list) else ():
        found = _search(item)
        if found is not None:
            return found
    return None


def points_of_coco(results: str, images: Optional[str],
                   keys: Iterable[str]) -> Iterator[Optional[np.ndarray]]:
    """COCO's form of results: of each picture the person of most score.

    Args:
        results (str): JSON, a list of ``image_id``, ``keypoints`` (51 numbers)
            and ``score``; an annotation file with such ``annotations`` and
            with ``images`` serves as well.
        images (str, optional): JSON with ``images``, which tell the name of
            each id. Defaults to None: those of ``results``, or ids are names.
        keys (Iterable[str]): Keys of the pictures: such a name, or one that
            ends in it.

    Yields:
        np.ndarray or None: As :func:`points_of_folder`.

    Raises:
        OSError, ValueError: If a file is missing or of another form, ids are
            numbers and nothing names them, or a name may be of several
            pictures.
    """
    content = read_json(osp.expanduser(results))
    named = content if images is None else read_json(osp.expanduser(images))
    entries = content
    if isinstance(content, dict):
        entries = content.get('annotations')
    if not isinstance(entries, list):
        raise ValueError(f"'{results}' is no list of results, nor has it "
                         "'annotations'")
    best = _best_of(entries, _names_of(named, images or results), results)
    longer: Dict[str, List[str]] = {}
    for name in best:
        for end in _ends(name):
            longer.setdefault(end, []).append(name)
    taken: Set[str] = set()
    for key in keys:
        name = next((end for end in (key, *_ends(key)) if end in best), None)
        if name is None and key in longer:
            name = longer[key][0]
            if len(longer[key]) > 1:
                raise _ambiguous(key, name)
        if name is None:
            yield None
            continue
        if name in taken:
            raise _ambiguous(name, key)
        taken.add(name)
        yield best[name][1]


def _ends(name: str) -> Iterator[str]:
    """Of ``a/b/c`` what follows each slash: ``b/c``, ``c``."""
    while '/' in name:
        name = name.partition('/')[2]
        yield name


def _names_of(content: Any, path: str) -> Optional[Dict[Any, str]]:
    """File names by image id, None where there are none."""
    if not isinstance(content, dict):
        return None
    images = content.get('images')
    try:
        return {entry['id']: entry['file_name'] for entry in images}
    except (TypeError, KeyError) as error:
        raise ValueError(
            f"'{path}' does not name its images: wanted is 'images' with "
            f"'id' and 'file_name' each ({error!r})") from error


def _best_of(entries: List[Any], names: Optional[Dict[Any, str]],
             path: str) -> Dict[str, tuple]:
    """Score and points by file name."""
    best: Dict[str, tuple] = {}
    for number, entry in enumerate(entries):
        try:
            image = entry['image_id']
            points = np.array(entry[NAMED], np.float64).reshape(SHAPE)
            score = float(entry.get('score', entry.get('area', 0.)))
            if math.isnan(score):  # above none, and none above it
                raise ValueError('its score is NaN')
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError(
                f"'{path}': entry {number} is no result of 17 keypoints: it "
                f"needs 'image_id' and 'keypoints', 51 numbers ({error!r})"
            ) from error
        numbered = names is not None and isinstance(image, (int, str))
        name = names.get(image) if numbered else image
        if not isinstance(name, str):
            raise ValueError(
                f"'{path}': nothing says which picture {image!r} of entry "
                f'{number} is: give --images, the JSON with images, id and '
                'file_name')
        if name not in best or score > best[name][0]:
            best[name] = score, points
    return best
