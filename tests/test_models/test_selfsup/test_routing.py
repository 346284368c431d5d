import copy
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmengine.model import BaseModule
from torch.nn.modules.batchnorm import _BatchNorm

from mmpretrain.registry import MODELS
from saip_mm.engine import IterationSeedHook
from saip_mm.models import CrossScaleMatchingHead, Encoder, Request, TokenDims
from saip_mm.models.selfsup.routing import encode
from ..tiny_saip import BACKBONES, batch_of_crops, build

LOSSES = {'csm', 'csr', 'css'}


def total(losses):
    return sum(v for k, v in losses.items() if 'loss' in k)


def views_of(model, **kwargs):
    return model.data_preprocessor(batch_of_crops(**kwargs), True)['views']


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


@pytest.mark.parametrize('backbone', BACKBONES)
@pytest.mark.parametrize('without', [('csr', 'css'), ('csm', 'css'),
                                     ('csm', 'csr'), ('css', ), ('csr', ), ()])
def test_no_unused_parameter_remains_for_ddp(backbone, without):
    model = build(backbone, without)
    losses = model(views_of(model), mode='loss')
    total(losses).backward()
    unused = [
        name for name, param in model.named_parameters()
        if param.requires_grad and param.grad is None
    ]
    assert unused == []
    assert {k
            for k in losses
            if 'loss' in k} == {f'loss_{n}'
                                for n in LOSSES - set(without)}


def test_work_of_an_absent_objective_is_not_done(monkeypatch):
    model = build('vit', ('csr', 'css'))
    views = views_of(model)
    assert 'canvas' not in views.images
    calls = []
    forward = model.expert.encoder.forward
    monkeypatch.setattr(model.expert.encoder, 'forward',
                        lambda *a: calls.append(a[2]) or forward(*a))
    model(views, mode='loss')
    assert set(calls) == {frozenset({'image'})}


def test_views_of_one_size_share_a_forward(monkeypatch):
    model = build('vit')
    views = views_of(model)
    views.images['scale_1'] = views.images['scale_1'].new_zeros(4, 3, 64, 32)
    views.images['scale_2'] = views.images['scale_2'].new_zeros(4, 3, 64, 32)
    sizes = []
    forward = model.encoder.forward
    monkeypatch.setattr(
        model.encoder, 'forward',
        lambda x, *a, **k: sizes.append(tuple(x.shape)) or forward(x, *a, **k))
    model.answers(views)
    assert sorted(sizes) == [(8, 3, 32, 16), (12, 3, 64, 32)]


def test_tokens_do_not_depend_on_the_grouping():
    model = build('vit').eval()
    views = views_of(model)
    seen = 0
    for answers in model.answers(views).values():
        for request, out in answers:
            encoder = (
                model.encoder
                if request.role == 'student' else model.expert.encoder)
            alone = encoder(views.images[request.view], request.mask)
            for kind in request.tokens:
                seen += 1
                torch.testing.assert_close(
                    getattr(out, kind), getattr(alone, kind))
    assert seen == 5 + 3 + 2 + 3


def test_losses_are_float32_under_autocast():
    model = build('vit')
    views = views_of(model)
    with torch.autocast('cpu', torch.bfloat16):
        losses = model(views, mode='loss')
    assert all(v.dtype == torch.float32 for v in losses.values())
    total(losses).backward()


def test_center_moves_in_training_only():
    model = build('vit')
    views = views_of(model)
    center = model.heads['csm'].center
    model.eval()
    model(views, mode='loss')
    assert (center == 0).all()
    model.train()
    tokens = torch.cat([
        a.tokens.image for a in model.answers(views)['csm']
        if a.request.role == 'expert'
    ])
    mean = model.expert.decoder(tokens).mean(0)
    model(views, mode='loss')
    torch.testing.assert_close(center, 0.1 * mean)


def test_balanced_targets_need_no_center():
    model = build('vit')
    head = model.heads['csm']
    head.centering = 'sinkhorn'
    losses = model(views_of(model), mode='loss')
    assert (head.center == 0).all()
    assert losses['health/prototypes'] > 1
    total(losses).backward()
    with pytest.raises(ValueError, match="centering 'median' is unknown"):
        CrossScaleMatchingHead(
            TokenDims(6, 6, 6, 16), TokenDims(6, 6, 6, 16), centering='median')


def test_pairs_of_equation_1_to_the_letter():
    model = build('vit')
    head = model.heads['csm']
    head.expert_views, head.student_views = ['scale_1', 'scale_2'], ['anchor']
    views = views_of(model)
    model(views, mode='loss')['loss_csm'].backward()


def test_no_scales_needs_matching_alone():
    model = build('vit', ('csr', 'css'))
    model(views_of(model, num_scales=0), mode='loss')
    model = build('vit')
    with pytest.raises(ValueError, match='num_scales >= 1'):
        model(views_of(model, num_scales=0), mode='loss')


def test_a_model_without_heads_is_refused():
    with pytest.raises(ValueError, match='at least one objective'):
        build('vit', LOSSES)


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


def _count_collectives(rank, port, backbone, path):
    """Let BatchNorm wait for the other rank, as SyncBatchNorm does."""
    dist.init_process_group(
        'gloo', f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    model = build(backbone, expert=dict(type='EmaExpert')).train()
    calls = []

    def meet(module, args):
        calls.append(tuple(args[0].shape))
        shape = torch.tensor(args[0].shape)
        dist.all_reduce(shape)

    for module in model.modules():
        if isinstance(module, (_BatchNorm, Encoder)):
            module.register_forward_pre_hook(meet)
    runner = SimpleNamespace(seed=3)
    for runner.iter in range(4):
        IterationSeedHook().before_train_iter(runner, 0)
        views = views_of(model, seed=10 * runner.iter + rank)
        calls.append(float(views.images['anchor'].sum()))
        model(views, mode='loss')
    torch.save(calls, f'{path}/{rank}.pth')
    dist.destroy_process_group()


@pytest.mark.parametrize('backbone', BACKBONES)
def test_ranks_encode_the_same_shapes(tmp_path, free_port, backbone):
    """They would wait for each other for ever where BatchNorm is in step."""
    mp.spawn(
        _count_collectives, (free_port, backbone, str(tmp_path)), nprocs=2)
    calls = [torch.load(tmp_path / f'{rank}.pth') for rank in range(2)]
    shapes = [[c for c in some if isinstance(c, tuple)] for some in calls]
    assert shapes[0] == shapes[1] and len(set(shapes[0])) > 4
    pixels = [[c for c in some if isinstance(c, float)] for some in calls]
    assert not set(pixels[0]) & set(pixels[1])  # other persons and colours


@MODELS.register_module()
class AskingHead(BaseModule):
    """Asks for one view by two masks, and for one made of the answer."""

    def __init__(self, student_dims, expert_dims):
        super().__init__()
        self.seen = []

    def averaged(self):
        return {}

    def requests(self, views):
        rows, columns = (s // 16 for s in views.images['anchor'].shape[-2:])
        masks = torch.zeros(2, len(views.images['anchor']), rows * columns)
        masks[0, :, 0] = masks[1, :, 1] = 1

        def hide_largest(given):
            self.seen.append(given)
            norms = given[0].inner.norm(dim=-1)
            return norms >= norms.max(1, keepdim=True).values

        return [
            Request('anchor', 'student', ('final', ), masks[0].bool()),
            Request('clean', 'expert', ('inner', )),
            Request('anchor', 'student', ('final', ), masks[1].bool()),
            Request('anchor', 'student', ('final', ), hide_largest),
        ]

    def loss(self, answers, views, averages):
        self.answers = answers
        return dict(
            loss_ask=sum(a.tokens.final.square().mean() for a in answers
                         if a.request.role == 'student'))


def test_a_head_may_mask_one_view_several_times_and_by_the_experts_answer():
    model = build('vit', heads=dict(any=dict(type='AskingHead'))).eval()
    views = views_of(model)
    assert set(views.images) == {'anchor', 'clean'}
    model(views, mode='loss')['loss_ask'].backward()
    head = model.heads['any']
    answers = head.answers
    assert [a.request.view
            for a in answers] == ['anchor', 'clean'] + ['anchor'] * 2
    clean = model.expert.encoder(views.images['clean']).inner
    torch.testing.assert_close(head.seen[-1][0].inner, clean)
    for answer in answers[:1] + answers[2:]:
        mask = answer.request.mask
        assert mask.dtype == torch.bool and (mask.sum(1) == 1).all()
        alone = model.encoder(views.images['anchor'], mask, ('final', ))
        torch.testing.assert_close(answer.tokens.final, alone.final)
    norms = clean.norm(dim=-1)
    assert torch.equal(answers[3].request.mask.int().argmax(1),
                       norms.argmax(1))


@MODELS.register_module()
class LonelyHead(AskingHead):
    """Asks no expert."""

    def requests(self, views):
        return super().requests(views)[:1]


def test_there_is_no_expert_where_nobody_asks_for_one():
    model = build('vit', heads=dict(any=dict(type='LonelyHead')))
    assert model.expert is None
    assert not any(k.startswith('expert') for k in model.state_dict())
    model(views_of(model), mode='loss')['loss_ask'].backward()
    assert model.untrained == ['patch_norm.weight', 'patch_norm.bias']


@pytest.mark.parametrize('wrong, error', [
    (('anchor', 'teacher', ('image', )), "role 'teacher' is unknown"),
    (('anchor', 'student', ('patch', )), 'must be some of'),
    (('anchor', 'student', ()), 'must be some of'),
])
def test_requests_of_nothing_known_are_refused(wrong, error):
    with pytest.raises(ValueError, match=error):
        Request(*wrong)


def test_building_draws_nothing_for_the_rehearsal():
    """The rehearsed masks must not shift the draws of a training."""
    states = []
    for without in ((), ('csr', )):
        build('vit', without)
        model = build('vit')
        torch.manual_seed(7)
        model._restrict_to_heads()
        states.append(torch.rand(1))
    torch.manual_seed(7)
    assert states == [torch.rand(1)] * 2


def test_two_heads_do_not_lose_each_others_loss():
    ask = dict(type='AskingHead')
    model = build('vit', heads=dict(one=ask, two=ask))
    with pytest.raises(ValueError, match="head 'two' gives .*loss_ask"):
        model(views_of(model), mode='loss')


def test_one_mask_for_two_views():
    model = build('vit', heads=dict(any=dict(type='AskingHead'))).eval()
    images = dict.fromkeys(('anchor', 'clean'), torch.randn(4, 3, 64, 32))
    mask = torch.zeros(4, 8, dtype=torch.bool)
    mask[:, 0] = True
    asked = [Request(v, 'student', ('inner', ), mask) for v in images]
    for tokens in encode(model.encoder, images, asked):
        alone = model.encoder(images['anchor'], mask, ('inner', ))
        torch.testing.assert_close(tokens.inner, alone.inner)
    asked = [Request('anchor', 'student', ('inner', ), mask[:2])]
    with pytest.raises(ValueError, match=r'must be \(4, 8\) bool'):
        encode(model.encoder, images, asked)
