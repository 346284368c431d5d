import pytest
import torch
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from torch import nn

from mmpretrain.registry import MODELS
from ...test_models.tiny_saip import ARCH, BACKBONES
from ..toy import ToyModel, toy_runner

CONSTRUCTOR = 'mmpretrain.BackboneLayerDecayOptimWrapperConstructor'
VIT = dict(
    type='mmpretrain.GridVisionTransformer',
    arch=ARCH | dict(num_layers=4),
    img_size=(64, 32),
    patch_size=16)
# whatever the default scope is
STARNET, TINYVIT = (
    BACKBONES[name] | dict(type='mmpretrain.StrideMapBackbone')
    for name in ('starnet', 'tinyvit'))


class Dense(nn.Module):
    """A backbone with a head, as every dense library has them."""

    def __init__(self, backbone):
        super().__init__()
        self.backbone = MODELS.build(backbone)
        self.head = nn.Conv2d(4, 4, 1)


def build(model, lr=1., **paramwise):
    return build_optim_wrapper(
        model,
        dict(
            type='OptimWrapper',
            optimizer=dict(type='AdamW', lr=lr, weight_decay=0.1),
            constructor=CONSTRUCTOR,
            paramwise_cfg=paramwise))


def rates(model, wrapper):
    """Learning rate and weight decay by parameter name."""
    named = {id(p): name for name, p in model.named_parameters()}
    found = [(named[id(p)], (group['lr'], group['weight_decay']))
             for group in wrapper.optimizer.param_groups
             for p in group['params']]
    assert len(found) == len(named) == len(dict(found))
    return dict(found)


def by_layer(found, beginnings):
    """The one learning rate of all parameters with each beginning."""
    for beginning in beginnings:
        lrs = {v[0] for k, v in found.items() if k.startswith(beginning)}
        assert len(lrs) == 1, (beginning, lrs)
        yield lrs.pop()


@pytest.mark.parametrize('scope', ['mmpretrain', 'mmengine'])
def test_plain_transformer(scope):
    init_default_scope(scope)
    model = Dense(VIT)
    found = rates(model, build(model, layer_decay_rate=0.5))
    for name in ('cls_token', 'pos_embed', 'patch_embed.projection.weight'):
        assert found[f'backbone.{name}'][0] == 0.5**5
    blocks = [f'backbone.layers.{i}.' for i in range(4)]
    assert list(by_layer(found, blocks)) == [0.5**4, 0.5**3, 0.5**2, 0.5]
    assert list(by_layer(found, ['backbone.ln1.', 'head.'])) == [1, 1]


def test_full_size_transformer_has_the_factors_of_vitpose():
    model = Dense(VIT | dict(arch='deit-tiny', img_size=(256, 128)))
    found = rates(model, build(model, 5e-4, layer_decay_rate=0.8))
    # 12 blocks: 0.8^13 for the patches, 0.8^1 for the last block
    assert found['backbone.patch_embed.projection.weight'][0] == pytest.approx(
        5e-4 * 0.8**13)
    assert found['backbone.layers.0.attn.qkv.weight'][0] == pytest.approx(
        5e-4 * 0.8**12)
    assert found['backbone.layers.11.attn.qkv.weight'][0] == pytest.approx(
        5e-4 * 0.8)


@pytest.mark.parametrize('out_index', [1, 3])
def test_starnet(out_index):
    """Two blocks and four: the number is the model's, cut ones left out."""
    model = Dense(STARNET
                  | dict(depths=(1, 1, 1, 1), out_indices=(out_index, )))
    found = rates(model, build(model, layer_decay_rate=0.5))
    blocks = out_index + 1
    name = 'backbone.timm_model.stages_{}.{}.'
    for stage in range(blocks):
        down, block = by_layer(found,
                               [name.format(stage, i) for i in range(2)])
        assert down == block == 0.5**(blocks - stage)
    stem, = by_layer(found, ['backbone.timm_model.stem_0.'])
    assert stem == 0.5**(blocks + 1)


def test_tinyvit():
    model = Dense(TINYVIT)
    found = rates(model, build(model, layer_decay_rate=0.5))
    stages = model.backbone.timm_model
    names = [
        f'backbone.timm_model.stages_{s}.blocks.{b}.' for s in range(4)
        for b in range(len(getattr(stages, f'stages_{s}').blocks))
    ]
    expected = [0.5**(len(names) - i) for i in range(len(names))]
    assert list(by_layer(found, names)) == expected
    down, = by_layer(found, ['backbone.timm_model.stages_1.downsample.'])
    assert down == found[
        'backbone.timm_model.stages_1.blocks.0.attn.qkv.weight'][0]
    patches, = by_layer(found, ['backbone.timm_model.patch_embed.'])
    assert patches == 0.5**(len(names) + 1)


@pytest.mark.parametrize(
    'backbone', [VIT, STARNET, TINYVIT], ids=['vit', 'starnet', 'tinyvit'])
@pytest.mark.parametrize('rate', [0.8, 1.0])
def test_weight_decay_spares_vectors_tokens_positions_biases(backbone, rate):
    init_default_scope('mmpretrain')
    model = Dense(backbone)
    wrapper = build(model, layer_decay_rate=rate)
    for name, (lr, decay) in rates(model, wrapper).items():
        spared = dict(
            model.named_parameters())[name].ndim == 1 or name.endswith(
                ('cls_token', 'pos_embed', 'attention_biases'))
        assert decay == (0 if spared else 0.1), name
        assert rate < 1 or lr == 1
    if rate == 1:
        assert len(wrapper.optimizer.param_groups) == 2
    # the log shows the base rate, which every schedule multiplies alike
    assert wrapper.get_lr()['lr'][0] == 1 and 'base_lr' not in wrapper.get_lr()


def test_custom_keys_multiply():
    model = Dense(VIT)
    keys = {
        'backbone': dict(lr_mult=0.5),
        'backbone.layers.3.attn': dict(lr_mult=2., decay_mult=0.5),
        'head': dict(decay_mult=0.)
    }
    found = rates(model, build(model, layer_decay_rate=0.5, custom_keys=keys))
    assert found['backbone.patch_embed.projection.weight'] == (0.5**6, 0.1)
    assert found['backbone.ln1.weight'] == (0.5, 0)
    # of both keys the longer one alone; a vector stays without decay
    assert found['backbone.layers.3.attn.qkv.weight'] == (1, 0.05)
    assert found['backbone.layers.3.attn.qkv.bias'] == (1, 0)
    assert found['head.weight'] == (1, 0)
    with pytest.raises(ValueError, match=r"custom_keys\['head'\] takes lr_m"):
        build(model, custom_keys=dict(head=dict(lr=0.1)))


def test_frozen_parameters_are_left_out():
    model = Dense(VIT | dict(frozen_stages=2))
    groups = build(model, layer_decay_rate=0.5).optimizer.param_groups
    assert not [p for g in groups for p in g['params'] if not p.requires_grad]
    assert {g['lr'] for g in groups} == {1, 0.5, 0.25}


def test_several_processes_wrap_the_model(tmp_path):
    torch.distributed.init_process_group(
        'gloo', f'file://{tmp_path}/store', rank=0, world_size=1)
    try:
        model = Dense(VIT)
        wrapped = MMDistributedDataParallel(model)
        found = rates(model, build(wrapped, layer_decay_rate=0.5))
    finally:
        torch.distributed.destroy_process_group()
    assert found['backbone.cls_token'][0] == 0.5**5


def test_unknown_backbones_are_refused():
    model = Dense(dict(type='mmpretrain.ResNet', depth=18))
    with pytest.raises(ValueError, match="none that are known.*'conv1.weight"):
        build(model, layer_decay_rate=0.8)
    assert len(build(model).optimizer.param_groups) == 2
    with pytest.raises(ValueError, match='Conv2d has none'):
        build(nn.Conv2d(1, 1, 1), layer_decay_rate=0.8)


@pytest.mark.parametrize('paramwise', [
    dict(layer_decay_rate=0.8, num_layers=12),
    dict(layer_decay_rate=0.),
    dict(layer_decay_rate=1.2),
    dict(bias_decay_mult=0.),
])
def test_other_settings_are_refused(paramwise):
    with pytest.raises(ValueError, match=r'rate in \(0, 1\], got'):
        build(nn.Conv2d(1, 1, 1), **paramwise)


@pytest.mark.parametrize('optimizer, fused', [
    (dict(type='AdamW'), True),
    (dict(type='AdamW', fused=False), False),
    (dict(type='AdamW', foreach=True), None),
    (dict(type='SGD', lr=0.1), None),
])
def test_adam_is_fused_unless_the_config_decides(optimizer, fused):
    wrapper = build_optim_wrapper(
        nn.Linear(2, 2),
        dict(
            type='OptimWrapper',
            optimizer=dict(lr=0.1) | optimizer,
            constructor=CONSTRUCTOR))
    assert wrapper.optimizer.defaults['fused'] == fused


def test_decay_groups():
    init_default_scope('mmpretrain')
    model = ToyModel()
    decayed, exempt = build(model, 0.1).optimizer.param_groups
    named = {id(p): n for n, p in model.named_parameters()}
    assert sorted(named[id(p)] for p in decayed['params']) == [
        'encoder.conv.weight', 'heads.csm.prototypes.weight'
    ]
    assert sorted(named[id(p)] for p in exempt['params']) == [
        'encoder.cls_token', 'encoder.conv.bias', 'encoder.norm.bias',
        'encoder.norm.weight'
    ]
    assert (decayed['weight_decay'], exempt['weight_decay']) == (0.1, 0.)


def test_no_decay_names_can_be_chosen():
    init_default_scope('mmpretrain')
    wrapper = build(ToyModel(), no_decay=['prototypes'])
    assert [len(g['params']) for g in wrapper.optimizer.param_groups] == [2, 4]
    with pytest.raises(ValueError, match='no_decay'):
        build(ToyModel(), bias_lr_mult=2.)


def test_everything_decays_where_none_is_said():
    init_default_scope('mmpretrain')
    wrapper = build(
        ToyModel(), 0.1, no_decay=None, custom_keys=dict(bias=dict(lr_mult=2)))
    plain, fast = wrapper.optimizer.param_groups
    assert (len(plain['params']), len(fast['params'])) == (4, 2)
    # the config's own rate is what the log shows
    assert fast['lr'] == 2 * plain['lr']
    assert plain['weight_decay'] == fast['weight_decay'] == 0.1


def test_frozen_parameters_take_no_optimiser_state(tmp_path):
    runner = toy_runner(tmp_path, ['ExpertUpdateHook'], epochs=1)
    runner.train()
    assert not is_model_wrapper(runner.model)
    with_state = {id(p) for p in runner.optim_wrapper.optimizer.state}
    trainable = {id(p) for p in runner.model.parameters() if p.requires_grad}
    assert with_state == trainable
