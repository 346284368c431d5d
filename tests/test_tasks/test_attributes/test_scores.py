"""Scores of attributes against loops, and numbers worked out by hand."""
import numpy as np
import pytest

from saip_mm.tasks.attributes.scores import attribute_scores

LABELS = np.array([(1, 0, 1, 0), (0, 0, 1, 0), (1, 1, 0, 0), (0, 0, 0, 0)])
SCORES = np.array([(.9, .2, .5, .1), (.4, .6, .8, .3), (.7, .55, .51, .2),
                   (.1, .2, .3, .5)])


def divide(a, b):
    return a / b if b else 0.


def slow_scores(labels, scores):
    """The laws, one count at a time."""
    pictures, attributes = labels.shape
    accuracies, each = [], []
    for j in range(attributes):
        pos = neg = tp = tn = fp = 0
        for i in range(pictures):
            told = scores[i, j] > 0.5
            if labels[i, j] == 1:
                pos, tp = pos + 1, tp + told
            elif labels[i, j] == 0:
                neg, tn, fp = neg + 1, tn + (not told), fp + told
        posrec, negrec = divide(tp, pos), divide(tn, neg)
        prec = divide(tp, tp + fp)
        accuracies.append((posrec + negrec) / 2)
        each.append((posrec, negrec, prec, divide(tp, tp + fp + pos - tp),
                     divide(2 * prec * posrec, prec + posrec)))
    acc, prec, rec = [], [], []
    for i in range(pictures):
        has = {j for j in range(attributes) if labels[i, j] == 1}
        told = {j for j in range(attributes) if scores[i, j] > 0.5}
        acc.append(divide(len(has & told), len(has | told)))
        prec.append(divide(len(has & told), len(told)))
        rec.append(divide(len(has & told), len(has)))
    acc, prec, rec = (sum(v) / pictures for v in (acc, prec, rec))
    return dict(
        mA=sum(accuracies) / attributes,
        Acc=acc,
        Prec=prec,
        Rec=rec,
        F1=divide(2 * prec * rec, prec + rec)), np.array(each)


def test_numbers_worked_out_by_hand():
    mean, each = attribute_scores(LABELS, SCORES)
    assert each['mA'] == pytest.approx([1, .8333333, .5, .5], abs=1e-6)
    assert each['posrec'] == pytest.approx([1, 1, .5, 0])
    assert each['negrec'] == pytest.approx([1, .6666667, .5, 1], abs=1e-6)
    assert mean == pytest.approx(
        dict(
            mA=0.7083333,
            Acc=0.4166667,
            Prec=0.5416667,
            Rec=0.625,
            F1=0.5803571),
        abs=1e-6)


def test_a_thousand_random_cases():
    """With pictures and attributes that have nothing, and unlabelled ones."""
    rng = np.random.default_rng(0)
    for _ in range(1000):
        shape = tuple(rng.integers(1, 8, 2))
        labels = rng.choice((1, 0, -1), shape, p=(.3, .6, .1))
        scores = rng.integers(0, 11, shape) / 10  # .5 among them
        mean, each = attribute_scores(labels, scores)
        slow, slow_each = slow_scores(labels, scores)
        assert mean == pytest.approx(slow, abs=1e-12)
        for place, key in enumerate(('posrec', 'negrec', 'prec', 'acc', 'F1')):
            assert each[key] == pytest.approx(slow_each[:, place], abs=1e-12)


def test_corners():
    """One half is no attribute; nothing is skipped."""
    half = attribute_scores(np.array([[1], [0]]), np.array([[.5], [.5]]))
    assert half.mean['mA'] == 0.5 and half.mean['Rec'] == 0
    # no picture has it: half at most; all have it: the same
    assert attribute_scores(np.zeros((2, 1)), np.zeros(
        (2, 1))).mean['mA'] == 0.5
    assert attribute_scores(np.ones((2, 1)), np.ones((2, 1))).mean['mA'] == 0.5
    # nobody said: counts for no attribute, but what is told for the picture
    mean, each = attribute_scores(
        np.array([[1, -1], [1, 0]]), np.array([[.9, .9], [.9, .1]]))
    assert each['mA'].tolist() == [.5, .5] and each['share'].tolist() == [1, 0]
    assert mean['Prec'] == 0.75 and mean['Acc'] == 0.75 and mean['Rec'] == 1


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r'scores \(3, 2\) but labels \(3, '):
        attribute_scores(np.zeros((3, 4)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match='nothing to evaluate'):
        attribute_scores(np.zeros((0, 4)), np.zeros((0, 4)))
