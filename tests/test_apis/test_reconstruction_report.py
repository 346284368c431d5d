import sys

import pytest
import torch

from saip_mm.apis import reconstruction_report
from saip_mm.apis.reconstruction_report import AnchorErrors, anchor_errors
from saip_mm.models.losses import masked_patch_loss, patchify
from ..test_models.tiny_saip import build, views_of

MODULE = sys.modules[anchor_errors.__module__]


def test_errors_by_hand(monkeypatch):
    """Painted right by the own anchor, not at all by another's."""
    model = build('vit')
    views = views_of(model, num_scales=1)
    head = model.heads['csr']
    target = patchify(views.images['scale_1'], head.stride)
    read = []

    def reconstruct(visible, mask, anchor):
        read.append(anchor.inner)
        zeros = torch.zeros_like(target)
        if len(read) == 2:
            return zeros
        var = target.var(-1, keepdim=True)
        mean = target.mean(-1, keepdim=True)
        return (target - mean) / (var + 1e-6).sqrt()

    monkeypatch.setattr(head, 'reconstruct', reconstruct)
    own, other = anchor_errors(model, views)
    assert own.shape == other.shape == (4, )
    torch.testing.assert_close(own, torch.zeros(4), atol=1e-6, rtol=0)
    patch = target.shape[-1]  # unbiased variance of 1
    torch.testing.assert_close(
        other, torch.full((4, ), (patch - 1) / patch), atol=1e-3, rtol=0)
    torch.testing.assert_close(read[1], read[0][[3, 0, 1, 2]])


def test_errors_of_pictures_average_to_the_loss():
    model = build('vit').train(False)
    views = views_of(model)
    torch.manual_seed(3)
    own, _ = anchor_errors(model, views)
    torch.manual_seed(3)
    with torch.no_grad():
        answers = model.answers(views)['csr']
    head = model.heads['csr']
    asked, painted = head.predict(answers)
    target = patchify(views.images[asked.view], head.stride)
    loss = masked_patch_loss(painted, target, asked.mask)
    torch.testing.assert_close(own.mean(), loss)


def test_what_cannot_be_scored_is_named():
    model = build('vit', ('csr', ))
    with pytest.raises(ValueError, match='no head of .* reconstructs'):
        anchor_errors(model, views_of(model))
    model = build('vit')
    with pytest.raises(ValueError, match='batch_size must be 2'):
        anchor_errors(model, views_of(model, batch=1))


def test_report_is_of_all_batches(config, tmp_path, monkeypatch):
    given = iter([(.5, .75), (.25, 1.)] * 2)
    monkeypatch.setattr(
        MODULE, 'anchor_errors',
        lambda *_: AnchorErrors(*(torch.tensor([e, .5]) for e in next(given))))
    model = build('vit')
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'a.pth')
    lines = reconstruction_report(
        str(config), str(tmp_path / 'a.pth'), batches=2, batch=2).splitlines()
    assert lines[0].startswith('4 pictures, ')
    assert [line[24:].split() for line in lines[2:]] == [
        ['100.0', '100.0'],
        ['50.0'],
        ['43.8', '68.8', '50.0'],
        ['43.8', '68.8', '50.0'],
    ]
    assert [line.split()[0] for line in lines[-2:]] == ['random', 'model']
