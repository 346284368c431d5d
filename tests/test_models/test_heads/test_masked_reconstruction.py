import numpy as np
import pytest
import torch

from saip_mm.visualization import draw_reconstruction
from ..published import assert_mmpretrain_agrees
from ..tiny_saip import VIT, batch_of_crops, build


def mae(**kwargs):
    head = dict(
        type='MaskedReconstructionHead',
        decoder=dict(dims=16, depth=1, num_heads=2),
        **kwargs)
    encoder = dict(
        type='PlainEncoder',
        patch_index=1,
        backbone=VIT | dict(init='mae', positions='fixed'))
    return build(type='ViewPretraining', heads=dict(mae=head), encoder=encoder)


def views_of(model, **kwargs):
    data = batch_of_crops(num_scales=0, num_locals=0, **kwargs)
    return model.data_preprocessor(data, True)['views']


def test_only_a_clean_view_and_no_expert():
    model = mae()
    views = views_of(model)
    assert list(views.images) == ['clean'] and model.expert is None
    model(views, mode='loss')['loss_mae'].backward()
    for name, param in model.named_parameters():
        assert (param.grad is not None) == param.requires_grad, name
        idle = name.startswith('encoder.patch_norm') or 'pos_embed' in name
        assert param.requires_grad != idle, name


def test_loss_equals_a_loop():
    model = mae().eval()
    views = views_of(model)
    torch.manual_seed(1)
    loss = model(views, mode='loss')['loss_mae']
    torch.manual_seed(1)
    asked, pred = model.heads['mae'].predict(model.answers(views)['mae'])
    assert asked.mask.sum(1).tolist() == [6] * 4
    terms = []
    for image, mask, patches in zip(views.images['clean'], asked.mask, pred):
        for place in mask.nonzero().flatten().tolist():
            y, x = 16 * (place // 2), 16 * (place % 2)
            pixels = image[:, y:y + 16, x:x + 16].permute(1, 2, 0)
            pixels = pixels.double().flatten()
            target = (pixels - pixels.mean()) / (pixels.var() + 1e-6).sqrt()
            terms.append((patches[place] - target).square().mean())
    torch.testing.assert_close(loss.double(), torch.stack(terms).mean())


def test_hidden_pixels_are_never_seen():
    model = mae().eval()
    views = views_of(model)
    torch.manual_seed(1)
    asked, pred = model.heads['mae'].predict(model.answers(views)['mae'])
    hidden = asked.mask.view(4, 1, 4, 2).repeat_interleave(16, 2)
    hidden = hidden.repeat_interleave(16, 3)
    views.images['clean'] = views.images['clean'].masked_fill(hidden, 9.)
    torch.manual_seed(1)
    again = model.heads['mae'].predict(model.answers(views)['mae'])[1]
    assert torch.equal(pred, again)


def test_it_learns_one_batch():
    model = mae()
    views = views_of(model)
    table = model.encoder.backbone.pos_embed.clone()
    optim = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], 5e-3)
    losses = []
    for _ in range(60):
        torch.manual_seed(0)
        loss = model(views, mode='loss')['loss_mae']
        optim.zero_grad()
        loss.backward()
        optim.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    assert torch.equal(model.encoder.backbone.pos_embed, table)


def test_published_backbone_is_mmpretrains(tmp_path):
    model = mae()
    assert_mmpretrain_agrees(model, tmp_path)


def test_picture_of_a_reconstruction():
    model = mae()
    picture = draw_reconstruction(model, views_of(model))
    titles = [32 + 16, len('predicted, true mean') * 8, 40]
    assert picture.shape == (16 + 4 * 68, sum(titles) + 12, 3)
    assert picture.dtype == np.uint8


def test_any_view_may_be_painted_and_others_are_named():
    model = mae(view='scale_2', mask_ratio=0.5)
    views = model.data_preprocessor(batch_of_crops(), True)['views']
    assert list(views.images) == ['scale_1', 'scale_2']
    (asked, _), = model.answers(views)['mae']
    length = views.images['scale_2'][0, 0].numel() // 256
    assert asked.view == 'scale_2' and asked.role == 'student'
    assert asked.mask.sum(1).tolist() == [length - length // 2] * 4
    with pytest.raises(ValueError, match="no view 'ancor': known are anchor"):
        mae(view='ancor')
