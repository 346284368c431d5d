import pytest
import torch

from mmpretrain.registry import MODELS
from saip_mm.models import PlainEncoder
from ..tiny_saip import VIT
from .test_base import encoder


def test_patch_index_outside_the_depth_is_named():
    for index in (3, -4):
        with pytest.raises(
                ValueError, match=f'patch_index {index} is outside the 3'):
            MODELS.build(
                dict(type='PersonEncoder', backbone=VIT, patch_index=index))


def test_a_negative_patch_index_counts_from_the_end():
    assert encoder('vit', patch_index=-3).patch_index == 0
    assert encoder('vit', patch_index=-1).patch_index == 2


def test_inner_tokens_are_those_of_block_7_unless_told():
    deep = VIT | dict(arch=VIT['arch'] | dict(num_layers=9))
    image = torch.randn(1, 3, 64, 32)
    model = PlainEncoder(deep).eval()
    model.backbone.out_type, model.backbone.out_indices = 'raw', [6]
    model.backbone.final_norm = False
    block = model.backbone(image)[0][:, 1:]
    torch.testing.assert_close(
        model(image).inner,
        torch.nn.functional.layer_norm(block, block.shape[-1:]))
    model = MODELS.build(dict(type='PersonEncoder', backbone=deep))
    assert model.patch_index == 6


def test_final_tokens_are_those_the_backbone_ends_with():
    image = torch.randn(2, 3, 64, 32)
    plain = encoder('vit').eval()
    plain.backbone.out_type = 'raw'
    torch.testing.assert_close(
        plain(image, tokens=('final', )).final,
        plain.backbone(image)[-1][:, 1:])


def test_stride_is_the_backbones_own():
    for patch, cells in ((16, 8), (32, 2)):
        model = MODELS.build(
            dict(
                type='PlainEncoder',
                backbone=VIT | dict(patch_size=patch),
                patch_index=1))
        assert model.dims.stride == patch
        assert model(torch.randn(1, 3, 64, 32)).inner.shape[1] == cells


def test_a_backbone_without_class_token_has_no_image_token():
    bare = VIT | dict(with_cls_token=False, out_type='featmap')
    model = encoder(bare)
    image = torch.randn(1, 3, 64, 32)
    assert model(image, tokens=('inner', 'final')).image is None
    for call in (model.extract, model,
                 lambda _: model.freeze_unreached({'image', 'inner'})):
        with pytest.raises(ValueError, match="'image'.*with_cls_token=True"):
            call(image)
