import numpy as np
import pytest
import torch

pytest.importorskip('mmseg')

from saip_mm.tasks.part_seg import ace2p  # noqa: E402

IGNORED = 255


def slow_edges(label, width=3):
    """Pixel by pixel, block by block."""
    rows, columns = label.shape
    marked = []
    for r in range(rows):
        for c in range(columns):
            block = {
                label[y, x]
                for y in (r, r + 1)
                for x in (c, c + 1) if y < rows and x < columns
            } - {IGNORED}
            if len(block) > 1:
                marked.append((r, c))
    out = np.zeros_like(label)
    for r in range(rows):
        for c in range(columns):
            near = (max(abs(r - y), abs(c - x)) for y, x in marked)
            out[r, c] = min(near, default=99) <= width // 2
    out[label == IGNORED] = IGNORED
    return out


@pytest.mark.parametrize('size', [(1, 1), (1, 6), (7, 5), (9, 12)])
@pytest.mark.parametrize('width', [1, 3, 5])
def test_edges_as_restated(size, width):
    rng = np.random.default_rng(sum(size) + width)
    # large patches, some of them ignored
    label = np.array([0, 1, 19,
                      IGNORED])[rng.integers(0, 4,
                                             [-(-side // 3) for side in size])]
    label = np.kron(label, np.ones((3, 3), int))[:size[0], :size[1]]
    batch = torch.from_numpy(np.stack([label, label[::-1]]))
    found = ace2p.edge_targets(batch, width)
    assert found.dtype == torch.int64
    for own, other in zip(found.numpy(), (label, label[::-1])):
        assert (own == slow_edges(other, width)).all()


def test_a_straight_edge_is_three_pixels_wide():
    label = torch.zeros(1, 8, 8, dtype=torch.int64)
    label[:, :, 4:] = 7
    for turned in (label, label.transpose(1, 2), label.flip(2)):
        assert ace2p.edge_targets(turned).sum() == 3 * 8


def test_what_is_ignored_makes_no_edge():
    label = torch.full((1, 6, 6), 3)
    label[:, 2:4] = IGNORED
    assert set(ace2p.edge_targets(label).unique().tolist()) == {0, IGNORED}


def test_an_edge_of_even_width_is_refused():
    with pytest.raises(ValueError, match='is 2 pixels: give an odd'):
        ace2p.edge_targets(torch.zeros(1, 3, 3, dtype=torch.int64), 2)


def slow_balanced(logits, target):
    """A weighted mean; the weight of a class is the other's share."""
    pairs = [(x, int(t))
             for x, t in zip(
                 np.moveaxis(logits, 1, -1).reshape(-1, 2).astype(float),
                 target.ravel()) if t != IGNORED]
    counts = [sum(t == kind for _, t in pairs) for kind in (0, 1)]
    total = weights = 0.
    for x, t in pairs:
        weight = counts[1 - t] / len(pairs)
        total += weight * (np.log(np.exp(x).sum()) - x[t])
        weights += weight
    return total / weights


@pytest.mark.parametrize('share', [0.1, 0.5, 0.9])
def test_balanced_loss_as_restated(share):
    rng = np.random.default_rng(int(10 * share))
    logits = rng.normal(size=(2, 2, 5, 7)).astype(np.float32) * 3
    target = (rng.random((2, 5, 7)) < share).astype(int)
    target[0, :2] = IGNORED
    found = ace2p.balanced_edge_loss(
        torch.from_numpy(logits), torch.from_numpy(target))
    assert found.item() == pytest.approx(slow_balanced(logits, target), 1e-5)


def test_balanced_loss_without_edges_and_without_pixels():
    logits = torch.randn(1, 2, 3, 3, requires_grad=True)
    target = torch.zeros(1, 3, 3, dtype=torch.int64)
    alone = torch.nn.functional.cross_entropy(logits, target)
    assert ace2p.balanced_edge_loss(logits, target).item() == pytest.approx(
        alone.item())
    none = ace2p.balanced_edge_loss(logits, target + IGNORED)
    none.backward()
    assert none == 0 and (logits.grad == 0).all()


def test_with_a_refined_target_it_is_the_divergence():
    logits = torch.randn(1, 2, 3, 3)
    target = torch.randint(0, 2, (1, 3, 3))
    loss = ace2p.BalancedEdgeLoss(loss_weight=2.)
    assert loss(logits, target) == 2 * ace2p.balanced_edge_loss(logits, target)
    assert abs(loss(logits, target, logits.softmax(1)).item()) < 1e-6


class TestConsistency:
    """Five pixels of class 0, three of class 1; edge at 4, widened 3 to 5."""
    label = torch.tensor([[[0, 0, 0, 0, 0, 1, 1, 1]]])

    def logits(self, classes, count, sure=4.):
        classes = torch.tensor(classes)[None, None]
        return sure * torch.nn.functional.one_hot(classes, count).movedim(
            3, 1).float()

    def test_worked_by_hand(self):
        """The parsing's edge is one pixel further: 4 to 6. Of the labels'
        three it has 4 and 5. The branch has 3 and 4: they differ at 3 and
        5."""
        parsing = self.logits([0, 0, 0, 0, 0, 0, 1, 1], 3)
        edge = self.logits([0, 0, 0, 1, 1, 0, 0, 0], 2)
        assert ace2p.edge_consistency(
            parsing, edge, self.label).item() == pytest.approx(2 / 3)
        parsing = self.logits(self.label[0, 0].tolist(), 3)
        edge = self.logits([1, 0, 0, 1, 1, 1, 0, 1], 2)  # elsewhere: no matter
        assert ace2p.edge_consistency(parsing, edge, self.label) == 0

    def test_gradient_where_asked_for_and_to_the_branch_alone(self):
        parsing = self.logits([0, 0, 0, 0, 0, 0, 1, 1], 3).requires_grad_()
        edge = self.logits([0, 0, 0, 1, 1, 0, 0, 0], 2).requires_grad_()
        assert not ace2p.edge_consistency(parsing, edge,
                                          self.label).requires_grad
        loss = ace2p.EdgeConsistencyLoss(loss_weight=0.5, gradient=True)
        value = loss(parsing, edge, self.label)
        right = torch.tensor(4.).sigmoid().item()
        # parsing 0 1 1, branch: right, right, 1 - right
        assert value.item() == pytest.approx(0.5 * (right +
                                                    (1 - right) + right) / 3)
        value.backward()
        assert parsing.grad is None
        touched = edge.grad.abs().sum((0, 1, 2)) > 0
        assert touched.tolist() == [False] * 3 + [True] * 3 + [False] * 2

    def test_nothing_to_compare(self):
        parsing, edge = torch.randn(1, 3, 1, 8), torch.randn(1, 2, 1, 8)
        for label in (torch.zeros_like(self.label), self.label * 0 + IGNORED):
            assert ace2p.edge_consistency(parsing, edge, label) == 0
