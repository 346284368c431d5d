"""A frozen expert out of a file: what it computes, and what it refuses."""
import copy

import pytest
import timm
import torch
import torch.nn.functional as F

from mmpretrain.registry import MODELS
from saip_mm.engine.optim import BackboneLayerDecayOptimWrapperConstructor
from saip_mm.weights import convert_backbone, file_sha256
from ...expert_files import joined, path_weights, save_path_file
from ...test_weights import layouts
from ..tiny_saip import VIT, batch_of_crops, build, total, views_of

DECODER = dict(dims=16, depth=1, num_heads=2)
CSR = dict(type='CrossScaleReconstructionHead', decoder=DECODER)
CSS = dict(type='CrossScaleSearchHead', decoder=DECODER)
CHANNELS = dict(
    type='CrossScaleMatchingHead',
    decoder=dict(type='AlignmentDecoder', hidden_dims=16, bottleneck_dims=8))
SHARED = dict(
    type='CrossScaleMatchingHead',
    decoder=dict(
        type='ImageDecoder',
        hidden_dims=16,
        bottleneck_dims=8,
        num_prototypes=32))


@pytest.fixture(scope='module')
def path_file(tmp_path_factory):
    return save_path_file(tmp_path_factory.mktemp('path') / 'path_vitb.pth')


def expert_of(file, **kwargs):
    return MODELS.build(dict(type='FrozenExpert', checkpoint=file, **kwargs))


def reference(weights):
    """timm's own transformer with PATH's weights."""
    model = timm.create_model(
        'vit_tiny_patch16_224',
        embed_dim=64,
        depth=12,
        num_heads=1,
        mlp_ratio=2,
        num_classes=0).eval()
    model.load_state_dict(joined(weights))
    return model


def plain_norm(x):
    return F.layer_norm(x, x.shape[-1:])


@torch.no_grad()
def test_tokens_of_a_path_file_are_those_of_another_library(path_file):
    """By default of block 10, with a norm without parameters."""
    model, images = reference(path_weights()), torch.randn(2, 3, 224, 224)
    last, blocks = model.forward_intermediates(
        images, indices=[6, 10], return_prefix_tokens=True, output_fmt='NLC')
    expert = expert_of(path_file)
    assert len(expert.encoder.backbone.layers) == 11
    out = expert.encoder(images, tokens=('image', 'inner', 'final'))
    patches, prefix = blocks[1]
    near = dict(atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(out.image, plain_norm(prefix[:, 0]), **near)
    torch.testing.assert_close(out.final, plain_norm(patches), **near)
    torch.testing.assert_close(out.inner, out.final, **near)
    # and the last block with its norm, where that is asked for
    expert = expert_of(
        path_file,
        out_index=-1,
        encoder=dict(patch_index=6, image_source='mean'))
    out = expert.encoder(images, tokens=('image', 'inner', 'final'))
    torch.testing.assert_close(out.final, plain_norm(last[:, 1:]), **near)
    torch.testing.assert_close(out.image, plain_norm(last[:, 1:].mean(1)),
                               **near)
    torch.testing.assert_close(out.inner, plain_norm(blocks[0][0]), **near)


def test_the_layer_is_chosen_by_what_was_trained(tmp_path):
    weights = joined(path_weights())  # nothing in it says PATH
    file = tmp_path / 'joined.pth'
    torch.save(weights, file)
    assert len(expert_of(str(file)).encoder.backbone.layers) == 12
    weights['blocks.11.attn.qkv.weight'] *= 0.03
    torch.save(dict(model=weights), file)
    assert len(expert_of(str(file)).encoder.backbone.layers) == 11
    whole = expert_of(str(file), out_index=11, final_norm=False).encoder
    assert len(whole.backbone.layers) == 12 and not whole.backbone.final_norm
    found = convert_backbone(path_weights())  # says it in its meta
    torch.save(found.checkpoint(), file)
    assert len(expert_of(str(file)).encoder.backbone.layers) == 11
    with pytest.raises(ValueError, match='out_index 12 is outside the 12'):
        expert_of(str(file), out_index=12)


def test_a_file_of_the_real_shapes(tmp_path):
    """151 tensors of ViT-B, one number each in the file."""
    file = str(tmp_path / 'path_vitb.pth')
    weights = layouts.path()
    assert len(weights) == 151
    assert sum(v.numel() for v in weights.values()) == 85_798_656
    torch.save(weights, file)
    expert = expert_of(file)
    assert expert.dims_for(None).image == 768
    depth, block = 11, 7_087_872
    embeddings = 768 * (3 * 16 * 16 + 1 + 1 + 197)
    assert sum(
        p.numel() for p in
        expert.encoder.backbone.parameters()) == embeddings + depth * block


@pytest.mark.parametrize('change, error', [
    (lambda w: w.pop('blocks.3.mlp.fc1.bias'), 'layers.3.*bias is missing'),
    (lambda w: w.update({'blocks.3.norm1.bias': torch.ones(9)}), 'has shape'),
    (lambda w: w.update({'blocks.3.ls1.gamma': torch.ones(64)}),
     'TimmEncoder'),
    (lambda w: w.update(pos_embed=torch.ones(1, 193, 64)), 'may be a grid'),
    (lambda w: w.clear() or w.update(a=torch.ones(2)), 'no known layout'),
])
def test_another_file_is_refused(tmp_path, change, error):
    weights = path_weights()
    change(weights)
    file = str(tmp_path / 'other.pth')
    torch.save(weights, file)
    with pytest.raises(ValueError, match=f'other.pth cannot be.*{error}'):
        expert_of(file)


def test_a_missing_or_foreign_file_is_told(tmp_path, path_file):
    with pytest.raises(
            FileNotFoundError,
            match='frozen.*nowhere.pth does not.*checkpoint=FILE'):
        expert_of(str(tmp_path / 'nowhere.pth'))
    digest = file_sha256(path_file)
    assert expert_of(
        path_file, sha256=digest[:8]).source == dict(
            file=path_file, name=path_file, sha256=digest)
    with pytest.raises(ValueError, match='the config says 00000000'):
        expert_of(path_file, sha256='0' * 8)
    with pytest.raises(ValueError, match='8 digits'):
        expert_of(path_file, sha256=digest[:4])
    with pytest.raises(ValueError, match='12345678 of the expert is a number'):
        expert_of(path_file, sha256=12345678)
    with pytest.raises(ValueError, match='needs weights'):
        MODELS.build(dict(type='FrozenExpert'))
    with pytest.raises(ValueError, match='choose a block of a plain'):
        MODELS.build(
            dict(
                type='FrozenExpert',
                out_index=2,
                encoder=dict(
                    backbone=dict(
                        type='StrideMapBackbone', model_name='starnet_s3'))))


@torch.no_grad()
def test_soliders_swin_gives_its_map_of_stride_16(tmp_path):
    """Its own tensors, as another class of mmpretrain reads them."""
    backbone = MODELS.build(
        dict(
            type='mmpretrain.SwinTransformer',
            arch='tiny',
            out_indices=(0, 1, 2, 3),
            pad_small_map=True))
    backbone.eval()
    weights = {f'backbone.{k}': v for k, v in backbone.state_dict().items()}
    weights['backbone.semantic_embed_w.0.weight'] = torch.ones(192, 2)
    weights['head.mlp.0.weight'] = torch.ones(4, 4)
    file = str(tmp_path / 'solider.pth')
    torch.save(dict(teacher=weights), file)
    expert = expert_of(file)
    assert expert.dims_for(None).inner == 384
    assert expert.dims_for(None).image == 768
    images = torch.randn(1, 3, 64, 32)
    maps = backbone(images)
    out = expert.encoder(images)
    assert out.grid == (4, 2)
    torch.testing.assert_close(out.inner,
                               plain_norm(maps[2].flatten(2).transpose(1, 2)))


@pytest.mark.parametrize('csm', [CHANNELS, SHARED], ids=['channels', 'shared'])
@pytest.mark.parametrize('backbone', ['vit', 'starnet', 'tinyvit'])
def test_three_steps_leave_it_as_it_is(path_file, backbone, csm):
    """D 16, 64 or 256 beside 64; in no optimiser, nothing in the file."""
    model = build(
        backbone,
        expert=dict(type='FrozenExpert', checkpoint=path_file),
        heads=copy.deepcopy(dict(csm=csm, csr=CSR, css=CSS)))
    frozen = {
        k: v.clone()
        for k, v in model.expert.encoder.state_dict().items()
    }
    wrapper = BackboneLayerDecayOptimWrapperConstructor(
        dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-3)))(
            model)
    held = {id(p) for g in wrapper.param_groups for p in g['params']}
    assert not held & {id(p) for p in model.expert.parameters()}
    model.train()
    before = {k: v.clone() for k, v in model.heads.state_dict().items()}
    for seed in range(3):
        data = model.data_preprocessor(batch_of_crops(seed=seed), True)
        wrapper.update_params(total(model(**data, mode='loss')))
        model.expert.update(model, 0.9)
    assert not any(m.training for m in model.expert.modules())
    for key, value in model.expert.encoder.state_dict().items():
        assert torch.equal(value, frozen[key]), key
    learnt = {
        k.split('.')[0]
        for k, v in model.heads.state_dict().items()
        if not torch.equal(v, before[k])
    }
    assert learnt == {'csm', 'csr', 'css'}
    averages = [k for k in model.state_dict() if k.startswith('expert.')]
    assert bool(averages) is (csm is SHARED)
    assert not any(k.startswith('expert.encoder.') for k in averages)
    if csm is SHARED and backbone == 'vit':  # the others are 64 wide, too
        adapter = model.heads['csm'].adapter
        assert (adapter.in_features,
                adapter.out_features) == (model.encoder.dims.image, 64)
        assert not torch.equal(adapter.weight, before['csm.adapter.weight'])


def test_shared_prototypes_learn_with_instances_too(path_file):
    head = dict(
        type='InstanceMatchingHead',
        decoder=dict(
            type='InstanceDecoder', hidden_dims=16, bottleneck_dims=8))
    model = build(
        'vit',
        expert=dict(type='FrozenExpert', checkpoint=path_file),
        heads=dict(csm=head))
    model(views_of(model), mode='loss')['loss_csm'].backward()
    assert model.heads['csm'].adapter.weight.grad.abs().sum() > 0


def test_channels_have_temperatures_of_their_own(path_file):
    expert = dict(type='FrozenExpert', checkpoint=path_file)
    model = build('vit', expert=expert, heads=dict(csm=CHANNELS))
    head = model.heads['csm']
    assert (head.student_temperature, head.expert_temperature) == (1.5, 0.6)
    entropy = model(views_of(model), mode='loss')['health/entropy']
    assert 2 < entropy < 4.16  # of log 64; at 0.04 it is below 1
    head.expert_temperature = 0.04
    assert model(views_of(model), mode='loss')['health/entropy'] < 1
    plain = build('vit', heads=dict(csm=SHARED)).heads['csm']
    assert (plain.student_temperature, plain.expert_temperature) == (.1, .04)


def test_under_autocast_it_computes_low_and_answers_in_full(path_file):
    expert = expert_of(path_file)
    seen = []
    expert.encoder.backbone.layers[0].attn.qkv.register_forward_hook(
        lambda m, args, out: seen.append(out.dtype))
    wishes = ('image', 'inner', 'final', 'attention')
    with torch.no_grad(), torch.autocast('cpu', torch.bfloat16):
        out = expert.encoder(torch.randn(1, 3, 64, 32), tokens=wishes)
    assert seen == [torch.bfloat16]
    assert all(getattr(out, name).dtype == torch.float32 for name in wishes)


FOURTEEN = dict(backbone=VIT | dict(img_size=(56, 28), patch_size=14))


@torch.no_grad()
def test_a_patch_of_14_gives_the_grid_of_16():
    """224x112 of a view of 256x128; masks are of the same cells."""
    expert = MODELS.build(dict(type='FrozenExpert', encoder=FOURTEEN))
    assert expert.dims_for(None).stride == 16
    sizes = []
    embed = expert.encoder.backbone.patch_embed
    embed.register_forward_pre_hook(
        lambda m, args: sizes.append(tuple(args[0].shape[2:])))
    out = expert.encoder(torch.randn(1, 3, 256, 128))
    assert out.grid == (16, 8) and sizes == [(224, 112)]
    mask = torch.arange(128)[None] >= 32
    out = expert.encoder(torch.randn(1, 3, 256, 128), mask, ('inner', ))
    assert out.inner.shape[1] == 32
    with pytest.raises(ValueError, match='views of 250x128.* 16 pixels'):
        expert.encoder(torch.randn(1, 3, 250, 128))


def test_a_picture_in_between_is_resized_and_not_cut():
    """A horizontal ramp stays one, whatever the patch."""
    expert = MODELS.build(dict(type='FrozenExpert', encoder=FOURTEEN))
    ramp = torch.linspace(0, 1, 128).expand(1, 3, 64, 128)
    resized, = expert._prepare(None, (ramp, ))
    assert resized.shape == (1, 3, 56, 112)
    wanted = (torch.arange(112) + .5) * 128 / 112 - .5
    torch.testing.assert_close(
        resized[0, 0, 20, 5:-5], wanted[5:-5] / 127, atol=1e-3, rtol=0)


def test_its_own_stride_can_be_kept():
    expert = MODELS.build(
        dict(type='FrozenExpert', encoder=FOURTEEN, stride=14))
    assert expert.dims_for(None).stride == 14
    with pytest.raises(ValueError, match='not divisible by the 14x14'):
        expert.encoder(torch.randn(1, 3, 64, 32))


def test_a_student_learns_from_a_patch_of_14():
    model = build(
        'vit',
        expert=dict(type='FrozenExpert', encoder=FOURTEEN),
        heads=copy.deepcopy(dict(csm=CHANNELS, csr=CSR, css=CSS)))
    assert model.data_preprocessor.cell == 16
    losses = model(views_of(model), mode='loss')
    total(losses).backward()
    assert all(v.isfinite() for v in losses.values())


@torch.no_grad()
@pytest.mark.parametrize('backbone, widths', [
    (dict(
        type='mmpretrain.ConvNeXt',
        arch=dict(depths=[1] * 4, channels=[8, 16, 24, 32]),
        out_indices=(1, 2, 3),
        gap_before_final_norm=False), (32, 24)),
    (dict(
        type='mmpretrain.ResNet',
        depth=18,
        base_channels=8,
        stem_channels=8,
        out_indices=(2, 3)), (64, 32)),
    (dict(
        type='mmpretrain.VisionTransformer',
        arch=VIT['arch'],
        img_size=64,
        out_type='featmap'), (16, 16)),
])
def test_any_backbone_of_mmpretrain(backbone, widths):
    expert = MODELS.build(
        dict(type='FrozenExpert', encoder=dict(backbone=backbone)))
    dims = expert.dims_for(None)
    assert (dims.image, dims.inner, dims.stride) == (*widths, 16)
    assert not any(m.training for m in expert.modules())
    assert expert.train() is expert and expert.source == {}
    images = torch.randn(2, 3, 64, 32)
    mask = torch.tensor([[True] * 6 + [False] * 2] * 2)
    out = expert.encoder(images, mask)
    assert out.inner.shape == (2, 2, widths[1]) and out.grid == (4, 2)
