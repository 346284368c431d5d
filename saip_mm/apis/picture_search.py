"""Search a folder of pictures by a picture."""
import os.path as osp
from pathlib import Path
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple, Union

import cv2
import numpy as np
import torch
from mmengine.device import get_device
from mmengine.fileio import get

from ..datasets.picture_files import Pictures
from ..datasets.prepare.output import check_writable
from ..datasets.transforms import decode_image
from ..evaluation.retrieval import cosine_of
from ..visualization import Ranked, draw_rankings
from ..weights import write_file
from .array_file import map_arrays
from .encoders import Size, ready_encoder
from .features import Features, extract_features

CHUNK = 128  # queries compared at once


class Found(NamedTuple):
    """What a search answers to one picture.

    Attributes:
        query (str): Path of the picture that was searched by.
        paths (list[str]): Of the answers, the most similar first.
        cosines (list[float]): Of the answers, in [-1, 1].
    """
    query: str
    paths: List[str]
    cosines: List[float]


def search_pictures(model: Any,
                    gallery: Pictures,
                    query: Pictures,
                    top: int = 10,
                    size: Optional[Size] = None,
                    which: Optional[str] = None,
                    **kwargs) -> List[Found]:
    """Find the pictures that are most like a picture.

    By the cosine similarity of image tokens. A picture is no answer to
    itself, where the gallery holds its file.

    Args:
        model (str | Path | nn.Module): See :func:`extract_features`.
        gallery (str | Path | Sequence): Where to search: a folder, files, or
            an ``.npz`` file that :func:`extract_features` wrote of them with
            the same model.
        query (str | Path | Sequence): A picture, a folder or files.
        top (int): Answers to each. Defaults to 10.
        size (tuple[int, int], optional): See :func:`extract_features`.
            Defaults to None: that of the ``.npz`` file, or of the training.
        which (str, optional): See :func:`ready_encoder`.
        **kwargs: Of :func:`extract_features`.

    Returns:
        list[Found]: One a query.

    Raises:
        FileNotFoundError, OSError, ValueError: As
            :func:`extract_features`; if the ``.npz`` file has no image
            tokens, or those of another width.
    """
    if top < 1:
        raise ValueError(f'top must be at least 1, got {top}')
    if str(gallery).endswith('.npz'):
        there = _read_gallery(str(gallery))
        size = size or there.size
    else:
        there = None
    ready = ready_encoder(model, which)
    if kwargs.get('device') is None and isinstance(model, (str, Path)):
        kwargs['device'] = get_device()
    if there is None:
        there = extract_features(ready, gallery, size=size, **kwargs)
    asked = extract_features(ready, query, size=there.size, **kwargs)
    widths = [f.arrays['image'].shape[1] for f in (asked, there)]
    if widths[0] != widths[1]:
        raise ValueError(f"'{gallery}' holds features {widths[1]} wide, the "
                         f'model gives {widths[0]}: it was made by another '
                         'one, make it again')
    return _nearest(asked, there, top)


def draw_found(found: Sequence[Found],
               out: Union[str, Path],
               num: int = 8) -> Tuple[int, int]:
    """Draw queries with their answers, and save the picture.

    Args:
        found (Sequence[Found]): Of :func:`search_pictures`.
        out (str | Path): PNG file to write.
        num (int): Rows at most, the first queries. Defaults to 8.

    Returns:
        tuple[int, int]: Height and width of the picture.

    Raises:
        ValueError: If the name of the file is that of no picture.
    """
    check_picture_name(out)
    rows = [
        Ranked(
            _read(row.query), list(map(_read,
                                       row.paths)), [None] * len(row.paths),
            osp.basename(row.query)) for row in found[:num]
    ]
    return save_picture(draw_rankings(rows), out)


def check_picture_name(out: Union[str, Path]) -> None:
    """Refuse before the work a name that is that of no picture."""
    if not cv2.haveImageWriter(str(out)):
        raise ValueError(f'{out} is no picture file: end the name in .png')
    check_writable(str(out))


def save_picture(picture: np.ndarray, out: Union[str, Path]) -> Size:
    """Write ``(H, W, 3)`` uint8 RGB whole or not at all; give its size."""
    content = cv2.imencode(Path(out).suffix, picture[..., ::-1])[1]
    write_file(osp.expanduser(out), content.tobytes())
    return picture.shape[:2]


def _read_gallery(path: str) -> Features:
    arrays = map_arrays(osp.expanduser(path))
    lacking = {'image', 'paths', 'size'} - set(arrays)
    if lacking:
        raise ValueError(
            f"'{path}' holds no {', '.join(sorted(lacking))}: write it with "
            "saip-mm features, 'image' among its outputs")
    size = tuple(map(int, arrays['size']))
    return Features(dict(image=arrays['image']), arrays['paths'], [], size)


def _nearest(asked: Features, there: Features, top: int) -> List[Found]:
    query, gallery = (
        torch.from_numpy(np.array(f.arrays['image'], np.float32))
        for f in (asked, there))
    similar = cosine_of(query, gallery)
    places = {osp.realpath(p): i for i, p in enumerate(there.paths.tolist())}
    found = []
    for rows in torch.arange(len(query)).split(CHUNK):
        for row, cosines in zip(rows.tolist(), similar(rows)):
            path = str(asked.paths[row])
            itself = places.get(osp.realpath(path))
            if itself is not None:
                cosines[itself] = -torch.inf
            best = cosines.topk(min(top + 1, len(cosines)))
            pairs = [(str(there.paths[i]), value) for value, i in zip(
                best.values.tolist(), best.indices.tolist()) if i != itself]
            found.append(
                Found(path, *map(list, zip(
                    *pairs[:top]))) if pairs else Found(path, [], []))
    return found


def _read(path: str) -> np.ndarray:
    return decode_image(get(path))
