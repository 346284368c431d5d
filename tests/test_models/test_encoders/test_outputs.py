import pytest
import torch

from saip_mm.models.encoders import cell_maps, named_outputs, output_shapes
from ..tiny_saip import BACKBONES, VIT
from .test_base import encoder

IMAGES = torch.randn(2, 3, 64, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize('backbone', BACKBONES)
@torch.no_grad()
def test_outputs_are_those_of_encoder_and_backbone(backbone):
    model = encoder(backbone).train(False)
    tokens = model(IMAGES, tokens=('image', 'inner', 'final'))
    plain = backbone == 'vit'
    if plain:
        model.backbone.out_type = 'featmap'
    maps = model.backbone(IMAGES)
    names = ['image', 'inner', 'final'
             ] + [f'stage{i + 1}' for i in range(len(maps))]
    found = named_outputs(model, IMAGES, names[::-1])
    assert list(found) == names[::-1]
    for name in names[:3]:
        assert torch.equal(found[name], getattr(tokens, name)), name
    for name, expected in zip(names[3:], maps):
        torch.testing.assert_close(found[name], expected)
    shapes = output_shapes(model, (64, 32), names)
    assert shapes == {k: tuple(v.shape[1:]) for k, v in found.items()}
    # what is not asked for is not in the way
    (stage, ) = named_outputs(model, IMAGES, ('stage1', )).values()
    torch.testing.assert_close(stage, maps[0])


@pytest.mark.parametrize('backbone', BACKBONES)
@torch.no_grad()
def test_cells_as_maps_are_the_tokens_row_by_row(backbone):
    model = encoder(backbone).train(False)
    tokens = model(IMAGES, tokens=('inner', 'final'))
    for name in ('inner', 'final'):
        cells = cell_maps(model, IMAGES, name)
        expected = getattr(tokens, name)
        rows, columns = cells.shape[2:]
        assert rows * columns == expected.shape[1] and rows == 2 * columns
        for place in range(rows * columns):
            torch.testing.assert_close(
                cells[:, :, place // columns, place % columns],
                expected[:, place])


def test_what_there_is_not():
    model = encoder('starnet').train(False)
    with pytest.raises(
            ValueError,
            match='gives no stage5: choose among '
            'image, inner, final, stage1, .*stage4'):
        named_outputs(model, IMAGES, ('image', 'stage5'))
    with pytest.raises(ValueError, match='gives no images'):
        output_shapes(model, (64, 32), ('images', ))
    with pytest.raises(ValueError, match="'image' token has no cells"):
        cell_maps(model, IMAGES, 'image')
    with pytest.raises(ValueError, match='not divisible by the 16x16 patch'):
        output_shapes(encoder(VIT), (60, 32), ('image', ))


def test_nothing_listens_after_an_error():
    model = encoder('starnet').train(False)
    with pytest.raises(Exception):
        named_outputs(model, IMAGES[0, 0], ('stage1', ))
    assert not model.backbone._forward_hooks
