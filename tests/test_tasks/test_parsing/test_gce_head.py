import math

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules
from mmengine.registry import DefaultScope

from saip_mm.tasks.parsing import GCEParsingHead

TINY = dict(
    in_channels=8,
    conv_channels=32,
    aspp_channels=8,
    num_convs=1,
    roi_feat_size=8,
    out_size=32)


@pytest.fixture(autouse=True)
def scope():
    register_all_modules(init_default_scope=False)
    with DefaultScope.overwrite_default_scope('mmdet'):
        yield


def test_widths_of_the_reference():
    """13.2 M, by layers worked out by hand."""
    head = GCEParsingHead()
    counts = {
        name: sum(p.numel() for p in part.parameters())
        for name, part in head.named_children()
    }
    aspp = 2 * (256 * 256 + 256) + 3 * (9 * 256 * 256 + 256)
    assert counts == dict(
        context=aspp + 1280 * 512 + 512,
        non_local=4 * (512 * 512 + 512) + 2 * 512,
        convs=4 * (9 * 512 * 512 + 512),
        upsample=16 * 512 * 20 + 20,
        loss_parsing=0)
    assert round(sum(counts.values()) / 1e6, 1) == 13.2


@pytest.mark.parametrize('changes',
                         [{},
                          dict(with_non_local=False),
                          dict(norm_cfg=dict(type='BN'), with_non_local=False),
                          dict(num_parts=5, dilations=(1, ))])
def test_maps_losses_and_gradients(changes):
    head = MODELS.build(dict(type='GCEParsingHead', **TINY) | changes)
    head.init_weights()
    logits = head(torch.randn(3, 8, 8, 8))
    number = changes.get('num_parts', 20)
    assert logits.shape == (3, number, 32, 32)
    targets = torch.randint(0, number, (3, 32, 32))
    loss = head.loss(logits, targets)['loss_parsing']
    wanted = sum(-logits[n, targets[n, i, j], i, j] +
                 logits[n, :, i, j].exp().sum().log() for n in range(3)
                 for i in range(0, 32) for j in range(0, 32)) / (3 * 32 * 32)
    assert float(loss) == pytest.approx(2 * float(wanted), rel=1e-4)
    loss.backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad.abs().sum() > 0 or 'key.bias' in name, name


def test_nobody_to_learn_from():
    head = GCEParsingHead(**TINY)
    loss = head.no_loss()['loss_parsing']
    loss.backward()
    assert float(loss.detach()) == 0
    for parameter in head.parameters():
        assert parameter.grad is not None and not parameter.grad.any()


def test_start_of_the_transposed_convolution():
    head = GCEParsingHead(conv_channels=64, num_convs=1)
    head.init_weights()
    # kaiming, fan-out as torch counts it: 64 channels of 4 x 4
    wanted = math.sqrt(2 / (64 * 16))
    assert head.upsample.weight.detach().std() == pytest.approx(
        wanted, rel=0.05)
    assert not head.upsample.bias.any()


def test_norms_where_there_is_more_than_one_place():
    head = GCEParsingHead(**TINY, norm_cfg=dict(type='BN'))
    normed = {
        name
        for name, part in head.named_modules()
        if getattr(part, 'with_norm', False)
    }
    assert normed == {
        'context.point', 'context.join', 'convs.0',
        *(f'context.dilated.{i}' for i in range(3))
    }
    # one person alone trains, too: her mean is not normed
    assert head(torch.randn(1, 8, 8, 8)).isfinite().all()


def test_channels_that_cannot_be_normed():
    with pytest.raises(ValueError, match='conv_channels=48: .*multiple of 32'):
        GCEParsingHead(conv_channels=48)
    GCEParsingHead(conv_channels=48, with_non_local=False)
