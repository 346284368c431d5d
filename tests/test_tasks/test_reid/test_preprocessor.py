import math

import numpy as np
import pytest
import torch

from mmpretrain.registry import MODELS
from saip_mm.tasks.reid.preprocessor import draw_box
from .samples import make_samples

SIZE = (256, 128)
AREA, ASPECT = (0.02, 1 / 3), (0.3, 1 / 0.3)


def build(**settings):
    return MODELS.build(
        dict(
            type='PersonPreprocessor',
            mean=[127.5] * 3,
            std=[127.5] * 3,
            **settings))


def batch(count, value=255, size=(32, 16)):
    images = torch.full((count, 3, *size), value, dtype=torch.uint8)
    return dict(inputs=list(images), data_samples=make_samples(range(count)))


def test_boxes_follow_the_law():
    """Against the same law by NumPy: shares and shapes by their quantiles."""
    torch.manual_seed(0)
    boxes = np.array([draw_box(SIZE, AREA, ASPECT) for _ in range(4000)])
    top, left, h, w = boxes.T
    assert (h < 256).all() and (w < 128).all()
    assert (top + h <= 256).all() and (left + w <= 128).all()
    rng, wanted = np.random.default_rng(0), []
    while len(wanted) < 4000:
        pixels = rng.uniform(*AREA) * 256 * 128
        ratio = math.exp(rng.uniform(math.log(.3), -math.log(.3)))
        box = round((pixels * ratio)**.5), round((pixels / ratio)**.5)
        if box[0] < 256 and box[1] < 128:
            wanted.append(box)
    for found, law in zip((h, w), np.array(wanted).T):
        quantiles = (.1, .5, .9)
        np.testing.assert_allclose(
            np.quantile(found, quantiles),
            np.quantile(law, quantiles),
            rtol=0.06)
    # every place is as likely: both borders are reached
    assert (top == 0).any() and (top + h == 256).any()
    assert np.mean(top / (256 - h)) == pytest.approx(.5, abs=.02)
    assert np.mean(left / (128 - w)) == pytest.approx(.5, abs=.02)


def test_erases_with_noise_of_one_after_normalising():
    torch.manual_seed(0)
    images = build()(batch(400), training=True)['inputs']
    erased = (images != 1.).any(1)  # white is 1
    touched = erased.flatten(1).any(1)
    assert float(touched.float().mean()) == pytest.approx(.5, abs=.08)
    noise = images[:, 0][erased]
    assert float(noise.mean()) == pytest.approx(0., abs=.03)
    assert float(noise.std()) == pytest.approx(1., abs=.03)
    assert float(noise.max()) > 2.5  # not cut off at white
    for mask in erased[touched][:20]:  # one box, whole
        rows, columns = mask.nonzero().T
        box = mask[rows.min():rows.max() + 1, columns.min():columns.max() + 1]
        assert box.all() and len(rows) == box.numel()


def test_erases_in_training_only():
    for settings, training in ((dict(), False), (dict(erase_prob=0.), True)):
        images = build(**settings)(batch(20), training)['inputs']
        assert (images == 1.).all()


def test_follows_from_the_seed():
    found = []
    for _ in range(2):
        torch.manual_seed(3)
        found.append(build()(batch(8), training=True)['inputs'])
    assert torch.equal(*found)


def test_a_box_that_never_fits():
    assert draw_box((4, 400), (.3, .3), (100., 100.)) is None


@pytest.mark.parametrize('settings', [
    dict(erase_prob=1.5),
    dict(erase_area=(0.4, 0.1)),
    dict(erase_area=(0, 0.1)),
    dict(erase_aspect=(2, 1))
])
def test_wrong_settings(settings):
    with pytest.raises(ValueError, match='erase_prob lies in .0, 1.'):
        build(**settings)
