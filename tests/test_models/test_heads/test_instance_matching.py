import copy

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from saip_mm.models import InstanceMatchingHead
from ..tiny_saip import BACKBONES, batch_of_crops, build, saip_config

CSM = dict(
    type='InstanceMatchingHead',
    decoder=dict(type='InstanceDecoder', hidden_dims=16, bottleneck_dims=8))


def build_model(backbone='vit', without=(), **kwargs):
    heads = saip_config(backbone, without)['heads'] | dict(csm=CSM)
    return build(backbone, without, heads=heads, **kwargs)


def views_of(model, **kwargs):
    return model.data_preprocessor(batch_of_crops(**kwargs), True)['views']


@pytest.mark.parametrize('backbone', BACKBONES)
def test_student_gets_gradients_and_the_expert_none(backbone):
    model = build_model(backbone)
    losses = model(views_of(model), mode='loss')
    assert isinstance(model.heads['csm'], InstanceMatchingHead)
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    for name, param in model.named_parameters():
        found = param.grad is not None and bool(param.grad.isfinite().all())
        assert found is not name.startswith('expert.'), name
    assert losses['health/std'] > 0 and losses['health/expert_std'] > 0


def test_persons_told_apart_cost_less():
    model = build_model('vit', ('csr', 'css'))
    views = views_of(model)
    one = copy.deepcopy(views)
    one.images = {  # four times the first person
        k: v[:1].expand_as(v).contiguous()
        for k, v in views.images.items()
    }
    optim = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], 5e-3)
    for _ in range(30):
        loss = model(views, mode='loss')['loss_csm']
        optim.zero_grad()
        loss.backward()
        optim.step()
        model.expert.update(model, momentum=0.)
    assert loss < 1.  # of ln 4 = 1.39
    same = model(one, mode='loss')['loss_csm']
    assert same > 1.3  # nobody can be told from the others


def test_averaged_decoder_follows():
    model = build_model('vit', ('csr', 'css'))
    norms = [
        m for m in (*model.heads['csm'].decoder.mlp, *model.expert.decoder.mlp)
        if isinstance(m, torch.nn.BatchNorm1d)
    ]
    assert len(norms) == 4  # of two hidden layers, student's and expert's
    model(views_of(model), mode='loss')
    assert not torch.equal(norms[0].running_mean, norms[2].running_mean)
    model.expert.update(model, momentum=0.)
    for mine, theirs in zip(norms[2:], norms[:2]):
        torch.testing.assert_close(mine.running_var, theirs.running_var)


def test_frozen_expert_is_matched_by_an_aligned_decoder():
    csm = dict(
        type='InstanceMatchingHead',
        decoder=dict(
            type='AlignmentDecoder', hidden_dims=16, bottleneck_dims=8))
    expert = dict(
        type='FrozenExpert',
        encoder=dict(backbone=BACKBONES['starnet'], patch_index=1))
    model = build('vit', heads=dict(csm=csm), expert=expert)
    loss = model(views_of(model), mode='loss')['loss_csm']
    loss.backward()
    assert 0 < loss < 20  # 2 / T at most, and a little
    assert all(p.grad is not None for p in model.parameters()
               if p.requires_grad)


def _settle(model):
    """Normalise by buffers: the ranks have halves of the batch."""
    model.heads['csm'].decoder.eval()
    return model


def _rank_gradients(rank, port, views, path):
    dist.init_process_group(
        'gloo', f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    model = _settle(
        build_model(
            'vit', ('csr', 'css'),
            expert=dict(type='EmaExpert', batch_norm='ema')))
    part = copy.deepcopy(views)
    part.images = {
        k: v[2 * rank:2 * rank + 2]
        for k, v in views.images.items()
    }
    ddp = torch.nn.parallel.DistributedDataParallel(model)
    ddp(part, mode='loss')['loss_csm'].backward()
    torch.save(
        {
            n: p.grad
            for n, p in model.named_parameters() if p.grad is not None
        }, f'{path}/{rank}.pth')
    dist.destroy_process_group()


def test_two_ranks_equal_one_with_both_halves(tmp_path, free_port):
    model = _settle(
        build_model(
            'vit', ('csr', 'css'),
            expert=dict(type='EmaExpert', batch_norm='ema')))
    views = views_of(model)
    model(views, mode='loss')['loss_csm'].backward()
    mp.spawn(_rank_gradients, (free_port, views, str(tmp_path)), nprocs=2)
    expected = {
        n: p.grad
        for n, p in model.named_parameters() if p.grad is not None
    }
    for rank in range(2):
        grads = torch.load(tmp_path / f'{rank}.pth')
        assert grads.keys() == expected.keys()
        for name, grad in grads.items():
            torch.testing.assert_close(
                grad, expected[name], atol=1e-5, rtol=1e-4)
