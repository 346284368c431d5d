import math

import numpy as np
import pytest
import torch

from saip_mm.models.heads.part_masking import (PARTS, draw_blocks,
                                               draw_part_counts,
                                               draw_part_mask,
                                               draw_part_priorities,
                                               part_patches)

GRID = (16, 8)
# a person standing, arms hanging, who fills a picture of 256x128
STANDING = np.array([(64, 25), (68, 20), (60, 20), (73, 23), (55, 23),
                     (85, 55), (43, 55), (95, 90), (33, 90), (100, 125),
                     (28, 125), (77, 130), (51, 130), (78, 180), (50, 180),
                     (80, 235), (48, 235)], np.float32)


def people(count):
    points = torch.ones(count, 17, 3)
    points[..., :2] = torch.from_numpy(STANDING)
    return points


@pytest.mark.parametrize('grid', [(16, 8), (12, 6), (6, 3), (4, 2), (1, 2)])
@pytest.mark.parametrize('with_keypoints', [False, True])
def test_exactly_half_is_hidden(grid, with_keypoints):
    torch.manual_seed(0)
    points = people(64) if with_keypoints else None
    mask, parts = draw_part_mask(64, grid, 0.5, 16, points)
    length = grid[0] * grid[1]
    assert mask.shape == (64, length) and mask.dtype == torch.bool
    assert (mask.sum(1) == length // 2).all()
    assert not (parts & ~mask).any()
    assert parts.any() or not with_keypoints or length < 20


def test_other_ratios_are_as_exact():
    for ratio in (0.25, 0.6, 0.75):
        mask, _ = draw_part_mask(8, GRID, ratio, 16, people(8))
        assert (mask.sum(1) == 128 - int(128 * (1 - ratio))).all()


def test_blocks_are_rectangles_that_never_exceed_the_count():
    torch.manual_seed(0)
    covered = draw_blocks(256, GRID, 64, torch.device('cpu'))
    counts = covered.flatten(1).sum(1)
    assert (counts <= 64).all()
    # nearly full nearly always: BEiT's rule leaves no image half empty
    assert counts.float().mean() > 58 and (counts > 32).all()
    # in blocks: far more neighbours alike than of random masks (0.5)
    alike = (covered[:, 1:] == covered[:, :-1]).float().mean()
    assert alike > 0.75


def test_first_rectangle_obeys_area_and_aspect():
    """With room for one alone: a round that fills nothing adds nothing."""
    torch.manual_seed(0)
    import saip_mm.models.heads.part_masking as module
    rounds, module.ROUNDS = module.ROUNDS, 1
    try:
        covered = draw_blocks(512, GRID, 64, torch.device('cpu'))
    finally:
        module.ROUNDS = rounds
    seen = 0
    for image in covered:
        rows = image.any(1).nonzero().flatten()
        columns = image.any(0).nonzero().flatten()
        if not len(rows):
            continue
        height, width = (int(t[-1] - t[0]) + 1 for t in (rows, columns))
        assert image.sum() == height * width < 128
        assert height < 16 and width < 8
        # rounding moves a side by half a patch at most
        assert math.sqrt(12) - 1 < math.sqrt(height * width)
        assert (height + .5) / (width - .5) > 0.3
        assert (height - .5) / (width + .5) < 1 / 0.3
        seen += 1
    assert seen > 450


def test_parts_are_the_patches_between_two_joints():
    """Loops over segments, patch by patch."""
    torch.manual_seed(0)
    points = people(8)
    points[..., :2] += 12 * torch.randn(8, 17, 2)
    points[..., 2] = torch.rand(8, 17) < 0.8
    got = part_patches(points, GRID, 16)
    for person, parts in zip(points.double().numpy(), got):
        for pairs, part in zip(PARTS, parts):
            expected = np.zeros(GRID, bool)
            for a, b in pairs:
                if not (person[a, 2] and person[b, 2]):
                    continue
                columns = sorted(
                    int((person[i, 0] + .5) // 16) for i in (a, b))
                rows = sorted(int((person[i, 1] + .5) // 16) for i in (a, b))
                for row in range(rows[0], rows[1] + 1):
                    for column in range(columns[0], columns[1] + 1):
                        expected[min(max(row, 0), 15),
                                 min(max(column, 0), 7)] = True
            assert np.array_equal(part.numpy(), expected)


def test_a_missing_end_drops_the_segment_and_an_empty_part_is_passed_over():
    points = people(1)
    points[0, 5, 2] = 0  # left shoulder: upper arm and a side of the trunk
    whole, less = (part_patches(p, GRID, 16)[0] for p in (people(1), points))
    assert less[1].sum() < whole[1].sum() and torch.equal(less[2], whole[2])
    points[..., 2] = 0
    assert not part_patches(points, GRID, 16).any()
    assert not draw_part_priorities(torch.zeros(4, 6, 128).bool()).any()


def test_priorities_are_those_of_a_loop():
    torch.manual_seed(3)
    parts = part_patches(people(32), GRID, 16).flatten(2)
    parts[::2, :3] = False  # three parts are not seen
    torch.manual_seed(4)
    got = draw_part_priorities(parts)
    torch.manual_seed(4)
    most = torch.randint(7, (32, ))
    order = torch.rand(32, 6).argsort(1)
    share = 0.3 * torch.rand(32, 6)
    numbers = torch.rand(parts.shape)
    for i in range(32):
        expected, used = torch.zeros(128), 0
        for place, part in enumerate(order[i].tolist()):
            cells = parts[i, part].nonzero().flatten().tolist()
            if not cells or used == most[i]:
                continue
            take = int(len(cells) * float(share[i, place]))
            cells.sort(key=lambda c: -float(numbers[i, place, c]))
            for cell in cells[:take]:
                expected[cell] = max(expected[cell], 100 - used)
            used += 1
        assert torch.equal(got[i], expected)


def test_part_masked_share_of_full_bodies():
    """About three quarters, and some three patches, as intended; with the
    release's draw one in a hundred."""
    torch.manual_seed(0)
    drawn = [
        draw_part_mask(256, GRID, 0.5, 16, people(256))[1] for _ in range(8)
    ]
    parts = torch.cat(drawn)
    assert 0.70 < parts.any(1).float().mean() < 0.82
    assert 2.5 < parts.sum(1).float().mean() < 4.5
    drawn = [
        draw_part_mask(256, GRID, 0.5, 16, people(256), legacy=True)[1]
        for _ in range(8)
    ]
    assert torch.cat(drawn).any(1).float().mean() < 0.02


def test_legacy_counts_never_rise():
    torch.manual_seed(0)
    counts = torch.stack([draw_part_counts(64, True) for _ in range(50)])
    assert (counts[:, 1:] <= counts[:, :-1]).all()
    assert set(counts[:, 0].tolist()) == set(range(7))
    fair = draw_part_counts(7000)
    assert (fair.bincount(minlength=7) - 1000).abs().max() < 150


def test_parts_take_the_place_of_others():
    torch.manual_seed(0)
    mask, parts = draw_part_mask(256, GRID, 0.5, 16, people(256))
    assert (mask.sum(1) == 64).all() and parts.any()
    shares = [mask[parts.any(1)].float().mean(), parts.float().mean()]
    assert shares[0] == 0.5 and shares[1] > 0


def test_ties_are_broken_at_random(monkeypatch):
    """Without blocks all patches are of one rank, and each is hidden half of
    the time: its place in the picture settles nothing."""
    monkeypatch.setattr('saip_mm.models.heads.part_masking.ROUNDS', 0)
    torch.manual_seed(0)
    often = draw_part_mask(4000, GRID, 0.5, 16)[0].float().mean(0)
    assert (often - 0.5).abs().max() < 0.04


def test_left_and_right_above_and_below_are_alike():
    torch.manual_seed(0)
    often = draw_part_mask(4000, GRID, 0.5, 16)[0].float().mean(0).view(GRID)
    for axis in (0, 1):
        assert (often - often.flip(axis)).abs().max() < 0.05
