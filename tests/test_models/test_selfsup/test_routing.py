from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmengine.model import BaseModule
from torch.nn.modules.batchnorm import _BatchNorm

from mmpretrain.registry import MODELS
from saip_mm.engine import EncoderMetaHook, IterationSeedHook
from saip_mm.models import Encoder, Request
from saip_mm.models.selfsup.routing import encode
from ..tiny_saip import BACKBONES, VIT, build, saip_config, total, views_of

LOSSES = {'csm', 'csr', 'css'}


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


def test_a_model_without_heads_is_refused():
    with pytest.raises(ValueError, match='at least one objective'):
        build('vit', LOSSES)


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
    with pytest.raises(
            ValueError, match="head 'two' gives .*loss_ask.*leave one head"):
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


@MODELS.register_module()
class WishHead(BaseModule):
    """Asks for what its config says, as (view, role, tokens, mask)."""

    def __init__(self, student_dims, expert_dims, wishes=(), init_cfg=None):
        super().__init__(init_cfg)
        self.wishes = wishes
        self.layer = torch.nn.Linear(student_dims.image, 1)

    def averaged(self):
        return {}

    def requests(self, views):
        return [Request(*wish) for wish in self.wishes]

    def loss(self, answers, views, averages):
        return {}


def wishing(*wishes, **kwargs):
    head = dict(type='WishHead', wishes=wishes)
    return build('vit', heads=dict(wish=head), **kwargs)


ANCHOR = ('anchor', 'student', ('inner', ))


def test_heads_that_ask_the_student_for_nothing_are_refused():
    with pytest.raises(ValueError, match=r"\['wish'\] ask the student for"):
        wishing(('anchor', 'expert', ('image', )))


@pytest.mark.parametrize('view', ['ancor', 'scales_1', 'background', 'Canvas'])
def test_views_of_no_known_kind_are_refused(view):
    match = f"head 'wish' asks for view '{view}'.*anchor, scale, local, clean"
    with pytest.raises(ValueError, match=match):
        wishing(ANCHOR, (view, 'expert', ('inner', )))


def test_views_that_a_batch_lacks_are_named():
    model = wishing(('scale_2', 'student', ('inner', )))
    model.answers(views_of(model))
    match = "head 'wish' asks for view 'scale_2'.*: known are scale_1$"
    with pytest.raises(ValueError, match=match):
        model.answers(views_of(model, num_scales=1))


def test_another_preprocessor_makes_views_of_its_own():
    """It says no kinds, so only a batch tells what there is."""
    model = wishing(
        ('depth', 'student', ('inner', )),
        data_preprocessor=dict(type='mmengine.BaseDataPreprocessor'))
    views = SimpleNamespace(images=dict(depth=torch.randn(2, 3, 64, 32)))
    assert model.answers(views)['wish'][0].tokens.inner.shape == (2, 8, 16)
    with pytest.raises(ValueError, match='BaseDataPreprocessor says nothing'):
        model.input_statistics
    checkpoint = dict(meta={})
    EncoderMetaHook().before_save_checkpoint(
        SimpleNamespace(model=model), checkpoint)
    assert set(checkpoint['meta']['encoder']) == {
        'backbone', 'untrained', 'patch_index', 'stride'
    }


@pytest.mark.parametrize('mask, got', [
    ([[True] * 8] * 4, 'list'),
    (None, 'NoneType'),
    (torch.zeros(4, 8), r'\(4, 8\) of torch.float32'),
    (torch.zeros(4, 7, dtype=torch.bool), r'\(4, 7\) of torch.bool'),
    (torch.zeros(8, dtype=torch.bool), r'\(8,\) of torch.bool'),
])
def test_what_a_mask_function_returns_is_checked(mask, got):
    model = wishing(ANCHOR + (lambda given: mask, ))
    match = rf"head 'wish'.* 'anchor' must return a \(4, 8\) bool.*{got}"
    with pytest.raises(ValueError, match=match):
        model.answers(views_of(model))


def test_a_student_of_patch_14_beside_an_expert_of_16():
    """The rehearsal's pictures are multiples of both."""
    sides = []

    class Looking(WishHead):

        def requests(self, views):
            sides.append(tuple(views.images['anchor'].shape[-2:]))
            return super().requests(views)

    odd = VIT | dict(img_size=(56, 28), patch_size=14)
    frozen = dict(
        type='FrozenExpert', encoder=dict(backbone=VIT, patch_index=1))
    model = build(
        encoder=dict(type='PersonEncoder', backbone=odd, patch_index=1),
        expert=frozen,
        heads=dict(look=dict(type=Looking, wishes=[ANCHOR])))
    assert sides == [(112, 112)] and model.encoder.dims.stride == 14
    views = SimpleNamespace(images=dict(anchor=torch.randn(2, 3, 56, 28)))
    assert model.answers(views)['look'][0].tokens.grid == (4, 2)


def test_a_heads_own_init_cfg_counts_and_reaches_its_average():
    """And moves no draw of the encoder, which is initialised before."""

    class Averaging(WishHead):

        def averaged(self):
            return dict(layer=self.layer)

    fill = dict(type='Constant', layer='Linear', val=0.25, bias=0.5)
    heads = dict(one=dict(type=Averaging, wishes=[ANCHOR]))
    plain = build(heads=heads)
    heads['one']['init_cfg'] = fill
    model = build(heads=heads)
    for layer in (model.heads['one'].layer, model.expert.layer):
        assert (layer.weight == 0.25).all() and (layer.bias == 0.5).all()
    assert not (plain.heads['one'].layer.weight == 0.25).any()
    for name, value in plain.encoder.state_dict().items():
        assert torch.equal(model.encoder.state_dict()[name], value), name


def test_initialising_draws_nothing_for_heads_without_init_cfg():
    """They drew when they were built: older seeds give the same weights."""
    head = dict(
        type='MaskedReconstructionHead',
        decoder=dict(dims=16, depth=2, num_heads=2))
    torch.manual_seed(0)
    model = MODELS.build(saip_config(heads=dict(mae=head)))
    built = {k: v.clone() for k, v in model.heads.state_dict().items()}
    model.init_weights()
    for name, value in model.heads.state_dict().items():
        assert torch.equal(value, built[name]), name


def test_what_stays_untrained_is_told(log):
    """A loss on the class token alone leaves the norm of inner tokens."""
    wishing(('anchor', 'student', ('image', )))
    assert ("objectives ['wish'] read image tokens only: 2 tensors of the "
            'encoder beyond them are frozen') in log.text
    assert 'patch_index' not in log.text  # it would leave as many
    log.clear()
    wishing(('anchor', 'student', ('inner', )))
    assert 'are frozen, and stay as they started: encoder.patch_index' in (
        log.text)
    log.clear()
    wishing(('anchor', 'student', ('image', 'inner', 'final')))
    assert 'are frozen' not in log.text


@pytest.mark.parametrize('backbone', BACKBONES)
def test_blanked_cells_show_the_mean_colour_and_stay(backbone):
    """Any number of them, none of them dropped; one view both ways."""
    model = build(backbone).eval()
    image = torch.randn(4, 3, 64, 32)
    cells = torch.rand(4, 8) < 0.4
    cells[0], cells[1] = False, True
    asked = [
        Request('anchor', 'student', ('final', )),
        Request('anchor', 'student', ('final', ), blank=cells)
    ]
    whole, less = encode(model.encoder, dict(anchor=image), asked)
    for i in range(4):
        for place in cells[i].nonzero().flatten().tolist():
            y, x = 16 * (place // 2), 16 * (place % 2)
            image[i, :, y:y + 16, x:x + 16] = 0
    expected = model.encoder(image, tokens=('final', )).final
    torch.testing.assert_close(less.final, expected)
    assert whole.final.shape == less.final.shape
    torch.testing.assert_close(whole.final[0], less.final[0])
    assert not torch.allclose(whole.final[1], less.final[1])


def test_a_blank_may_wait_for_the_expert_too():

    def blank(given):
        norms = given[0].inner.norm(dim=-1)
        return norms > norms.mean(1, keepdim=True)

    model = wishing(('anchor', 'expert', ('inner', )), ANCHOR + (None, blank))
    cells = model.answers(views_of(model))['wish'][1].request.blank
    assert cells.shape == (4, 8) and cells.any() and not cells.all()
    with pytest.raises(ValueError, match=r'return a \(4, 8\) bool'):
        wishing(ANCHOR + (None, lambda given: None)).answers(views_of(model))
    with pytest.raises(ValueError, match="expert's anchor is a function"):
        Request('anchor', 'expert', ('inner', ), blank=blank)


def test_final_tokens_tell_their_grid_where_it_is_another():
    for backbone, grid in (('vit', None), ('starnet', (2, 1))):
        model = build(backbone)
        tokens, = encode(model.encoder, dict(anchor=torch.zeros(2, 3, 64, 32)),
                         [Request('anchor', 'student', ('final', ))])
        assert tokens.final_grid == grid and tokens.grid == (4, 2)
        rows, columns = grid or tokens.grid
        assert tokens.final.shape[1] == rows * columns
