import itertools

import numpy as np
import pytest
import torch

from saip_mm.models.heads.part_labels import cluster, part_labels, split_in_two


def squared_error(points, labels):
    """Sum of squared distances to the clusters' means, by loops."""
    total = 0.
    for label in set(labels):
        members = [p for p, own in zip(points, labels) if own == label]
        mean = sum(members) / len(members)
        total += sum(((p - mean)**2).sum() for p in members)
    return total


@pytest.mark.parametrize('length', [2, 3, 7, 9])
def test_split_is_the_best_of_all(length):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(20, length)) + 100
    found = split_in_two(torch.from_numpy(values))
    for row, large in zip(values, found.tolist()):
        best = min(
            squared_error(row[:, None], labels)
            for labels in itertools.product((False, True), repeat=length)
            if 0 < sum(labels) < length)
        assert squared_error(row[:, None], large) == pytest.approx(best)
        assert row[large].min() > row[np.invert(large)].max()


def test_split_of_equal_numbers_is_a_split():
    found = split_in_two(torch.ones(3, 8)).sum(1)
    assert ((found > 0) & (found < 8)).all()


def blobs(seed=0, count=6, length=32, dims=5):
    """Points around three centres far apart, and which is whose."""
    generator = torch.Generator().manual_seed(seed)
    centres = 10 * torch.randn(count, 3, dims, generator=generator)
    own = torch.randint(3, (count, length), generator=generator)
    own[:, :3] = torch.arange(3)
    points = centres.gather(1, own[..., None].expand(-1, -1, dims))
    return points + .1 * torch.randn(points.shape, generator=generator), own


@pytest.mark.parametrize('exact', [False, True])
def test_clusters_that_are_far_apart_are_found(exact):
    points, own = blobs()
    found = cluster(points, torch.ones(6, 32).bool(), 3, exact)
    for ours, theirs in zip(found, own):
        assert torch.equal(ours[:, None] == ours, theirs[:, None] == theirs)


def test_exact_is_near_the_best_and_never_worse_than_fast():
    """All partitions of seven points."""
    rng = np.random.default_rng(1)
    points = rng.normal(size=(8, 7, 2))
    inside = torch.ones(8, 7).bool()
    exact = cluster(torch.from_numpy(points), inside, 3, True)
    fast = cluster(torch.from_numpy(points), inside, 3)
    for row, good, quick in zip(points, exact.tolist(), fast.tolist()):
        best = min(
            squared_error(row, labels)
            for labels in itertools.product(range(3), repeat=7))
        error = squared_error(row, good)
        assert error < 1.05 * best  # ten starts, as scikit-learn's
        assert error <= squared_error(row, quick) + 1e-9


def test_points_outside_do_not_move_the_centres():
    points, own = blobs()
    far = torch.cat((points, 1e3 * torch.randn(6, 8, 5)), 1)
    inside = torch.ones(6, 40).bool()
    inside[:, 32:] = False
    found = cluster(far, inside, 3)[:, :32]
    for ours, theirs in zip(found, own):
        assert torch.equal(ours[:, None] == ours, theirs[:, None] == theirs)


def test_same_points_same_clusters_whatever_was_drawn():
    points, _ = blobs()
    inside = torch.ones(6, 32).bool()
    first = cluster(points, inside, 3)
    torch.rand(17)
    assert torch.equal(cluster(points, inside, 3), first)


def person(grid=(8, 4)):
    """Tokens of a head, a trunk and legs, long, before a short background."""
    tokens = torch.zeros(*grid, 6)
    tokens[..., 5] = .3
    for row in range(grid[0]):
        part = 0 if row < 2 else 1 if row < 5 else 2
        tokens[row, :3, part] = 3. + .1 * part
    return tokens.flatten(0, 1)


@pytest.mark.parametrize('exact', [False, True])
def test_parts_are_numbered_from_top_to_bottom(exact):
    tokens = person()[None].repeat(5, 1, 1)
    tokens[1:] = tokens[1:][..., torch.randperm(6)]  # which channel: no matter
    tokens += .01 * torch.randn(tokens.shape)
    labels, kept = part_labels(tokens, (8, 4), exact=exact)
    expected = torch.tensor([1] * 2 + [2] * 3 + [3] * 3)[:, None].repeat(1, 4)
    expected[:, 3] = 0
    assert kept.all()
    assert (labels.view(5, 8, 4) == expected).all()
    upside_down = part_labels(tokens.flip(1), (8, 4), exact=exact)[0]
    expected = torch.tensor([1] * 3 + [2] * 3 + [3] * 2)[:, None].repeat(1, 4)
    expected[:, 0] = 0
    assert (upside_down.view(5, 8, 4) == expected).all()


def test_pictures_mostly_of_background_do_not_count():
    tokens = person()
    small = tokens.clone().view(8, 4, 6)
    small[:, 2:] = tokens.view(8, 4, 6)[:, 3:]  # 16 of 32: not more than half
    labels, kept = part_labels(
        torch.stack((tokens, small.flatten(0, 1))), (8, 4))
    assert kept.tolist() == [True, False]
    assert (labels[1] > 0).sum() == 16


def test_fewer_kinds_of_cells_than_parts():
    tokens = person().view(8, 4, 6)
    tokens[2:5, :3] = tokens[:1, :3]  # head and trunk alike
    labels, kept = part_labels(tokens.flatten(0, 1)[None], (8, 4))
    assert kept.all()
    found = labels.view(8, 4)[:, 0].tolist()
    assert found[5:] == [found[5]] * 3 and found[:5] == [found[0]] * 5
    assert found[0] < found[5]


def test_wrong_grid_is_refused():
    with pytest.raises(ValueError, match='32 tokens are no grid of 4x4'):
        part_labels(person()[None], (4, 4))


def test_gradients_stay_outside():
    tokens = person()[None].requires_grad_()
    assert not any(t.requires_grad for t in part_labels(tokens, (8, 4)))
