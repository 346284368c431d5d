"""HAP's masks: blocks, and patches of body parts before them."""
import math
from typing import Optional, Tuple

import torch
from torch import Tensor

# pairs of COCO's joints; a part is what the patches between them cover
PARTS = (
    ((0, 1), (0, 2), (1, 2), (1, 3), (2, 4)),  # face
    ((5, 7), (7, 9)),  # left arm
    ((6, 8), (8, 10)),  # right arm
    ((11, 13), (13, 15)),  # left leg
    ((12, 14), (14, 16)),  # right leg
    ((6, 11), (5, 12)),  # trunk
)
BLOCK, PART = 2., 100.  # priorities; the parts' falls by 1 from part to part
ATTEMPTS = 10  # a rectangle has
ROUNDS = 12  # rectangles an image has at most; 4.6 fill half of 16x8 patches
LEAST_AREA = 12 / 64  # of a rectangle, as a share of what is to be hidden
ASPECT = (0.3, 1 / 0.3)  # of a rectangle, height / width
SHARE = 0.3  # of a part's patches, at most


def draw_blocks(batch: int, grid: Tuple[int, int], count: int,
                device: torch.device) -> Tensor:
    """Cover about ``count`` patches of every image with random rectangles.

    Args:
        batch (int): Number of images B.
        grid (tuple[int, int]): Rows and columns of patches.
        count (int): Patches to cover, at least 1.
        device (torch.device): Where the mask is wanted.

    Returns:
        Tensor: ``(B, rows, columns)`` bool, never more than ``count`` a
        picture; fewer where no rectangle that was tried fitted. Drawn from
        torch's global generator on CPU.

    Source:
        BEiT's generator, with HAP's numbers: area uniform from 12 to what is
        left, aspect log-uniform, ten attempts each, the first that adds
        something and not too much is taken. Overlap counts once (HAP's
        counts it twice). Least area scales with ``count`` on other grids
        than HAP's.
    """
    numbers = torch.rand(ROUNDS, 4, batch, ATTEMPTS).to(device)
    covered = torch.zeros(batch, *grid, dtype=torch.bool, device=device)
    images = torch.arange(batch, device=device)
    for draw in numbers:
        left = count - covered.flatten(1).sum(1)
        tried, real = _rectangles(draw, left, grid, LEAST_AREA * count)
        new = (tried & ~covered[:, None]).flatten(2).sum(2)
        fits = real & (new > 0) & (new <= left[:, None])
        first = fits.byte().argmax(1)
        taken = tried[images, first] & fits.any(1)[:, None, None]
        covered = covered | taken
    return covered


def _rectangles(draw: Tensor, left: Tensor, grid: Tuple[int, int],
                least: float) -> Tuple[Tensor, Tensor]:
    """Rectangles by uniform numbers ``(4, B, attempts)``.

    Returns:
        tuple[Tensor, Tensor]: ``(B, attempts, rows, columns)`` bool, and
        ``(B, attempts)`` bool, whether it is smaller than the grid.
    """
    rows, columns = grid
    low, high = (math.log(a) for a in ASPECT)
    area = least + draw[0] * (left[:, None] - least)
    aspect = (low + draw[1] * (high - low)).exp()
    height = (area * aspect).sqrt().round()
    width = (area / aspect).sqrt().round()
    real = (height < rows) & (width < columns) & (height > 0) & (width > 0)
    top = (draw[2] * (rows - height + 1)).floor()
    side = (draw[3] * (columns - width + 1)).floor()
    y = torch.arange(rows, device=draw.device)[:, None]
    x = torch.arange(columns, device=draw.device)
    top, side, height, width = (
        t[..., None, None] for t in (top, side, height, width))
    inside = (y >= top) & (y < top + height) & (x >= side) & (x < side + width)
    return inside, real


def part_patches(keypoints: Tensor, grid: Tuple[int, int],
                 stride: int) -> Tensor:
    """Patches of the six body parts.

    A segment between two joints covers the rectangle of patches that they
    span, both ends included; one with an end unknown covers nothing.

    Args:
        keypoints (Tensor): ``(B, 17, 3)``: x and y in pixels, 1 or 0 for
            known or not.
        grid (tuple[int, int]): Rows and columns of patches.
        stride (int): Pixels a side of a patch.

    Returns:
        Tensor: ``(B, 6, rows, columns)`` bool: face, left and right arm, left
        and right leg, trunk.
    """
    device = keypoints.device
    known = keypoints[..., 2] > 0
    cells = ((keypoints[..., :2] + .5) / stride).floor()  # column, row
    last = cells.new_tensor((grid[1] - 1, grid[0] - 1))
    cells = torch.minimum(cells.clamp(min=0), last)
    y = torch.arange(grid[0], device=device)[:, None]
    x = torch.arange(grid[1], device=device)
    parts = []
    for pairs in PARTS:
        ends = torch.tensor(pairs, device=device)
        there = known[:, ends].all(-1)[..., None, None]
        spans = cells[:, ends]  # (B, segments, 2 ends, column and row)
        low, high = (
            t[..., None, None] for t in (spans.amin(2), spans.amax(2)))
        inside = ((x >= low[:, :, 0]) & (x <= high[:, :, 0]) &
                  (y >= low[:, :, 1]) & (y <= high[:, :, 1]))
        parts.append((inside & there).any(1))
    return torch.stack(parts, 1)


def draw_part_counts(batch: int, legacy: bool = False) -> Tensor:
    """How many parts each picture loses patches of.

    Args:
        batch (int): Number of images B.
        legacy (bool): As HAP's release draws it, where each picture's number
            is the bound of the next one's, and falls to 0 within a few.

    Returns:
        Tensor: ``(B, )`` int64 from 0 to 6, on CPU.
    """
    if not legacy:
        return torch.randint(len(PARTS) + 1, (batch, ))
    counts, most = [], len(PARTS)
    for number in torch.rand(batch).tolist():
        most = min(int(number * (most + 1)), most)
        counts.append(most)
    return torch.tensor(counts)


def draw_part_priorities(parts: Tensor, legacy: bool = False) -> Tensor:
    """Choose patches of body parts to be hidden before all others.

    A picture loses patches of 0 to 6 parts, those of its own that are not
    empty, in random order; of each a share of 0 to 30 %, at random.

    Args:
        parts (Tensor): ``(B, 6, L)`` bool, of :func:`part_patches`.
        legacy (bool): See :func:`draw_part_counts`.

    Returns:
        Tensor: ``(B, L)`` float32: 100 for the first part's patches, 99 for
        the second's, ..., 0 for those that were not chosen.
    """
    batch, count, _ = parts.shape
    device = parts.device
    most = draw_part_counts(batch, legacy).to(device)
    order = torch.rand(batch, count).argsort(1).to(device)
    share = (SHARE * torch.rand(batch, count)).to(device)
    numbers = torch.rand(parts.shape).to(device)
    shuffled = parts.gather(1, order[..., None].expand_as(parts))
    sizes = shuffled.sum(2)
    there = sizes > 0
    place = there.cumsum(1) - 1  # among those that are not empty
    used = there & (place < most[:, None])
    wanted = (sizes * share).floor() * used
    rank = torch.where(shuffled, numbers, numbers - 1).argsort(
        2, descending=True).argsort(2)
    chosen = shuffled & (rank < wanted[..., None])
    return (chosen * (PART - place)[..., None]).amax(1)


def draw_part_mask(
        batch: int,
        grid: Tuple[int, int],
        ratio: float,
        stride: int,
        keypoints: Optional[Tensor] = None,
        legacy: bool = False,
        device: Optional[torch.device] = None) -> Tuple[Tensor, Tensor]:
    """Hide the same number of patches in every image, parts before blocks.

    Patches chosen of body parts come first, then those of blocks, then the
    others; those of one rank at random, so that the number is exact.

    Args:
        batch (int): Number of images B.
        grid (tuple[int, int]): Rows and columns of patches.
        ratio (float): Share hidden; ``int(L * (1 - ratio))`` stay visible.
        stride (int): Pixels a side of a patch.
        keypoints (Tensor, optional): ``(B, 17, 3)``, see
            :func:`part_patches`. None, or an image whose points are all
            unknown, has blocks alone.
        legacy (bool): See :func:`draw_part_counts`.
        device (torch.device, optional): Where the mask is wanted. Defaults
            to that of the keypoints, or CPU.

    Returns:
        tuple[Tensor, Tensor]: ``(B, L)`` bool, True is hidden, and ``(B, L)``
        bool, patches that are hidden because they are a part's.

    Source:
        Yuan et al., HAP, NeurIPS 2023. Ties are broken at random, where its
        release sorts whole numbers.
    """
    if device is None:
        device = torch.device('cpu') if keypoints is None else keypoints.device
    length = grid[0] * grid[1]
    hidden = length - max(1, int(length * (1 - ratio)))
    blocks = draw_blocks(batch, grid, max(1, hidden), device)
    priority = BLOCK * blocks.flatten(1).float()
    if keypoints is not None:
        parts = part_patches(keypoints, grid, stride).flatten(2)
        priority = torch.maximum(priority, draw_part_priorities(parts, legacy))
    noise = torch.rand(batch, length).to(device)
    rank = (priority + noise).argsort(1, descending=True).argsort(1)
    mask = rank < hidden
    return mask, mask & (priority > BLOCK)
