import copy

import pytest
import torch
import torch.nn.functional as F
from mmengine.runner.checkpoint import load_state_dict

from mmpretrain.models.backbones import VisionTransformer
from mmpretrain.registry import MODELS
from saip_mm.models.backbones import GridVisionTransformer
from saip_mm.models.sincos import sincos_positions

ARCH = dict(embed_dims=16, num_layers=3, num_heads=2, feedforward_channels=32)
GRIDS = [(16, 8), (16, 12), (24, 8), (14, 14), (8, 16)]


def vit(grid=(4, 2), **kwargs):
    """A tiny transformer of 16-pixel patches, the same at every call."""
    torch.manual_seed(0)
    cfg = dict(
        type='GridVisionTransformer',
        arch=ARCH,
        img_size=(16 * grid[0], 16 * grid[1])) | kwargs
    model = MODELS.build(cfg)
    model.init_weights()
    return model.eval()


def resize_2d(table, source, target, slots=1):
    """The table's patch rows as an image, resized, as rows again."""
    image = table[0, slots:].T.reshape(1, -1, *source)
    image = F.interpolate(image, target, mode='bicubic', align_corners=False)
    return torch.cat((table[:, :slots], image.flatten(2).transpose(1, 2)), 1)


def test_positions_may_start_as_sines():
    table = vit((4, 2), positions='sincos').pos_embed[0]
    assert (table[0] == 0).all()  # the class token has no place
    torch.testing.assert_close(table[1:], sincos_positions((4, 2), 16)[0])
    loaded = vit((4, 2), positions='sincos')
    loaded.load_state_dict(vit((4, 2)).state_dict())
    assert not torch.equal(loaded.pos_embed[0, 1:], table[1:])
    with pytest.raises(ValueError, match="positions 'rotary' is unknown"):
        vit((4, 2), positions='rotary')


@pytest.mark.parametrize('size, parameters', [((256, 128), 5511360),
                                              (224, 5524416)])
def test_deit_tiny_has_the_known_size(size, parameters):
    model = GridVisionTransformer(arch='deit-tiny', img_size=size)
    assert sum(p.numel() for p in model.parameters()) == parameters


@pytest.mark.parametrize('size, grid', [((256, 128), (16, 8)),
                                        ((128, 64), (8, 4)),
                                        ((192, 96), (12, 6)),
                                        ((320, 160), (20, 10)),
                                        ((224, 224), (14, 14)),
                                        ((224, 112), (14, 7)),
                                        ((288, 144), (18, 9)),
                                        ((96, 48), (6, 3)),
                                        ((256, 192), (16, 12)),
                                        ((384, 128), (24, 8)),
                                        ((128, 256), (8, 16))])
def test_any_size_at_run_time(size, grid):
    model = vit((16, 8), out_type='featmap')
    x = torch.randn(1, 3, *size)
    token, patches, _, found, *_ = model.forward_tokens(x, inner=1)
    assert found == grid and token.shape == (1, 16)
    assert patches.shape == (1, grid[0] * grid[1], 16)
    featmap = model(x)[0]
    assert featmap.shape[2:] == grid
    model.out_type = 'raw'
    raw = model(x)[0]
    torch.testing.assert_close(raw[:, 0], token)
    torch.testing.assert_close(raw[:, 1:].mT.view_as(featmap), featmap)


def test_plain_forward_pads_where_forward_tokens_refuses():
    model = vit(out_type='featmap')
    x = torch.randn(1, 3, 64, 56)
    assert model(x)[0].shape[2:] == (4, 4)
    with pytest.raises(ValueError, match='64x56 are not divisible by .*16x16'):
        model.forward_tokens(x)


@pytest.mark.parametrize('source', GRIDS)
@pytest.mark.parametrize('target', GRIDS)
def test_positions_are_resized_from_their_own_grid(source, target):
    weights = vit(source).state_dict()
    model = vit(target)
    model.load_state_dict(weights)  # strict
    expected = weights['pos_embed']
    if source != target:
        expected = resize_2d(expected, source, target)
    torch.testing.assert_close(model.pos_embed.data, expected)
    assert tuple(model.pos_grid.tolist()) == target


def test_same_keys_as_the_parent_but_for_the_grid():
    model = vit()
    parent = VisionTransformer(arch=ARCH, img_size=(64, 32))
    assert set(model.state_dict()) == set(parent.state_dict()) | {'pos_grid'}
    assert model.pos_grid.dtype == torch.int64


class TestUntoldGrid:
    """A file without ``pos_grid``."""

    def weights(self, grid):
        weights = vit(grid).state_dict()
        weights.pop('pos_grid')
        return weights

    def test_it_is_not_reported_missing(self):
        model, weights = vit(), self.weights((4, 2))
        model.load_state_dict(weights)  # strict
        load_state_dict(model, weights, strict=True)
        assert 'pos_grid' not in weights

    def test_the_only_upright_grid_is_taken(self):
        model = vit((6, 4))
        weights = self.weights((16, 8))
        model.load_state_dict(weights)
        torch.testing.assert_close(
            model.pos_embed.data,
            resize_2d(weights['pos_embed'], (16, 8), (6, 4)))

    def test_equal_length_is_not_equal_geometry(self):
        weights = self.weights((16, 8))
        model = vit((8, 16))
        model.load_state_dict(weights)
        torch.testing.assert_close(
            model.pos_embed.data,
            resize_2d(weights['pos_embed'], (16, 8), (8, 16)))

    def test_a_choice_is_refused(self):
        error = (r'pos_embed holds 192 patch positions.*16x12 or 24x8.*'
                 r'checkpoint_grid=\(rows, columns\)')
        with pytest.raises(ValueError, match=error):
            vit((24, 8)).load_state_dict(self.weights((16, 12)))

    def test_no_upright_grid_is_refused(self):
        with pytest.raises(ValueError, match='no upright shape'):
            vit().load_state_dict(self.weights((31, 1)))

    def test_the_argument_settles_it(self):
        weights = self.weights((16, 12))
        model = vit((24, 8), checkpoint_grid=(16, 12))
        model.load_state_dict(weights)
        torch.testing.assert_close(
            model.pos_embed.data,
            resize_2d(weights['pos_embed'], (16, 12), (24, 8)))

    def test_an_argument_that_does_not_fit_is_refused(self):
        model = vit((24, 8), checkpoint_grid=(16, 8))
        with pytest.raises(ValueError, match='193 positions.*16x8.*128'):
            model.load_state_dict(self.weights((16, 12)))


def test_the_saved_grid_outranks_the_argument():
    weights = vit((16, 12)).state_dict()
    model = vit((24, 8), checkpoint_grid=(24, 8))
    model.load_state_dict(weights)
    torch.testing.assert_close(
        model.pos_embed.data, resize_2d(weights['pos_embed'], (16, 12),
                                        (24, 8)))


@pytest.mark.parametrize('told', [True, False])
def test_tables_without_a_class_slot(told):
    without = vit((4, 2), with_cls_token=False, out_type='featmap')
    weights = without.state_dict()
    if not told:
        weights.pop('pos_grid')
    model = vit((6, 3))
    model.load_state_dict(weights, strict=False)
    resized = resize_2d(weights['pos_embed'], (4, 2), (6, 3), slots=0)
    torch.testing.assert_close(model.pos_embed.data[:, 1:], resized)
    assert model.pos_embed.data[:, 0].abs().sum() == 0
    back = vit((6, 3), with_cls_token=False, out_type='featmap')
    weights = model.state_dict()
    if not told:
        weights.pop('pos_grid')
        back.checkpoint_grid = (6, 3)
    back.load_state_dict(weights, strict=False)
    torch.testing.assert_close(back.pos_embed.data, resized)


class TestInitCfg:

    def file(self, tmp_path, meta, **kwargs):
        weights = vit((16, 12), **kwargs).state_dict()
        weights.pop('pos_grid')
        path = str(tmp_path / 'weights.pth')
        torch.save(dict(meta=meta, state_dict=weights), path)
        return path, weights

    @pytest.mark.parametrize('as_list', [False, True])
    def test_meta_tells_the_grid_and_weights_survive(self, tmp_path, as_list):
        path, weights = self.file(tmp_path, dict(position_grid=[16, 12]))
        cfg = dict(type='Pretrained', checkpoint=path)
        model = vit((24, 8), init_cfg=[cfg] if as_list else cfg)
        for _ in range(2):
            for key, value in model.state_dict().items():
                if key == 'pos_embed':
                    value = value[:, :1]
                    weights[key] = weights[key][:, :1]
                if key != 'pos_grid':
                    assert torch.equal(value, weights[key]), key
            model.init_weights()  # a second call changes nothing

    def test_meta_serves_this_file_only(self, tmp_path):
        path, weights = self.file(tmp_path, dict(position_grid=[16, 12]))
        model = vit((4, 2), init_cfg=dict(type='Pretrained', checkpoint=path))
        with pytest.raises(ValueError, match='16x12 or 24x8'):
            model.load_state_dict(weights)

    def test_without_meta_it_is_refused(self, tmp_path):
        path, _ = self.file(tmp_path, {})
        with pytest.raises(ValueError, match='16x12 or 24x8'):
            vit(init_cfg=dict(type='Pretrained', checkpoint=path))

    def test_missing_file_is_named(self):
        with pytest.raises(FileNotFoundError, match='nowhere.pth'):
            vit(init_cfg=dict(type='Pretrained', checkpoint='nowhere.pth'))

    def test_another_architecture_is_refused(self, tmp_path):
        path, _ = self.file(
            tmp_path,
            dict(position_grid=[16, 12]),
            arch=ARCH | dict(embed_dims=8, num_layers=2))
        error = ('weights.pth does not fit GridVisionTransformer: missing: '
                 r'layers.2.ln1.weight.*of another shape: cls_token \(1, 1, 8')
        with pytest.raises(ValueError, match=error):
            vit(init_cfg=dict(type='Pretrained', checkpoint=path))

    @pytest.mark.parametrize('key', ['pos_embed', 'layers.0.ln1.bias'])
    def test_what_would_stay_random_is_named(self, tmp_path, key):
        path, weights = self.file(tmp_path, dict(position_grid=[16, 12]))
        del weights[key]
        torch.save(weights, path)
        with pytest.raises(ValueError, match=f'weights.pth .*missing: {key}'):
            vit((16, 12), init_cfg=dict(type='Pretrained', checkpoint=path))

    def test_part_of_a_larger_model(self, tmp_path):
        weights = vit((6, 3)).state_dict()
        path = str(tmp_path / 'classifier.pth')
        torch.save({f'backbone.{k}': v for k, v in weights.items()}, path)
        cfg = dict(type='Pretrained', checkpoint=path)
        for prefix in (None, 'backbone', 'backbone.'):
            model = vit(init_cfg=cfg | dict(prefix=prefix))
            assert torch.equal(model.layers[0].attn.qkv.weight,
                               weights['layers.0.attn.qkv.weight'])
        with pytest.raises(ValueError, match="prefix='backbone.'"):
            vit(init_cfg=cfg | dict(prefix='head.'))

    def test_damaged_file_is_named(self, tmp_path):
        path = tmp_path / 'cut.pth'
        path.write_bytes(b'PK')
        with pytest.raises(ValueError, match='cut.pth cannot be read'):
            vit(init_cfg=dict(type='Pretrained', checkpoint=str(path)))

    def test_own_init_cfg_rules(self):
        model = vit(init_cfg=dict(type='Constant', layer='Linear', val=3.))
        assert (model.layers[0].attn.qkv.weight == 3).all()


def test_dino_init():
    torch.manual_seed(0)
    model = GridVisionTransformer(arch='deit-tiny', img_size=(256, 128))
    model.init_weights()
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear):
            assert module.weight.std().item() == pytest.approx(0.02, rel=.02)
            assert not module.bias.any(), name
    assert model.pos_embed.std().item() == pytest.approx(0.02, rel=.05)
    assert model.cls_token.std().item() == pytest.approx(0.02, rel=.2)
    # a convolution keeps PyTorch's default: uniform within 1 / sqrt(768)
    assert model.patch_embed.projection.weight.abs().max() <= 768**-.5


def test_mae_starts_by_xavier():
    model = vit((4, 2), init='mae', positions='fixed')
    assert not model.pos_embed.requires_grad
    torch.testing.assert_close(model.pos_embed[0, 1:],
                               sincos_positions((4, 2), 16)[0])
    qkv = model.layers[0].attn.qkv
    bound = (6 / (16 + 48))**.5
    assert 0.9 * bound < qkv.weight.abs().max() <= bound
    assert not qkv.bias.any()
    bound = (6 / (16 + 768))**.5
    patch = model.patch_embed.projection.weight
    assert 0.9 * bound < patch.abs().max() <= bound
    assert model.cls_token.std().item() == pytest.approx(0.02, rel=.6)


def test_parents_init_on_request():
    model = vit(init='mmpretrain')
    assert not model.cls_token.any()
    with pytest.raises(ValueError, match="init 'xavier' is unknown"):
        vit(init='xavier')


def restated_masked_forward(model, x, mask, inner):
    """One image at a time: embed, drop the hidden, add class, run blocks."""
    tokens, patches = [], []
    positions = model.pos_embed.data
    if x.shape[-2:] != model.img_size:
        grid = tuple(side // 16 for side in x.shape[-2:])
        positions = resize_2d(positions, tuple(model.pos_grid), grid)
    for image, hidden in zip(x, mask):
        rows = []
        maps = model.patch_embed.projection(image[None])[0]
        for i, vector in enumerate(maps.flatten(1).T):
            if not hidden[i]:
                rows.append(vector + positions[0, 1 + i])
        rows.insert(0, model.cls_token[0, 0] + positions[0, 0])
        state = torch.stack(rows)[None]
        for i, layer in enumerate(model.layers):
            state = layer(state)
            if i == inner:
                patches.append(state[0, 1:])
        tokens.append(model.ln1(state)[0, 0])
    return torch.stack(tokens), torch.stack(patches)


@pytest.mark.parametrize('size', [(64, 32), (32, 64), (96, 48)])
@pytest.mark.parametrize('hidden', [0, 5, 8])
def test_masked_forward_equals_a_loop(size, hidden):
    model = vit()
    x = torch.randn(3, 3, *size)
    patches = size[0] * size[1] // 256
    order = torch.rand(3, patches).argsort(1)
    mask = order < hidden
    out = model.forward_tokens(x, 1, mask)
    token, inner = restated_masked_forward(model, x, mask, 1)
    torch.testing.assert_close(out[0], token)
    torch.testing.assert_close(out[1], inner)
    assert out.grid == (size[0] // 16, size[1] // 16)


@pytest.mark.parametrize('mask, error', [
    ([[True] * 4 + [False] * 4, [True] * 3 + [False] * 5], 'got 4 to 5'),
    ([[True] * 3, [True] * 3], r'must be \(2, 8\) bool.*\(2, 3\)'),
    ([[1] * 8, [0] * 8], 'int64'),
])
def test_bad_masks_are_refused(mask, error):
    with pytest.raises(ValueError, match=error):
        vit().forward_tokens(torch.randn(2, 3, 64, 32), 1, torch.tensor(mask))


@pytest.mark.parametrize('inner', [0, 1, 2, -1])
def test_inner_tokens_equal_the_parents_raw_output(inner):
    # the class token takes another way: the same but for rounding
    model = vit(out_indices=[0, 1, 2], out_type='raw', final_norm=False)
    model.double()
    x = torch.randn(2, 3, 64, 32, dtype=torch.float64)
    token, patches, *_ = model.forward_tokens(x, inner)
    assert torch.equal(patches, model(x)[inner][:, 1:])
    torch.testing.assert_close(token, model(x)[2][:, 0], rtol=0, atol=1e-14)


@pytest.mark.parametrize('inner, final, blocks', [(1, True, 3), (1, False, 2),
                                                  (None, True, 3),
                                                  (-3, False, 1),
                                                  (None, False, 0)])
def test_no_block_runs_beyond_what_is_asked(inner, final, blocks):
    model, ran = vit(), []
    for layer in model.layers:
        layer.register_forward_hook(lambda *_: ran.append(1))
    token, patches, *_ = model.forward_tokens(
        torch.randn(1, 3, 64, 32), inner, tokens=['image'] * final)
    assert len(ran) == blocks
    assert (token is None) == (not final) and (patches is None) == (
        inner is None)


def test_inner_block_outside_is_named():
    with pytest.raises(ValueError, match='inner block 3 is outside the 3'):
        vit().forward_tokens(torch.randn(1, 3, 64, 32), 3)


def test_without_class_token():
    model = vit(with_cls_token=False, out_type='featmap')
    token, patches, *_ = model.forward_tokens(torch.randn(1, 3, 64, 32), 1)
    assert token is None and patches.shape == (1, 8, 16)


def test_every_parameter_gets_a_gradient():
    model = vit(drop_path_rate=0.1).train()
    torch.manual_seed(1)
    token, patches, *_ = model.forward_tokens(torch.randn(16, 3, 96, 32), 1)
    (token.square().sum() + patches.square().sum()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name


def test_bfloat16_forward_is_finite_and_close():
    model, x = vit(), torch.randn(2, 3, 96, 48)
    exact = model.forward_tokens(x, 1)
    with torch.autocast('cpu', torch.bfloat16):
        rough = model.forward_tokens(x, 1)
    for a, b in zip(exact[:2], rough[:2]):
        assert b.isfinite().all()
        torch.testing.assert_close(a, b.float(), atol=.1, rtol=.1)


def test_fused_attention_is_used():
    attention = vit().layers[0].attn.scaled_dot_product_attention
    assert attention is F.scaled_dot_product_attention


def test_modes_chain_and_frozen_stages_stay_frozen():
    model = vit(frozen_stages=2, drop_path_rate=0.5)
    assert model.train() is model and model.eval() is model
    model.train()
    assert [layer.training for layer in model.layers] == [False, False, True]
    token, patches, *_ = model.forward_tokens(torch.randn(4, 3, 64, 32), 1)
    assert not patches.requires_grad
    token.sum().backward()
    for name, parameter in model.named_parameters():
        thawed = name.startswith(('layers.2', 'ln1'))
        assert parameter.requires_grad == thawed, name


def test_a_deep_copy_loads_by_its_own_table():
    model = copy.deepcopy(vit((6, 3)))
    model.load_state_dict(vit((4, 2)).state_dict())
    assert model.pos_embed.shape == (1, 19, 16)


def test_loading_inside_a_larger_model():
    model = torch.nn.ModuleDict(dict(backbone=vit((6, 3))))
    source = torch.nn.ModuleDict(dict(backbone=vit((16, 12))))
    weights = source.state_dict()
    load_state_dict(model, weights, strict=True)
    expected = resize_2d(weights['backbone.pos_embed'], (16, 12), (6, 3))
    torch.testing.assert_close(model.backbone.pos_embed.data, expected)
    weights.pop('backbone.pos_grid')
    with pytest.raises(ValueError, match='backbone.pos_embed holds 192'):
        load_state_dict(model, weights)


def test_out_indices_of_any_sequence():
    model = vit(out_indices=(0, -1))
    assert model.out_indices == [0, 2]
