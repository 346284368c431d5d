"""Which places of a picture a backbone sees as the person, as maps."""
from typing import Dict, NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..models.backbones import GridVisionTransformer
from ..models.encoders import Encoder, cell_maps
from .sheet import GAP, grid

Box = Tuple[float, float, float, float]
BOX = (255, 255, 255)
LONGEST = 384  # pixels of a drawn picture's longer side


def similarity_map(cells: Tensor, reference: Tensor) -> Tensor:
    """Cosine of each cell to a person, in time linear in the cells.

    Args:
        cells (Tensor): ``(D, h, w)`` of a picture.
        reference (Tensor): ``(D, )``, such as the mean of a person's cells.

    Returns:
        Tensor: ``(h, w)`` in [-1, 1].

    Example:
        >>> cells = torch.tensor([[[1., 0.]], [[0., 2.]]])  # 1 row of 2
        >>> similarity_map(cells, torch.tensor([0., 3.]))
        tensor([[0., 1.]])
    """
    return F.cosine_similarity(cells, reference[:, None, None], 0)


@torch.no_grad()
def attention_map(encoder: Encoder,
                  images: Tensor,
                  cells: str = 'final') -> Tensor:
    """How much each place gives to the image token.

    Of a plain transformer it is the attention of the class token in the last
    block, the mean of its heads, patches alone. Where the image token is the
    mean m of L cells c, it is the share of each in it: ``<c, m> / (L <m,
    m>)``. Both sum to 1, and take time linear in the cells beyond the
    backbone's own.

    Args:
        encoder (Encoder): In eval mode.
        images (Tensor): ``(B, 3, H, W)`` normalised.
        cells (str): Of the share: 'inner', 'final' or a stage. Defaults to
            'final'.

    Returns:
        Tensor: ``(B, h, w)`` float; a share may be negative.
    """
    backbone = encoder.backbone
    if (not isinstance(backbone, GridVisionTransformer)
            or backbone.cls_token is None):
        maps = cell_maps(encoder, images, cells)
        mean = maps.mean((2, 3), keepdim=True)
        whole = mean.square().sum(1) * maps[0, 0].numel()
        return (maps * mean).sum(1) / whole
    entering = []
    last = backbone.layers[-1]
    listening = last.register_forward_pre_hook(
        lambda module, args: entering.append(args[0]))
    try:
        shape = encoder(images, tokens=('image', )).grid
    finally:
        listening.remove()
    query, key, _ = last.attn.split(last.attn.qkv(last.ln1(entering[0])), 3)
    scores = torch.einsum('bhd,bnhd->bhn', query[:, 0], key)
    share = (scores * last.attn.head_dims**-0.5).softmax(-1).mean(1)
    share = share[:, backbone.num_extra_tokens:]
    return (share / share.sum(1, keepdim=True)).unflatten(1, shape)


def cells_in(shape: Tuple[int, int], size: Tuple[int, int],
             box: Box) -> Tensor:
    """Cells whose centre lies in a box.

    Args:
        shape (tuple[int, int]): Rows and columns of cells.
        size (tuple[int, int]): Height and width of the picture they cover,
            in pixels.
        box (tuple): ``x1, y1, x2, y2`` in its pixels.

    Returns:
        Tensor: ``(h, w)`` bool.
    """
    ys, xs = ((torch.arange(n) + 0.5) * side / n
              for n, side in zip(shape, size))
    x1, y1, x2, y2 = box
    return ((y1 <= ys) & (ys < y2))[:, None] & ((x1 <= xs) & (xs < x2))


def told_apart(inside: Tensor, outside: Tensor) -> Optional[float]:
    """How well values tell two sets apart: the area under the ROC curve.

    Args:
        inside (Tensor): ``(n, )`` float, which should be larger.
        outside (Tensor): ``(m, )`` float.

    Returns:
        float, optional: Share of pairs in the right order, ties half; 0.5 is
        chance. None where a set is empty.

    Example:
        >>> told_apart(torch.tensor([2., 3.]), torch.tensor([1., 2.]))
        0.875
    """
    if not len(inside) or not len(outside):
        return None
    ordered = outside.sort().values
    below = torch.searchsorted(ordered, inside.contiguous())
    up_to = torch.searchsorted(ordered, inside.contiguous(), right=True)
    return float((below + up_to).double().mean() / 2 / len(outside))


class PatternRow(NamedTuple):
    """A picture and what backbones see in it.

    Attributes:
        picture (np.ndarray): ``(H, W, 3)`` uint8 RGB.
        maps (dict[str, Tensor]): ``(h, w)`` float by the backbone's name.
        boxes (Sequence[Box]): In the picture's pixels, the person's first.
        text (str): On the picture.
    """
    picture: np.ndarray
    maps: Dict[str, Tensor]
    boxes: Sequence[Box] = ()
    text: str = ''


def draw_patterns(blocks: Sequence[Sequence[PatternRow]]) -> np.ndarray:
    """Pictures with the maps of backbones side by side.

    The colours of each map go from its own least to its own largest value
    (violet to yellow): backbones differ in their ranges.

    Args:
        blocks (Sequence[Sequence[PatternRow]]): One below the other; in each
            the rows are drawn at the size of its first, and have the same
            backbones.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8 RGB on white.
    """
    sheets = [_draw_block(rows) for rows in blocks if rows]
    width = max(sheet.shape[1] for sheet in sheets)
    out = []
    for sheet in sheets:
        padding = ((0, 3 * GAP), (0, width - sheet.shape[1]), (0, 0))
        out.append(np.pad(sheet, padding, constant_values=255))
    return np.concatenate(out)


def _draw_block(rows: Sequence[PatternRow]) -> np.ndarray:
    height, width = rows[0].picture.shape[:2]
    factor = LONGEST / max(height, width)
    size = max(1, round(height * factor)), max(1, round(width * factor))
    columns = {'picture': [_labelled(row, size) for row in rows]}
    for name in rows[0].maps:
        columns[name] = [
            _boxed(
                overlay(_enlarged(row.picture, size), row.maps[name]), row,
                size) for row in rows
        ]
    return grid({name: np.stack(column) for name, column in columns.items()})


def overlay(picture: np.ndarray, values: Tensor) -> np.ndarray:
    """Lay a map over a picture.

    Args:
        picture (np.ndarray): ``(H, W, 3)`` uint8 RGB.
        values (Tensor): ``(h, w)`` float.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8 RGB; grey picture, coloured by the
        map.
    """
    values = values.float().cpu().numpy()
    least, largest = values.min(), values.max()
    values = (values - least) / max(largest - least, 1e-12)
    height, width = picture.shape[:2]
    values = cv2.resize(
        values, (width, height), interpolation=cv2.INTER_LINEAR)
    colours = cv2.applyColorMap(
        (255 * values).round().clip(0, 255).astype(np.uint8),
        cv2.COLORMAP_VIRIDIS)[..., ::-1]
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None]
    return (0.35 * grey + 0.65 * colours).round().astype(np.uint8)


def _enlarged(picture: np.ndarray, size: Tuple[int, int]) -> np.ndarray:
    smaller = picture.shape[0] > size[0]
    return cv2.resize(
        picture,
        size[::-1],
        interpolation=cv2.INTER_AREA if smaller else cv2.INTER_NEAREST)


def _boxed(sheet: np.ndarray, row: PatternRow, size: Tuple[int,
                                                           int]) -> np.ndarray:
    sheet = np.ascontiguousarray(sheet)
    factor = np.array(size[::-1]) / row.picture.shape[1::-1]
    for number, box in enumerate(row.boxes):
        (x1, y1), (x2, y2) = (
            np.round(np.array(corner) * factor).astype(int).tolist()
            for corner in (box[:2], box[2:]))
        cv2.rectangle(sheet, (x1, y1), (x2 - 1, y2 - 1), BOX,
                      1 + (number == 0))
    return sheet


def _labelled(row: PatternRow, size: Tuple[int, int]) -> np.ndarray:
    sheet = _boxed(_enlarged(row.picture, size), row, size)
    for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(sheet, row.text, (4, size[0] - 6),
                    cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, thickness,
                    cv2.LINE_AA)
    return sheet
