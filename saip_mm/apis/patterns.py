"""The paper's Fig. 4: what backbones see in one person and in a group."""
import os.path as osp
import re
from contextlib import ExitStack
from pathlib import Path
from typing import (Any, Dict, List, NamedTuple, Optional, Sequence, Tuple,
                    Union)

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.device import get_device
from mmengine.fileio import get
from torch import Tensor

from ..datasets.transforms import BrokenImageError, ResizePerson, decode_image
from ..engine.hooks.retrieval_monitor import evaluating
from ..models.encoders import cell_maps
from ..visualization.patterns import (Box, PatternRow, attention_map, cells_in,
                                      draw_patterns, similarity_map,
                                      told_apart)
from .encoders import ReadyEncoder, Size, normalised, ready_encoder
from .picture_search import check_picture_name, save_picture

KINDS = ('attention', 'similarity')
STEP = 32  # pixels, of a group's sides: the coarsest stride
PUBLISHED = re.compile(r'_\d{8}-[0-9a-f]{8}$')


class PatternScores(NamedTuple):
    """How clear the maps of a backbone are; None where there is nothing.

    Attributes:
        across (float, optional): Correlation of the person's maps at the
            first and the other scales, their mean.
        from_rest (float, optional): How well similarity tells each person of
            the group from the rest of the picture, or attention all of them,
            as far as boxes tell where they are: area under the ROC curve, 0.5
            is chance; the mean over persons.
        from_others (float, optional): Of similarity, likewise from the other
            persons alone.
    """
    across: Optional[float]
    from_rest: Optional[float]
    from_others: Optional[float]


def compare_patterns(models: Union[Sequence[Any], Dict[str, Any]],
                     out: Union[str, Path],
                     person: Optional[str] = None,
                     group: Optional[str] = None,
                     boxes: Sequence[Box] = (),
                     kind: str = 'attention',
                     scales: Sequence[float] = (1., 0.5),
                     cells: str = 'final',
                     group_side: Optional[int] = None,
                     which: Optional[str] = None,
                     device: Optional[str] = None) -> Dict[str, PatternScores]:
    """Draw what backbones see in a person at several scales and in a group.

    One column a backbone. 'attention' says how much each place gives to the
    image token, see :func:`attention_map`. 'similarity' of a person's picture
    is that of each place to the mean of the person's places at the first
    scale, weighted by attention; of a group it is, in a row each, the
    similarity to each person's mean, taken from the crop by itself at the
    backbone's own size. Without boxes the person's picture is looked for in
    the group, without that either the group's own mean.

    Args:
        models (Sequence | dict): Files, encoders or backbones, see
            :func:`ready_encoder`; or these by the names they are to have.
        out (str | Path): PNG file to write.
        person (str, optional): Picture of one person.
        group (str, optional): Picture of several.
        boxes (Sequence): Persons of the group, ``x1, y1, x2, y2`` in pixels.
        kind (str): 'attention' or 'similarity'. Defaults to 'attention'.
        scales (Sequence[float]): Of the person's picture, factors of each
            backbone's own size, rounded to whole patches. Defaults to 1 and
            1/2.
        cells (str): 'inner', 'final' or a stage. Defaults to 'final'.
        group_side (int, optional): Longer side of the group, in pixels.
            Defaults to None: twice the height of the backbone's own size.
        which (str, optional): See :func:`ready_encoder`.
        device (str, optional): Defaults to None, the GPU if there is one.

    Returns:
        dict[str, PatternScores]: By the backbone's name.

    Raises:
        FileNotFoundError, OSError: If a file is missing or no picture.
        ValueError: If there is no picture, a box is outside of it, or a
            setting is unknown.
    """
    _check(person, group, boxes, kind, scales, group_side)
    check_picture_name(out)
    alone = _picture(person) if person else None
    several = _picture(group, boxes) if group else None
    ready = _named(models, which)
    rows, across = [], dict.fromkeys(ready)
    group_rows: List[PatternRow] = []
    apart: Dict[str, Tuple] = dict.fromkeys(ready, (None, None))
    with ExitStack() as modes:
        for each in ready.values():
            each.encoder.to(device or get_device())
            modes.enter_context(evaluating(each.encoder))
        if alone is not None:
            rows, across = _across_scales(ready, alone, kind, scales, cells)
        if several is not None:
            group_rows, apart = _in_group(ready, several, boxes, kind, cells,
                                          group_side, alone)
    save_picture(draw_patterns([rows, group_rows]), out)
    return {name: PatternScores(across[name], *apart[name]) for name in ready}


def _check(person: Optional[str], group: Optional[str], boxes: Sequence[Box],
           kind: str, scales: Sequence[float],
           group_side: Optional[int]) -> None:
    if not person and not group:
        raise ValueError('there is nothing to draw: name the picture of a '
                         'person, of a group, or both (--person, --group)')
    if boxes and not group:
        raise ValueError('boxes are of a group: name its picture (--group)')
    if kind not in KINDS:
        raise ValueError(f"kind '{kind}' is unknown: choose among {KINDS}")
    if not scales or min(scales) <= 0:
        raise ValueError(f'scales must be positive factors, got {scales}')
    if group_side is not None and group_side < STEP:
        raise ValueError(f'group_side must be at least {STEP} pixels, got '
                         f'{group_side}')


def _named(models: Union[Sequence[Any], Dict[str, Any]],
           which: Optional[str]) -> Dict[str, ReadyEncoder]:
    if isinstance(models, dict):
        found = {n: ready_encoder(m, which) for n, m in models.items()}
    else:
        found = {}
        for model in models:
            ready = ready_encoder(model, which)
            name = first = PUBLISHED.sub('', ready.name)
            while name in found:
                name = f'{first} {sum(n.startswith(first) for n in found) + 1}'
            found[name] = ready
    if not found:
        raise ValueError('there is no backbone to look through: name a file')
    return found


def _picture(path: str, boxes: Sequence[Box] = ()) -> np.ndarray:
    path = osp.expanduser(str(path))
    if not osp.isfile(path):
        raise FileNotFoundError(f"'{path}' is no file: name a picture")
    try:
        picture = decode_image(get(path))
    except BrokenImageError as error:
        raise OSError(f"cannot read picture '{path}': {error}") from error
    height, width = picture.shape[:2]
    for box in boxes:
        if len(box) != 4 or not (0 <= box[0] < box[2] <= width
                                 and 0 <= box[1] < box[3] <= height):
            raise ValueError(
                f'box {tuple(box)} does not lie in {path}, {width} wide and '
                f'{height} high: give x1 y1 x2 y2 in its pixels')
    return picture


def _at(picture: np.ndarray, size: Size) -> Tensor:
    """``(3, h, w)`` uint8, as features are made of it."""
    return ResizePerson(size)(
        dict(img=np.ascontiguousarray(picture)))['inputs']


def _rounded(size: Size, factor: float, step: int) -> Size:
    height, width = (
        max(1, round(side * factor / step)) * step for side in size)
    return height, width


@torch.no_grad()
def _maps(ready: ReadyEncoder, picture: Tensor, cells: str) -> Tensor:
    """``(D, h, w)``"""
    return cell_maps(ready.encoder, normalised(ready, picture[None]), cells)[0]


def _attention(ready: ReadyEncoder, picture: Tensor, cells: str) -> Tensor:
    return attention_map(ready.encoder, normalised(ready, picture[None]),
                         cells)[0]


def _person(ready: ReadyEncoder, picture: Tensor, cells: str) -> Tensor:
    """``(D, )``: the mean of cells, by what each gives to the image token.

    The plain mean of a crop is as much of the ground behind the person.
    """
    weights = _attention(ready, picture, cells).clamp(min=0)
    weights = weights / weights.sum().clamp(min=1e-12)
    return (_maps(ready, picture, cells) * weights).sum((1, 2))


def _across_scales(
        ready: Dict[str, ReadyEncoder], picture: np.ndarray, kind: str,
        scales: Sequence[float],
        cells: str) -> Tuple[List[PatternRow], Dict[str, Optional[float]]]:
    shown: List[np.ndarray] = []
    maps: List[Dict[str, Tensor]] = [{} for _ in scales]
    for name, each in ready.items():
        reference = None
        for place, factor in enumerate(scales):
            size = _rounded(each.size, factor, each.encoder.dims.stride)
            scaled = _at(picture, size)
            if len(shown) == place:  # as the first backbone gets it
                shown.append(scaled.permute(1, 2, 0).numpy())
            if kind == 'attention':
                maps[place][name] = _attention(each, scaled, cells).cpu()
                continue
            found = _maps(each, scaled, cells)
            if reference is None:
                reference = _person(each, scaled, cells)
            maps[place][name] = similarity_map(found, reference).cpu()
    rows = [
        PatternRow(image, found, text=f'{image.shape[0]}x{image.shape[1]}')
        for image, found in zip(shown, maps)
    ]
    across = {
        name: _mean([_alike(maps[0][name], found[name]) for found in maps[1:]])
        for name in ready
    }
    return rows, across


def _alike(one: Tensor, other: Tensor) -> Optional[float]:
    """Correlation of two maps of one picture, on the finer one's cells."""
    one, other = sorted((one, other), key=lambda m: m.numel())
    one = F.interpolate(
        one[None, None], other.shape, mode='bilinear', align_corners=False)
    pair = torch.stack((one.flatten(), other.flatten())).double()
    if pair.shape[1] < 2 or not (pair.std(1) > 0).all():
        return None
    return float(pair.corrcoef()[0, 1])


def _in_group(
        ready: Dict[str,
                    ReadyEncoder], picture: np.ndarray, boxes: Sequence[Box],
        kind: str, cells: str, side: Optional[int], alone: Optional[np.ndarray]
) -> Tuple[List[PatternRow], Dict[str, Tuple]]:
    crops = [
        picture[int(y1):int(np.ceil(y2)),
                int(x1):int(np.ceil(x2))] for x1, y1, x2, y2 in boxes
    ]
    if not crops and alone is not None:
        crops = [alone]
    rows = 1 if kind == 'attention' else max(1, len(crops))
    maps: List[Dict[str, Tensor]] = [{} for _ in range(rows)]
    apart: Dict[str, Tuple] = {}
    for name, each in ready.items():
        longest = side or 2 * max(each.size)
        size = _rounded(picture.shape[:2], longest / max(picture.shape[:2]),
                        STEP)
        whole = _at(picture, size)
        if kind == 'attention':
            maps[0][name] = _attention(each, whole, cells).cpu()
        else:
            found = _maps(each, whole, cells)
            references = [
                _person(each, _at(crop, each.size), cells) for crop in crops
            ] or [_person(each, whole, cells)]
            for row, reference in zip(maps, references):
                row[name] = similarity_map(found, reference).cpu()
        apart[name] = _apart([row[name] for row in maps], boxes,
                             picture.shape[:2], kind)
    drawn = []
    for place, row in enumerate(maps):
        own = [*boxes[place:place + 1], *boxes[:place], *boxes[place + 1:]]
        drawn.append(
            PatternRow(picture, row, own if kind == 'similarity' else (),
                       f'person {place + 1}' if len(maps) > 1 else ''))
    return drawn, apart


def _apart(maps: Sequence[Tensor], boxes: Sequence[Box], size: Size,
           kind: str) -> Tuple[Optional[float], Optional[float]]:
    """Means over persons of :func:`told_apart`: from the rest, from others."""
    if not boxes:
        return None, None
    inside = [cells_in(maps[0].shape, size, box) for box in boxes]
    if kind == 'attention':
        persons = torch.stack(inside).any(0)
        return told_apart(maps[0][persons], maps[0][~persons]), None
    rest, others = [], []
    for place, (values, own) in enumerate(zip(maps, inside)):
        rest.append(told_apart(values[own], values[~own]))
        other = torch.zeros_like(own)
        for box in inside[:place] + inside[place + 1:]:
            other |= box
        others.append(told_apart(values[own & ~other], values[other & ~own]))
    return _mean(rest), _mean(others)


def _mean(values: Sequence[Optional[float]]) -> Optional[float]:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def as_table(scores: Dict[str, PatternScores]) -> str:
    """Scores in a table, a backbone a line."""
    width = max(map(len, scores))
    lines = [
        f"{'':{width}}{'across scales':>16}{'from the rest':>16}"
        f"{'from others':>14}"
    ]
    for name, row in scores.items():
        cells = ['-' if value is None else f'{value:.3f}' for value in row]
        lines.append(f'{name:{width}}{cells[0]:>16}{cells[1]:>16}'
                     f'{cells[2]:>14}')
    return '\n'.join(lines)
