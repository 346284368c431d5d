import pytest
import torch
import torch.nn.functional as F

from saip_mm.tasks.reid import BNNeckHead, batch_hard_triplet
from .samples import make_samples

LABELS = [0, 0, 1, 1, 2, 2]


def build(**settings):
    torch.manual_seed(0)
    return BNNeckHead(**{**dict(num_classes=3, in_channels=4), **settings})


@pytest.fixture
def feats():
    torch.manual_seed(1)
    return [torch.randn(6, 4) for _ in range(3)]


def normed(f):
    return (f - f.mean(0)) / (f.var(0, unbiased=False) + 1e-5).sqrt()


def test_losses_are_those_of_the_equations(feats):
    head = build()
    found = head.loss(feats[:1], make_samples(LABELS))
    labels = torch.tensor(LABELS)
    scores = normed(feats[0]) @ head.classifiers[0].weight.T
    expected = F.cross_entropy(scores, labels)  # no smoothing
    torch.testing.assert_close(found['loss_id'], expected)
    torch.testing.assert_close(found['loss_tri'],
                               batch_hard_triplet(feats[0], labels))
    right = (scores.argmax(1) == labels).float().mean()
    assert float(found['acc']) == pytest.approx(100 * float(right))


def test_the_whole_counts_as_much_as_the_parts(feats):
    head = build(branches=3)
    found = head.loss(feats, make_samples(LABELS))
    single = []
    for i, f in enumerate(feats):
        one = build()
        one.classifiers[0].load_state_dict(head.classifiers[i].state_dict())
        single.append(one.loss([f], make_samples(LABELS)))
    for key in ('loss_id', 'loss_tri'):
        a, b, c = (losses[key] for losses in single)
        torch.testing.assert_close(found[key], a / 2 + (b + c) / 4)


def test_searched_by_what_comes_before_the_norm(feats):
    head = build().eval()
    torch.testing.assert_close(head(feats[:1]), F.normalize(feats[0]))
    found = head.predict(feats[:1], make_samples(LABELS))
    torch.testing.assert_close(found[4].feature, F.normalize(feats[0])[4])
    assert found[4].gt_label.tolist() == [2]
    assert len(head.predict(feats[:1])) == 6  # without samples


def test_or_after_it(feats):
    head = build(neck_feat='after').eval()
    head.norms[0].running_mean += 1.
    after = (feats[0] - 1) / (1 + 1e-5)**0.5
    torch.testing.assert_close(head(feats[:1]), F.normalize(after))


def test_parts_stand_beside_the_whole(feats):
    head = build(branches=3)
    whole, one, two = feats
    expected = F.normalize(torch.cat((whole, one / 2, two / 2), 1))
    torch.testing.assert_close(head(feats), expected)


def test_start():
    head = build(num_classes=400, in_channels=50)
    norm, classifier = head.norms[0], head.classifiers[0]
    assert not norm.bias.requires_grad and not norm.bias.any()
    assert norm.weight.requires_grad and (norm.weight == 1).all()
    assert (norm.eps, norm.momentum) == (1e-5, 0.1)
    assert classifier.bias is None
    assert float(classifier.weight.detach().std()) == pytest.approx(
        1e-3, rel=0.02)


def test_wrong_side_of_the_norm():
    with pytest.raises(ValueError, match="'before' or 'after' .*'middle'"):
        build(neck_feat='middle')
