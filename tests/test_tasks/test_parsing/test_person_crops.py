import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from saip_mm.tasks.parsing.parts import join_maps
from saip_mm.tasks.parsing.person_crops import crop_targets, paste_parts
from .cihp_files import PICTURES, draw_persons

RNG = np.random.default_rng(0)


def slow_target(joined, box, human, size):
    """Restated with loops and OpenCV."""
    x1, y1, x2, y2 = (int(np.round(v)) for v in box)
    own = np.zeros(joined.shape, np.uint8)
    for y, x in np.argwhere(joined > 0):
        if joined[y, x] // 20 + 1 == human:
            own[y, x] = joined[y, x] % 20
    crop = own[max(y1, 0):max(y2, 0), max(x1, 0):max(x2, 0)]
    if not crop.size:
        return None
    return cv2.resize(crop, (size, size), interpolation=cv2.INTER_NEAREST)


def test_targets_of_any_boxes():
    joined = join_maps(
        RNG.integers(0, 20, (30, 40)), RNG.integers(0, 4, (30, 40)))
    near = RNG.uniform(-6, 40, (60, 2))
    boxes = np.hstack([near, near + RNG.uniform(0, 30, (60, 2))])
    boxes[:3] = [[3.5, 2.5, 9.5, 8.5], [2, 2, 2.4, 9], [50, 3, 60, 9]]
    humans = RNG.integers(1, 4, 60)
    targets, kept = crop_targets(
        torch.from_numpy(joined),
        torch.from_numpy(boxes).float(), torch.from_numpy(humans), 16)
    wanted = [slow_target(joined, *pair, 16) for pair in zip(boxes, humans)]
    assert kept.tolist() == [target is not None for target in wanted]
    assert not kept[1] and not kept[2] and 30 < kept.sum() < 60
    wanted = np.stack([target for target in wanted if target is not None])
    assert targets.dtype == torch.long
    assert (targets.numpy() == wanted).all()


def test_no_box_at_all():
    joined = torch.zeros((5, 5), dtype=torch.int32)
    targets, kept = crop_targets(joined, torch.zeros(0, 4), torch.zeros(0), 8)
    assert targets.shape == (0, 8, 8) and len(kept) == 0


def slow_paste(maps, box, height, width):
    """Restated: all of the box at once by OpenCV, then clipped."""
    side = maps.shape[-1]
    x1, y1, x2, y2 = box
    grow = (side + 2) / side
    half = (x2 - x1) / 2 * grow, (y2 - y1) / 2 * grow
    x0, y0 = int((x1 + x2) / 2 - half[0]), int((y1 + y2) / 2 - half[1])
    x9, y9 = int((x1 + x2) / 2 + half[0]), int((y1 + y2) / 2 + half[1])
    w, h = max(x9 - x0 + 1, 1), max(y9 - y0 + 1, 1)
    ringed = np.pad(maps, ((0, 0), (1, 1), (1, 1)))
    large = np.stack([
        cv2.resize(one, (w, h), interpolation=cv2.INTER_LINEAR)
        for one in ringed
    ])
    whole = np.zeros((height, width), np.uint8)
    sure = np.ones((height, width), bool)
    for y in range(max(y0, 0), min(y0 + h, height)):
        for x in range(max(x0, 0), min(x0 + w, width)):
            column = large[:, y - y0, x - x0]
            whole[y, x] = column.argmax()
            first, second = np.sort(column)[:-3:-1]
            sure[y, x] = first - second > 1e-5 or first == 0
    return whole, sure


def paste_whole(maps, box, height, width, **kwargs):
    x0, y0, crop = paste_parts(
        torch.from_numpy(maps), box, height, width, **kwargs)
    whole = np.zeros((height, width), np.uint8)
    assert crop.dtype == np.uint8
    whole[y0:y0 + crop.shape[0], x0:x0 + crop.shape[1]] = crop
    return whole


BOXES = [(5, 6, 30, 45), (-10.7, -3.2, 20, 70.9), (3, 3, 3.2, 50),
         (0, 0, 40, 60), (30.5, 50.5, 90, 90), (10, 10, 10, 10),
         (-9, -9, 2, 2)]


@pytest.mark.parametrize('box', BOXES)
def test_pasted_as_by_opencv(box):
    maps = RNG.random((20, 16, 16)).astype(np.float32)
    wanted, sure = slow_paste(maps, box, 60, 40)
    found = paste_whole(maps, box, 60, 40)
    assert sure.mean() > 0.99
    assert (found[sure] == wanted[sure]).all()
    # the strips are no matter
    assert (paste_whole(maps, box, 60, 40, strip=1) == found).all()
    assert (paste_whole(maps, box, 60, 40, strip=3000) == found).all()


def test_resized_as_by_torch():
    """Half-pixel centres, no antialiasing."""
    maps = torch.from_numpy(RNG.random((4, 6, 6)).astype(np.float32))
    x0, y0, crop = paste_parts(maps, (0, 0, 29.9, 17.9), 99, 99)
    # enlarged by 8/6: -4.98 to 34.88, cut to -4 and 34
    wanted = F.interpolate(
        F.pad(maps, (1, 1, 1, 1))[None], (20 + 3, 34 + 5), mode='bilinear')
    assert crop.shape == (21, 35) and (x0, y0) == (0, 0)
    assert (crop == wanted[0].argmax(0)[2:, 4:].numpy()).all()


@pytest.mark.parametrize('box', [(-50, 0, -20, 30), (100, 0, 130, 30),
                                 (0, -90, 20, -40), (0, 80, 10, 90)])
def test_box_outside_of_the_picture(box):
    x0, y0, crop = paste_parts(torch.rand(3, 8, 8), box, 60, 40)
    assert (x0, y0, crop.shape) == (0, 0, (0, 0))


def test_what_is_learned_comes_back_where_it_was():
    """Perfect maps of the annotated boxes give the annotation."""
    size, boxes = PICTURES['0000006']
    size = tuple(4 * side for side in size)
    boxes = [[4 * value for value in box] for box in boxes]
    parts, humans = draw_persons(size, boxes)
    joined = torch.from_numpy(join_maps(parts, humans))
    for human, (x, y, w, h) in enumerate(boxes, 1):
        box = torch.tensor([[x, y, x + w, y + h]]).float()
        target, _ = crop_targets(joined, box, torch.tensor([human]), 64)
        maps = F.one_hot(target[0], 20).permute(2, 0, 1).float()
        found = paste_whole(maps.numpy(), box[0].tolist(), *size)
        wanted = np.where(humans == human, parts, 0)
        # to the middle of the ring, and the far edge counts as inside
        rows, columns = np.nonzero(found)
        more = [
            x - columns.min(), y - rows.min(),
            columns.max() + 1 - x - w,
            rows.max() + 1 - y - h
        ]
        assert all(0 <= m <= 0.5 / 64 * max(w, h) + 1.5 for m in more)
        assert (found == wanted).mean() > 0.97
