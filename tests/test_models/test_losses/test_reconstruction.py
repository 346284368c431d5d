import pytest
import torch

from saip_mm.models.losses import masked_patch_loss, patchify
from saip_mm.models.losses.reconstruction import unpatchify


def restate(pred, images, mask, patch, eps=1e-6):
    """Eq. 2 patch by patch on float64, straight from the image's pixels."""
    total, count = 0., 0
    columns = images.shape[3] // patch
    for b in range(len(images)):
        for cell in range(mask.shape[1]):
            if not mask[b, cell]:
                continue
            y, x = cell // columns * patch, cell % columns * patch
            values = [
                images[b, c, y + i, x + j].item() for i in range(patch)
                for j in range(patch) for c in range(3)
            ]
            mean = sum(values) / len(values)
            var = sum((v - mean)**2 for v in values) / (len(values) - 1)
            for k, value in enumerate(values):
                target = (value - mean) / (var + eps)**0.5
                total += (pred[b, cell, k].item() - target)**2
                count += 1
    return total / count


@pytest.mark.parametrize('size', [(4, 2), (6, 4), (2, 6)])
def test_equals_loops_in_float64(size):
    torch.manual_seed(0)
    patch = 2
    images = torch.randn(2, 3, *size, dtype=torch.float64)
    length = size[0] * size[1] // patch**2
    mask = torch.rand(2, length) < 0.6
    mask[:, 0] = True
    pred = torch.randn(2, length, 3 * patch**2, dtype=torch.float64)
    loss = masked_patch_loss(pred, patchify(images, patch), mask)
    expected = restate(pred, images, mask, patch)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_patches_go_back_to_the_image():
    images = torch.randn(2, 3, 32, 48)
    patches = patchify(images, 16)
    assert patches.shape == (2, 6, 768)
    torch.testing.assert_close(unpatchify(patches, (2, 3), 16), images)


def test_visible_patches_do_not_count():
    images = torch.randn(1, 3, 32, 16)
    mask = torch.tensor([[True, False]])
    pred = torch.zeros(1, 2, 768)
    before = masked_patch_loss(pred, patchify(images), mask)
    pred[:, 1] = 1e6
    assert masked_patch_loss(pred, patchify(images), mask) == before


def test_indivisible_side_is_named():
    with pytest.raises(ValueError, match='40x16'):
        patchify(torch.zeros(1, 3, 40, 16))
