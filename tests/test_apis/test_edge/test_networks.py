import pytest
import torch

pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')

from mmengine.config import ConfigDict  # noqa: E402

from mmpretrain.registry import MODELS  # noqa: E402
from saip_mm.apis.edge.export import _traced  # noqa: E402
from saip_mm.apis.edge.networks import parts_of  # noqa: E402
from saip_mm.apis.edge.parts import example  # noqa: E402
from saip_mm.apis.edge.parts import fold_positions  # noqa: E402
from ...test_models.tiny_saip import BACKBONES  # noqa: E402
from .tiny import SIZES  # noqa: E402
from .tiny import tiny_model  # noqa: E402


def backbone(name, **changes):
    torch.manual_seed(0)
    cfg = dict(BACKBONES[name], **changes)
    if name == 'vit':
        cfg['out_type'] = 'featmap'
    model = MODELS.build(cfg)
    model.init_weights()
    model.train(False)
    return model


def run(parts, *inputs):
    with torch.no_grad():
        return parts.network(*inputs)


def test_positions_are_folded_to_what_they_are_resized_to():
    """Bit for bit, and nothing is left to be resized."""
    model = backbone('vit')
    images = example((96, 48))
    with torch.no_grad():
        wanted = model.forward_tokens(images).image
    fold_positions(model, (96, 48))
    assert model.pos_embed.shape[1] == 1 + 6 * 3
    assert model.pos_grid.tolist() == [6, 3]
    with torch.no_grad():
        assert model.forward_tokens(images).image.equal(wanted)
    with pytest.raises(ValueError, match='100x48 is no multiple of the 16x16'):
        fold_positions(model, (100, 48))


def test_positions_of_patches_that_overlap():
    """Of stride 12, whose multiples say nothing."""
    model = backbone('vit', patch_size=16, patch_cfg=dict(stride=12))
    images = example((64, 40))
    with torch.no_grad():
        wanted = model.forward_tokens(images)
    fold_positions(model, (64, 40))
    assert tuple(model.patch_resolution) == wanted.grid
    with torch.no_grad():
        assert model.forward_tokens(images).image.equal(wanted.image)


def test_a_transformer_gives_its_token_and_its_map():
    model = backbone('vit')
    part, = parts_of(model, (64, 32))
    image, cells = run(part, example((64, 32)))
    assert part.outputs == ['image', 'map_1']
    assert cells.shape == (2, 16, 4, 2)
    assert cells.equal(model(example((64, 32)))[0])
    token = model.forward_tokens(example((64, 32))).image
    torch.testing.assert_close(image, token)


@pytest.mark.parametrize('name', ['starnet', 'tinyvit'])
def test_maps_come_with_their_strides(name):
    model = backbone(name)
    part, = parts_of(model, (64, 32))
    image, *maps = run(part, example((64, 32)))
    assert [m.shape[2] for m in maps] == [16, 8, 4, 2]
    assert [part.meanings[f'map_{n}'][-2:].strip()
            for n in (1, 2, 3, 4)] == ['4', '8', '16', '32']
    assert image.equal(maps[-1].mean((2, 3)))


@pytest.mark.parametrize('size', [(100, 52), (72, 40), (33, 17)])
def test_strides_where_they_do_not_divide_the_size(size):
    part, = parts_of(backbone('starnet'), size)
    assert [part.meanings[f'map_{n}'] for n in (1, 2, 3, 4)
            ] == [f'map of stride {stride}' for stride in (4, 8, 16, 32)]


def test_a_tracker_gets_one_vector_of_norm_1(tmp_path):
    model = backbone('starnet')
    part, = parts_of(model, (64, 32), tracker=True)
    assert part.outputs == ['features']
    vectors = run(part, example((64, 32)))
    assert torch.allclose(vectors.norm(dim=1), torch.ones(2))
    torch.testing.assert_close(
        vectors,
        torch.nn.functional.normalize(
            model(example((64, 32)))[-1].mean((2, 3))))
    with pytest.raises(ValueError, match='no vector that compares persons'):
        parts_of(tiny_model('attributes', tmp_path), (64, 32), tracker=True)


def test_unknown_models_are_refused():
    with pytest.raises(ValueError, match='Linear cannot be exported: what ca'):
        parts_of(torch.nn.Linear(1, 1), (64, 32))


def test_person_search_gives_what_it_predicts(tmp_path):
    model = tiny_model('reid', tmp_path)
    images = example(SIZES['reid'])
    wanted = torch.stack([s.feature for s in model.predict(images)])
    part, = parts_of(model, SIZES['reid'])
    torch.testing.assert_close(run(part, images), wanted)
    model.camera = torch.nn.Identity()
    with pytest.raises(ValueError, match='model.sie'):
        parts_of(model, SIZES['reid'])


def test_attributes_are_the_predicted_scores(tmp_path):
    model = tiny_model('attributes', tmp_path)
    images = example(SIZES['attributes'])
    wanted = torch.stack([s.pred_score for s in model.predict(images)])
    part, = parts_of(model, SIZES['attributes'])
    torch.testing.assert_close(run(part, images), wanted)
    assert part.caller.endswith(f'above {model.head.thr}')
    model.head.thr, model.head.topk = None, 3
    part, = parts_of(model, SIZES['attributes'])
    assert part.caller.startswith('the 3 attributes')


@pytest.mark.parametrize('task', ['part_seg', 'ace2p'])
def test_logits_are_those_of_the_whole_picture(task, tmp_path):
    model = tiny_model(task, tmp_path)
    images = example(SIZES[task])
    metas = [dict(img_shape=SIZES[task])] * 2
    wanted = model.encode_decode(images, metas)
    part, = parts_of(model, SIZES[task])
    found = run(part, images)
    assert found.shape == (2, 20, *SIZES[task])
    torch.testing.assert_close(found, wanted)


def test_segmentation_of_other_kinds(tmp_path):
    model = tiny_model('part_seg', tmp_path)
    model.test_cfg = ConfigDict(mode='slide', stride=(32, 32))
    part, = parts_of(model, SIZES['part_seg'])
    assert part.caller.startswith('tests see windows of this size, (32, 32)')
    model.decode_head.out_channels, model.decode_head.threshold = 1, 0.4
    part, = parts_of(model, SIZES['part_seg'])
    assert 'where the sigmoid is above 0.4' in part.caller
    model.decode_head = torch.nn.ModuleList([model.decode_head])
    with pytest.raises(ValueError, match='several heads in a row'):
        parts_of(model, SIZES['part_seg'])


def test_both_halves_of_search_by_text(tmp_path):
    pytest.importorskip('regex')
    model = tiny_model('text_reid', tmp_path)
    images = example(SIZES['text_reid'])
    texts = ['a man in a red coat', 'a bag']
    wanted = torch.nn.functional.normalize(model.encode_images(images)[:, 0])
    said = torch.nn.functional.normalize(model.encode_captions(texts))
    picture, text = parts_of(model, SIZES['text_reid'])
    torch.testing.assert_close(run(picture, images), wanted)
    torch.testing.assert_close(run(text, model.tokenizer(texts)), said)
    assert text.notes['tokenizer']['end'] == model.tokenizer.end
    tracker, = parts_of(model, SIZES['text_reid'], tracker=True)
    torch.testing.assert_close(run(tracker, images), wanted)
    assert tracker.suffix == '' and tracker.outputs == ['features']


AUTHORS = dict(
    starnet=dict(last_stride=1, last_norm=True),
    tinyvit=dict(
        last_stride=1, neck_channels=16, neck_stride=2, mask_padding=True))


@pytest.mark.slow
@pytest.mark.parametrize('name, options', [
    *((name, {}) for name in BACKBONES),
    *AUTHORS.items(),
    ('vit', dict(with_cls_token=False)),
])
def test_backbones_are_traced(name, options):
    for part in parts_of(backbone(name, **options), (96, 48)):
        content, found = _traced(part, 1e-4)
        assert list(found) == part.outputs
        assert b'Resize' not in content  # of positions


@pytest.mark.slow
@pytest.mark.parametrize('task', sorted(SIZES))
def test_every_task_is_traced(task, tmp_path):
    for part in parts_of(tiny_model(task, tmp_path), SIZES[task]):
        _, found = _traced(part, 1e-4)
        assert list(found) == part.outputs
        assert all(apart.scale > 0 for apart in found.values())
