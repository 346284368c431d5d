import numpy as np
import pytest
import torch

from saip_mm.visualization import draw
from ..test_models.tiny_saip import VIT, build
from .test_draw import samples


def test_a_perfect_prediction_shows_the_original(monkeypatch):
    from saip_mm.models.losses import patchify
    model = build('vit')
    head = model.heads['csr']
    seen = {}

    def know_all(visible, mask, anchor):
        patches = patchify(seen['views'].images[seen['name']])
        mean = patches.mean(-1, keepdim=True)
        return (patches - mean) / (patches.var(-1, keepdim=True) + 1e-6).sqrt()

    draw_masked = head.draw_masked

    def spy(views):
        name, mask = draw_masked(views)
        seen.update(views=views, name=name)
        return name, mask

    monkeypatch.setattr(head, 'draw_masked', spy)
    monkeypatch.setattr(head, 'reconstruct', know_all)
    picture = draw('reconstruction', model, samples(1))
    height, width = seen['views'].images[seen['name']].shape[-2:]
    # columns: anchor 32 wide (title 48), masked, predicted, original
    left = [max(32, 8 * len('anchor')) + 4]
    left.append(left[0] + max(width, 8 * len('masked')) + 4)
    left.append(left[1] + max(width, 8 * len('predicted, true mean')) + 4)
    predicted = picture[16:16 + height, left[1]:left[1] + width]
    original = picture[16:16 + height, left[2]:left[2] + width]
    assert np.abs(predicted.astype(int) - original.astype(int)).max() <= 1


def test_switched_off_objective_is_named():
    model = build('vit', ('csr', ))
    with pytest.raises(ValueError, match='no head of .* predicts patches'):
        draw('reconstruction', model, samples())


def test_the_head_that_predicts_is_drawn():
    """Whatever its name; its own view is masked, and no other is read."""
    head = dict(
        type='MaskedReconstructionHead',
        decoder=dict(dims=16, depth=1, num_heads=2))
    encoder = dict(type='PlainEncoder', patch_index=1, backbone=VIT)
    model = build(
        type='ViewPretraining', heads=dict(any=head), encoder=encoder)
    picture = draw('reconstruction', model, samples(2))
    # masked (48), predicted (160), clean (40 for 32 pixels), and gaps
    assert picture.shape == (16 + 2 * 68, 48 + 160 + 40 + 3 * 4, 3)
    masked, original = picture[16:80, :32], picture[16:80, 216:248]
    grey = torch.tensor(model.data_preprocessor.mean).mul(255).round().byte()
    hidden = (masked == grey.numpy()).all(-1)
    # six of eight patches; none of the pictures is grey by itself
    assert hidden.sum() == 6 * 256
    assert np.array_equal(masked[~hidden], original[~hidden])
