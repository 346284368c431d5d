import pytest
import torch

pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')

from mmpretrain.registry import MODELS  # noqa: E402
from saip_mm.apis.edge.export import _traced  # noqa: E402
from saip_mm.apis.edge.networks import example  # noqa: E402
from saip_mm.apis.edge.networks import fold_positions  # noqa: E402
from saip_mm.apis.edge.networks import parts_of  # noqa: E402
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


def test_a_tracker_gets_one_vector_of_norm_1(tmp_path):
    model = backbone('starnet')
    part, = parts_of(model, (64, 32), tracker=True)
    assert part.outputs == ['features']
    vectors = run(part, example((64, 32)))
    assert torch.allclose(vectors.norm(dim=1), torch.ones(2))
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


def test_heat_maps_are_the_model_s(tmp_path):
    model = tiny_model('pose', tmp_path)
    images = example(SIZES['pose'])
    wanted = model(images, None, mode='tensor')
    part, = parts_of(model, SIZES['pose'])
    found = run(part, images)
    assert found.shape[1:] == (17, 16, 12)
    torch.testing.assert_close(found, wanted)


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


@pytest.mark.slow
@pytest.mark.parametrize('name', list(BACKBONES))
def test_backbones_are_traced(name):
    for part in parts_of(backbone(name), (96, 48)):
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
