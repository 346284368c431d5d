import copy

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from saip_mm.models import SAIP, ViewPretraining
from ..tiny_saip import BACKBONES, build, total, views_of

LOSSES = {'csm', 'csr', 'css'}


def test_the_three_losses_are_summed():
    """Eq. 4; their weights are the heads' own."""
    model = build('vit')
    assert type(model) is SAIP and isinstance(model, ViewPretraining)
    views = views_of(model)
    torch.manual_seed(3)
    losses = model(views, mode='loss')
    terms = [losses[f'loss_{name}'] for name in LOSSES]
    assert all(term > 0 for term in terms)
    torch.testing.assert_close(model.parse_losses(losses)[0], sum(terms))
    for weight, name in enumerate(sorted(LOSSES), start=2):
        model.heads[name].loss_weight = weight
        model.heads['csm'].center.zero_()
        torch.manual_seed(3)
        heavier = model(views, mode='loss')[f'loss_{name}']
        torch.testing.assert_close(heavier, weight * losses[f'loss_{name}'])


@pytest.mark.parametrize('backbone', BACKBONES)
def test_every_trainable_parameter_gets_a_gradient(backbone):
    model = build(backbone)
    losses = model(views_of(model), mode='loss')
    assert {k for k in losses if 'loss' in k} == {f'loss_{n}' for n in LOSSES}
    total(losses).backward()
    for name, param in model.named_parameters():
        if name.startswith('expert.'):
            assert not param.requires_grad and param.grad is None, name
        else:
            assert param.requires_grad, name
            assert param.grad is not None, name
            assert param.grad.isfinite().all(), name


def test_three_losses_fall_on_one_batch():
    model = build('vit')
    views = views_of(model)
    model.heads['csm'].center_momentum = 1.  # the targets stand still
    optim = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], 5e-3)
    first = None
    for _ in range(40):
        torch.manual_seed(0)  # the same mask every step
        losses = model(views, mode='loss')
        optim.zero_grad()
        total(losses).backward()
        optim.step()
        first = first or {k: v.item() for k, v in losses.items()}
    for name in ('loss_csr', 'loss_css'):
        assert losses[name] < 0.9 * first[name]
    assert losses['loss_csm'] < first['loss_csm']


def _rank_gradients(rank, port, views, path, centering):
    dist.init_process_group(
        'gloo', f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    model = build('vit')
    model.heads['csm'].centering = centering
    half = slice(2 * rank, 2 * rank + 2)
    part = copy.deepcopy(views)
    part.images = {k: v[half] for k, v in views.images.items()}
    part.boxes = {k: v[half] for k, v in views.boxes.items()}
    part.distractors = {k: v[half] for k, v in views.distractors.items()}
    ddp = torch.nn.parallel.DistributedDataParallel(model)
    fix_mask(model, half)
    total(ddp(part, mode='loss')).backward()
    grads = {
        n: p.grad
        for n, p in model.named_parameters() if p.grad is not None
    }
    torch.save((grads, model.heads['csm'].center), f'{path}/{rank}.pth')
    dist.destroy_process_group()


def fix_mask(model, part=slice(None)):
    """Hide the first three quarters of scale_1's patches, image by image."""
    head = model.heads['csr']

    def draw_masked(views):
        image = views.images['scale_1']
        length = image.shape[-2] // 16 * (image.shape[-1] // 16)
        rolls = [
            torch.arange(length).roll(i) < 3 * length // 4 for i in range(4)
        ]
        return 'scale_1', torch.stack(rolls)[part]

    head.draw_masked = draw_masked


@pytest.mark.parametrize('centering', ['mean', 'sinkhorn'])
def test_two_ranks_equal_one_with_both_halves(tmp_path, free_port, centering):
    model = build('vit')
    model.heads['csm'].centering = centering
    views = views_of(model)
    fix_mask(model)
    total(model(views, mode='loss')).backward()
    mp.spawn(
        _rank_gradients, (free_port, views, str(tmp_path), centering),
        nprocs=2)
    for rank in range(2):
        grads, center = torch.load(tmp_path / f'{rank}.pth')
        torch.testing.assert_close(center, model.heads['csm'].center)
        for name, param in model.named_parameters():
            if param.grad is not None:
                torch.testing.assert_close(
                    grads[name], param.grad, atol=1e-5, rtol=1e-4)
