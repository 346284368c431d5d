import math

import pytest
import torch

from saip_mm.tasks.text_reid.losses import (contrastive_loss,
                                            distribution_loss, projection_loss)

V = torch.tensor([(1., 0, 0), (0, 1, 0), (1, 1, 0)])
T = torch.tensor([(1., .2, 0), (0, 1, .5), (.3, 1, 0)])
IDS = torch.tensor([3, 7, 3])


@pytest.mark.parametrize('temperature, wanted', [(0.02, 12.4195976),
                                                 (1., 12.3462086)])
def test_golden_values(temperature, wanted):
    assert distribution_loss(V, T, IDS, temperature).item() == pytest.approx(
        wanted, rel=1e-6)


def unit(row):
    norm = math.sqrt(sum(x * x for x in row))
    return [x / norm for x in row]


def softmax(row):
    top = max(row)
    total = sum(math.exp(x - top) for x in row)
    return [math.exp(x - top) / total for x in row]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def slow_loss(images, sentences, ids, ask_image, ask_text):
    """Both directions in float64 loops."""
    total, count = 0., len(ids)
    for i in range(count):
        for logits in ([ask_image(images[i], s) for s in sentences],
                       [ask_text(sentences[i], v) for v in images]):
            same = [other == ids[i] for other in ids]
            for p, match in zip(softmax(logits), same):
                total += p * (math.log(p) - math.log(match / sum(same) + 1e-8))
    return total / count


@pytest.mark.parametrize('seed', range(4))
def test_against_loops(seed):
    torch.manual_seed(seed)
    v, t = torch.randn(2, 7, 5)
    ids = torch.randint(0, 3, (7, ))
    rows = v.double().tolist(), t.double().tolist(), ids.tolist()

    def cosine(a, b):
        return dot(unit(a), unit(b)) / 0.1

    wanted = slow_loss(*rows, cosine, cosine)
    assert distribution_loss(v, t, ids, 0.1).item() == pytest.approx(
        wanted, rel=1e-5)

    def onto(a, b):
        return dot(a, unit(b))

    wanted = slow_loss(*rows, onto, onto)
    assert projection_loss(v, t, ids).item() == pytest.approx(wanted, rel=1e-5)
    wanted = 0.
    for i in range(7):
        for asked, all_of in ((rows[0][i], rows[1]), (rows[1][i], rows[0])):
            p = softmax([cosine(asked, other) for other in all_of])[i]
            wanted -= math.log(p) / 14
    assert contrastive_loss(v, t, 0.1).item() == pytest.approx(
        wanted, rel=1e-5)


def test_order_of_the_batch_does_not_matter():
    torch.manual_seed(0)
    v, t = torch.randn(2, 6, 4)
    ids, order = torch.tensor([0, 1, 1, 2, 0, 0]), torch.randperm(6)
    for loss in (distribution_loss, projection_loss):
        torch.testing.assert_close(
            loss(v, t, ids), loss(v[order], t[order], ids[order]))


@pytest.mark.parametrize('value, said', [(0., 'zero'),
                                         (float('nan'), 'not finite')])
def test_vectors_without_direction_are_refused(value, said):
    broken = T.clone()
    broken[1] = value
    with pytest.raises(ValueError, match=f'sentence vector 1 .*is {said}'):
        distribution_loss(V, broken, IDS)
    with pytest.raises(ValueError, match=f'image vector 1 .*is {said}'):
        distribution_loss(broken, V, IDS)
