"""Between a person's square of parts and the pixels of the picture."""
from typing import Sequence, Tuple

import numpy as np
import torch
from torch import Tensor

from .parts import NUM_PARTS, split_map

Parsing = Tuple[int, int, np.ndarray]  # x0, y0, (h, w) uint8 parts
# floats of all parts that are resized at a time, 16 MiB
STRIP = 1 << 22


def crop_targets(joined: Tensor,
                 boxes: Tensor,
                 humans: Tensor,
                 size: int,
                 num_parts: int = NUM_PARTS) -> Tuple[Tensor, Tensor]:
    """Parts of persons in boxes, resized to squares.

    Pixels of other persons are background. The box's four coordinates are
    rounded, the lower ones not below 0, and pixels taken are the nearest
    (by rounding down). A box without a pixel in the map is left out.

    Args:
        joined (Tensor): ``(H, W)`` integers, see :func:`join_maps`.
        boxes (Tensor): ``(n, 4)`` x1, y1, x2, y2 in pixels of the map.
        humans (Tensor): ``(n, )`` numbers of the persons.
        size (int): S, of the squares.
        num_parts (int): K. Defaults to CIHP's 20.

    Returns:
        tuple[Tensor, Tensor]: ``(m, S, S)`` int64 parts, and ``(n, )`` bool
        on the CPU, which boxes they are of.
    """
    height, width = joined.shape
    targets, kept = [], torch.zeros(len(boxes), dtype=torch.bool)
    steps = torch.arange(size, device=joined.device)
    corners = boxes.detach().round().long().clamp(min=0).tolist()
    for number, (x1, y1, x2, y2) in enumerate(corners):
        x2, y2 = min(x2, width), min(y2, height)
        if x1 >= x2 or y1 >= y2:
            continue
        rows = y1 + steps * (y2 - y1) // size
        columns = x1 + steps * (x2 - x1) // size
        crop = joined[rows[:, None], columns[None]].long()
        parts, owners = split_map(crop, num_parts)
        targets.append(parts * (owners == humans[number]))
        kept[number] = True
    if not targets:
        return joined.new_zeros((0, size, size), dtype=torch.long), kept
    return torch.stack(targets), kept


def paste_parts(probabilities: Tensor,
                box: Sequence[float],
                height: int,
                width: int,
                strip: int = STRIP) -> Parsing:
    """The most probable part of each pixel of a person's box.

    A ring of zeros is laid around the maps and the box enlarged as much
    about its centre; its coordinates are cut to whole numbers, towards zero,
    and the maps resized to what is between, both ends included, bilinearly
    (half-pixel centres). Of equal parts the first is taken, so that beyond
    the maps all is background. What lies outside of the picture is left out,
    and not computed.

    Args:
        probabilities (Tensor): ``(K, S, S)`` of the parts, not negative.
        box (Sequence[float]): x1, y1, x2, y2 in pixels of the picture.
        height (int): Of the picture.
        width (int): Of the picture.
        strip (int): Floats to resize at a time, in rows of the picture: a
            person in front of the camera would need K floats for each of the
            picture's pixels. Defaults to 16 MiB of them.

    Returns:
        tuple[int, int, np.ndarray]: Column and row of the crop's first pixel
        and the crop, ``(h, w)`` uint8, inside of the picture; ``(0, 0)`` in
        size at 0, 0 if the box is outside.

    Source:
        Parsing R-CNN's way from maps to picture.
    """
    num_parts, side = len(probabilities), probabilities.shape[-1]
    x0, y0, x1, y1 = _enlarged(box, (side + 2) / side)
    left, top = max(x0, 0), max(y0, 0)
    right, bottom = min(x1 + 1, width), min(y1 + 1, height)
    if left >= right or top >= bottom:
        return 0, 0, np.zeros((0, 0), dtype=np.uint8)
    maps = torch.nn.functional.pad(probabilities.float(), (1, 1, 1, 1))
    columns = _sources(x0, x1, left, right, maps)
    rows = _sources(y0, y1, top, bottom, maps)
    step = max(strip // (num_parts * (right - left)), 1)
    crop = torch.empty((bottom - top, right - left), dtype=torch.uint8)
    for start in range(0, bottom - top, step):
        part = [source[start:start + step] for source in rows]
        high = _lerp(maps, *part, dim=1)  # (K, step, S + 2)
        crop[start:start + step] = _lerp(high, *columns, dim=2).argmax(0)
    return left, top, crop.numpy()


def _enlarged(box: Sequence[float], factor: float) -> Tuple[int, ...]:
    """A box about its centre, cut towards zero; x1 not below x0, nor y."""
    x1, y1, x2, y2 = (float(value) for value in box)
    half_w, half_h = factor * (x2 - x1) / 2, factor * (y2 - y1) / 2
    cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
    left, top = int(cx - half_w), int(cy - half_h)
    return (left, top, max(int(cx + half_w), left), max(int(cy + half_h), top))


def _sources(first: int, last: int, start: int, stop: int,
             maps: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    """Of the pixels start to stop of a line from first to last: the two
    nearest cells of the maps, and the share of the second."""
    cells = maps.shape[-1]
    scale = cells / (last - first + 1)
    places = torch.arange(start - first, stop - first, dtype=torch.float64)
    places = ((places + 0.5) * scale - 0.5).clamp(0, cells - 1)
    low = places.long().clamp(max=cells - 1)
    share = (places - low).to(maps)
    high = (low + 1).clamp(max=cells - 1)
    return low.to(maps.device), high.to(maps.device), share


def _lerp(maps: Tensor, low: Tensor, high: Tensor, share: Tensor,
          dim: int) -> Tensor:
    shape = [1, 1, 1]
    shape[dim] = -1
    below = maps.index_select(dim, low)
    return below.lerp_(maps.index_select(dim, high), share.view(shape))
