"""timm's hierarchical backbones: what saip_mm relies on, and changes."""
import copy

import pytest
import torch

import saip_mm.models  # noqa: F401
from mmpretrain.registry import MODELS

WIDTHS = dict(
    starnet_s3=(32, 64, 128, 256), tiny_vit_5m_224=(64, 128, 160, 320))
# backbones.md counts 5 493 792 and 5 071 764 with a final norm (512 and 640),
# which features_only leaves out
PARAMETERS = dict(starnet_s3=5493280, tiny_vit_5m_224=5071124)
SIZES = [(256, 128), (128, 64), (192, 96), (320, 160), (224, 224), (112, 56)]


@pytest.fixture(scope='module', params=WIDTHS)
def named(request):
    torch.manual_seed(0)
    model = MODELS.build(
        dict(type='StrideMapBackbone', model_name=request.param))
    model.eval()
    return request.param, model


def test_parameter_count(named):
    name, model = named
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize('size', SIZES)
@torch.no_grad()
def test_maps_at_strides_4_to_32(named, size):
    name, model = named
    maps = model(torch.randn(1, 3, *size))
    shape = list(size)
    expected = []
    for step in range(5):  # each step of stride 2 rounds up
        shape = [-(-side // 2) for side in shape]
        if step:
            expected.append((1, WIDTHS[name][step - 1], *shape))
    assert [tuple(m.shape) for m in maps] == expected


def test_every_parameter_gets_a_gradient(named):
    model = copy.deepcopy(named[1])
    model.train()  # in eval mode TinyViT caches its attention bias
    sum(m.square().mean() for m in model(torch.randn(2, 3, 64, 32))).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name


def test_stays_in_float32_under_autocast_on_a_cpu(named):
    """Small maps, on which oneDNN's bfloat16 gradients were random."""
    results = []
    for enabled in (False, True):
        model = copy.deepcopy(named[1])
        model.train()
        with torch.autocast('cpu', torch.bfloat16, enabled=enabled):
            maps = model(torch.ones(4, 3, 64, 32).cumsum(2) / 64)
        sum(m.square().mean() for m in maps).backward()
        results.append([p.grad for p in model.parameters()])
    torch.testing.assert_close(*results)


def started(name='starnet_s3', **kwargs):
    torch.manual_seed(0)
    model = MODELS.build(
        dict(type='StrideMapBackbone', model_name=name, **kwargs))
    model.init_weights()
    return model


@pytest.mark.parametrize('conv_init, depthwise, pointwise, bias', [
    ('default', 0.083, 0.102, 0.083),
    ('timm', 0.02, 0.02, 0.083),
])
def test_scale_of_starnets_convolutions(conv_init, depthwise, pointwise, bias):
    """Uniform within 1/sqrt(fan-in): 1/7/sqrt(3) and 1/sqrt(32 * 3)."""
    weights = started(conv_init=conv_init).state_dict()
    block = 'timm_model.stages_{}.1.{}.conv.{}'.format
    last, first = block(3, 'dwconv', 'weight'), block(0, 'f1', 'weight')
    assert weights[last].shape[1:] == (1, 7, 7)
    assert weights[first].shape[1] == 32
    assert weights[last].std().item() == pytest.approx(depthwise, rel=0.03)
    assert weights[first].std().item() == pytest.approx(pointwise, rel=0.03)
    biases = weights[block(3, 'dwconv', 'bias')]
    assert biases.std().item() == pytest.approx(bias, rel=0.1)


def test_other_models_start_as_timm_does():
    default, timm = (
        started('tiny_vit_5m_224', conv_init=c).state_dict()
        for c in ('default', 'timm'))
    assert all(torch.equal(default[key], timm[key]) for key in timm)
    with pytest.raises(ValueError, match="conv_init 'kaiming' is unknown"):
        started(conv_init='kaiming')


def test_a_checkpoint_wins(tmp_path):
    path = str(tmp_path / 'weights.pth')
    weights = started(conv_init='timm').state_dict()
    torch.save(weights, path)
    loaded = started(init_cfg=dict(type='Pretrained', checkpoint=path))
    for key, value in loaded.state_dict().items():
        assert torch.equal(value, weights[key]), key


# the last stage without its stride


@pytest.mark.parametrize('size', [(256, 128), (112, 56), (50, 40)])
@torch.no_grad()
def test_last_map_is_as_fine_as_the_one_before(named, size):
    name, coarse = named
    fine = MODELS.build(
        dict(type='StrideMapBackbone', model_name=name, last_stride=1))
    fine.load_state_dict(coarse.state_dict())  # strict: the same tensors
    fine.eval()
    image = torch.randn(1, 3, *size)
    maps, halved = fine(image), coarse(image)
    for a, b in zip(maps[:3], halved[:3]):
        assert torch.equal(a, b)
    assert maps[3].shape == (1, WIDTHS[name][3], *maps[2].shape[-2:])
    assert fine.timm_model.feature_info.reduction() == [4, 8, 16, 16]
    assert coarse.timm_model.feature_info.reduction() == [4, 8, 16, 32]


@torch.no_grad()
def test_every_second_cell_of_starnets_first_step_is_the_coarse_map():
    """Of a convolution, stride 2 keeps every second place of stride 1."""
    kwargs = dict(type='StrideMapBackbone', model_name='starnet_s3')
    coarse, fine = (
        MODELS.build(dict(last_stride=s, **kwargs)).eval() for s in (2, 1))
    fine.load_state_dict(coarse.state_dict())
    image = torch.randn(1, 128, 8, 6)
    steps = [m.timm_model.stages_3[0](image) for m in (coarse, fine)]
    torch.testing.assert_close(steps[0], steps[1][..., ::2, ::2])


@torch.no_grad()
def test_a_stage_that_is_left_out_has_no_stride():
    model = MODELS.build(
        dict(
            type='StrideMapBackbone',
            model_name='starnet_s3',
            out_indices=(2, ),
            last_stride=1))
    assert [m.shape
            for m in model(torch.ones(2, 3, 64, 32))] == [(2, 128, 4, 2)]


@pytest.mark.parametrize('kwargs, error', [
    (dict(model_name='starnet_s3', last_stride=4), '1 or 2, got 4'),
    (dict(model_name='resnet18',
          last_stride=1), 'for starnet, tiny_vit, .* not for resnet18'),
])
def test_other_last_strides_are_refused(kwargs, error):
    with pytest.raises(ValueError, match=error):
        MODELS.build(dict(type='StrideMapBackbone', **kwargs))


@torch.no_grad()
def test_neck():
    torch.manual_seed(0)
    plain = started('tiny_vit_5m_224', last_stride=1)
    torch.manual_seed(0)
    model = started('tiny_vit_5m_224', last_stride=1, neck_channels=256)
    weights = model.state_dict()
    assert all(
        torch.equal(weights[k], v) for k, v in plain.state_dict().items())
    shapes = {
        k: tuple(v.shape)
        for k, v in weights.items() if k.startswith('neck.')
    }
    assert shapes == {
        'neck.0.weight': (256, 320, 1, 1),
        'neck.1.weight': (256, ),
        'neck.1.bias': (256, ),
        'neck.2.weight': (256, 256, 3, 3),
        'neck.3.weight': (256, ),
        'neck.3.bias': (256, )
    }
    assert sum(p.numel() for p in model.parameters()) == 5071124 + 672768
    image = torch.randn(2, 3, 64, 32)
    maps, last = model.eval()(image), plain.eval()(image)[-1]
    assert [m.shape[1] for m in maps] == [64, 128, 160, 256]
    # the last LayerNorm, over the channels of each cell
    x = torch.einsum('bchw,oc->bohw', last, weights['neck.0.weight'][..., 0,
                                                                     0])
    x = (x - x.mean(1, True)) / (x.var(1, correction=0, keepdim=True) +
                                 1e-6).sqrt()
    x = torch.conv2d(x, weights['neck.2.weight'], padding=1)
    x = (x - x.mean(1, True)) / (x.var(1, correction=0, keepdim=True) +
                                 1e-6).sqrt()
    torch.testing.assert_close(maps[-1], x, rtol=1e-4, atol=1e-4)


def test_a_neck_that_a_file_lacks_starts_at_random(tmp_path):
    path = str(tmp_path / 'weights.pth')
    torch.save(started('tiny_vit_5m_224').state_dict(), path)
    load = dict(init_cfg=dict(type='Pretrained', checkpoint=path))
    model = started('tiny_vit_5m_224', neck_channels=8, **load)
    assert model.neck[0].weight.std() > 0
    torch.save(model.state_dict(), path)
    again = started('tiny_vit_5m_224', neck_channels=8, **load)
    assert torch.equal(again.neck[0].weight, model.neck[0].weight)
    assert started('tiny_vit_5m_224', **load).neck is None


@torch.no_grad()
def test_neck_at_half_the_last_map_is_one_map_more():
    """What the authors' detector takes: 64, 128, 320, 256 at 4 to 32."""
    kwargs = dict(last_stride=1, neck_channels=256, out_indices=(0, 1, 3))
    model = started('tiny_vit_5m_224', neck_stride=2, **kwargs).eval()
    same = started('tiny_vit_5m_224', **kwargs).eval()
    same.load_state_dict(model.state_dict())  # strict: the same tensors
    maps = model(torch.randn(1, 3, 64, 128))
    assert [tuple(m.shape) for m in maps] == [(1, 64, 16, 32), (1, 128, 8, 16),
                                              (1, 320, 4, 8), (1, 256, 2, 4)]
    pooled = maps[2].unflatten(2, (2, 2)).unflatten(4, (4, 2)).amax((3, 5))
    torch.testing.assert_close(maps[3], model.neck(pooled))


@pytest.mark.parametrize('kwargs', [
    dict(neck_stride=2),
    dict(neck_stride=4, neck_channels=8),
])
def test_strides_that_no_neck_has(kwargs):
    with pytest.raises(ValueError, match='a neck has stride 1 or 2'):
        started('tiny_vit_5m_224', **kwargs)


def test_norm_of_the_last_map(tmp_path):
    """As in the authors' StarNet, 5 493 792 parameters."""
    path = str(tmp_path / 'weights.pth')
    torch.save(started().state_dict(), path)
    load = dict(init_cfg=dict(type='Pretrained', checkpoint=path))
    model, plain = started(last_norm=True, **load), started(**load)
    assert sum(p.numel() for p in model.parameters()) == 5493280 + 512
    image = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        (*maps, normed), (*others, last) = model(image), plain(image)
        for a, b in zip(maps, others):
            assert torch.equal(a, b)
        last = (last - last.mean((0, 2, 3), True)) / (last.var(
            (0, 2, 3), correction=0, keepdim=True) + 1e-5).sqrt()
        torch.testing.assert_close(normed, last, rtol=1e-3, atol=1e-4)
    torch.save(model.state_dict(), path)
    again = started(last_norm=True, **load)
    assert torch.equal(again.last_norm.running_mean,
                       model.last_norm.running_mean)
