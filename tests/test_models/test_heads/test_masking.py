import pytest
import torch

from saip_mm.models.heads.masking import draw_mask


@pytest.mark.parametrize('length, ratio, visible', [
    (8, 0.75, 2), (7, 0.75, 1), (10, 0.5, 5), (9, 0.5, 4), (6, 0., 6),
    (6, 1., 1), (3, 0.9, 1)])  # yapf: disable
def test_so_many_stay_visible_in_every_image(length, ratio, visible):
    mask = draw_mask(5, length, ratio)
    assert mask.shape == (5, length) and mask.dtype == torch.bool
    assert ((~mask).sum(1) == visible).all()


def test_all_places_are_hidden_alike():
    torch.manual_seed(0)
    shares = draw_mask(4000, 8, 0.75).double().mean(0)
    # 4 standard deviations of a share of 3/4 in 4000 draws
    assert (shares - 0.75).abs().max() < 4 * (3 / 16 / 4000)**0.5
    assert len({tuple(row) for row in draw_mask(200, 8, 0.5).tolist()}) > 60


def test_the_draw_is_that_of_torchs_seed():
    masks = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        masks.append(draw_mask(4, 32, 0.75))
    assert torch.equal(*masks[:2]) and not torch.equal(*masks[1:])
