import pytest
import torch

import saip_mm.tasks.text_reid  # noqa: F401
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from .persons import TEXTS, WORDS, needs_vocabulary, tiny_irra

pytestmark = needs_vocabulary


def build(seed=0, **changes):
    torch.manual_seed(seed)
    model = MODELS.build(tiny_irra(**changes))
    model.init_weights()
    return model


def batch(count=4, seed=0):
    rng = torch.Generator().manual_seed(seed)
    samples = []
    for number in range(count):
        sample = DataSample().set_gt_label(number % 3)
        sample.set_field([TEXTS[number % 5]], 'captions')
        samples.append(sample)
    return dict(
        inputs=list(
            torch.randint(
                0, 255, (count, 3, 64, 32), generator=rng, dtype=torch.uint8)),
        data_samples=samples)


def losses(model, data, seed=0):
    torch.manual_seed(seed)
    return model(**model.data_preprocessor(data, True), mode='loss')


def test_every_parameter_gets_a_gradient():
    model = build()
    terms = losses(model, batch())
    assert set(terms) == {
        'loss_sdm', 'loss_id', 'loss_irr', 'acc_image', 'acc_text', 'acc_word'
    }
    model.parse_losses(terms)[0].backward()
    for name, param in model.named_parameters():
        assert param.grad is not None and param.grad.isfinite().all(), name
        assert param.grad.any(), name


@pytest.mark.parametrize('off', ['match', 'person', 'word'])
def test_a_head_that_is_none_is_left_out(off):
    cfg = tiny_irra()
    cfg['heads'][off] = None
    terms = losses(build(heads=cfg['heads']), batch())
    name = dict(match='loss_sdm', person='loss_id', word='loss_irr')[off]
    assert name not in terms and len([t for t in terms if 'loss' in t]) == 2


def test_shared_masking_reaches_the_other_heads():
    """And unshared leaves them the clean sentence; of one random start."""
    clean = tiny_irra()['heads'] | dict(word=None)
    wanted = losses(build(heads=clean), batch())
    shared, apart = (build(masking=dict(shared=s)) for s in (True, False))
    # the same towers, whatever heads have drawn since
    state = build(heads=clean).state_dict()
    for model in (shared, apart):
        model.load_state_dict(state, strict=False)
    found = losses(apart, batch())
    torch.testing.assert_close(found['loss_sdm'], wanted['loss_sdm'])
    assert (losses(shared, batch())['loss_sdm'] -
            wanted['loss_sdm']).abs() > 1e-4


def test_predictions():
    model = build().eval()
    data = batch(3)
    for sample, count in zip(data['data_samples'], (2, 0, 1)):
        sample.set_field(list(TEXTS[:count]), 'captions')
    with torch.no_grad():
        out = model.val_step(data)
        feature = model(**model.data_preprocessor(data), mode='tensor')[:, 0]
    assert [tuple(s.caption_features.shape) for s in out] == [(2, 24), (0, 24),
                                                              (1, 24)]
    torch.testing.assert_close(torch.stack([s.feature for s in out]), feature)
    torch.testing.assert_close(out[0].caption_features[:1],
                               out[2].caption_features)
    with torch.no_grad():
        torch.testing.assert_close(
            model.encode_captions(TEXTS[:2]), out[0].caption_features)


def test_pictures_of_another_backbone():
    """A map: its average, then its cells; parts of an earlier one."""
    starnet = dict(
        type='StrideMapBackbone',
        model_name='starnet_s3',
        base_dim=8,
        depths=(1, 1, 1, 1))
    neck = dict(type='JointProjection', in_channels=64, out_channels=24)
    model = build(backbone=starnet, neck=neck).eval()
    images = torch.randn(2, 3, 64, 32)
    last = model.backbone(images)[-1]
    found = model.encode_images(images)
    assert found.shape == (2, 1 + 2 * 1, 24)
    torch.testing.assert_close(found[:, 0],
                               model.neck.project(last.mean((2, 3))))
    neck.update(part_index=-2, part_channels=32, norm=True)
    model = build(backbone=starnet, neck=neck).eval()
    assert model.encode_images(images).shape == (2, 1 + 4 * 2, 24)
    losses(model.train(), batch())['loss_irr'].backward()
    with pytest.raises(ValueError, match='part_index=-2 .*part_channels'):
        build(neck=dict(neck, part_channels=None))


@pytest.mark.parametrize('part, changes, said', [
    ('tokenizer', dict(vocab_size=700),
     'text.vocab_size is 600, but model.tokenizer.vocab_size is 700'),
    ('tokenizer', dict(context_length=20),
     'text.context_length is 32, but model.tokenizer.context_length is 20'),
    ('neck', dict(out_channels=20),
     'text.out_channels is 24, but model.neck.out_channels is 20'),
])
def test_parts_that_disagree(part, changes, said):
    cfg = tiny_irra()
    cfg[part].update(changes)
    with pytest.raises(ValueError, match=said):
        MODELS.build(cfg)


def test_words_that_the_head_does_not_know():
    cfg = tiny_irra()
    cfg['heads']['word']['vocab_size'] = 601
    with pytest.raises(
            ValueError, match='heads.word.vocab_size is 601.*is 600'):
        MODELS.build(cfg)
    assert WORDS['vocab_size'] == 600


def test_erasing_puts_the_mean_into_the_normalised_picture():
    torch.manual_seed(0)
    pre = MODELS.build(
        dict(
            type='CaptionedPersonPreprocessor',
            mean=[120., 60., 30.],
            std=[60., 60., 60.],
            erasing=dict(p=1., scale=(0.1, 0.4), ratio=(0.3, 3.3))))
    data = dict(
        inputs=[torch.full((3, 40, 20), 255, dtype=torch.uint8)] * 3,
        data_samples=None)
    clean = pre(data, False)['images']
    torch.testing.assert_close(clean[0, :, 0, 0],
                               torch.tensor([135., 195., 225.]) / 60)
    out = pre(data, True)['images']
    touched = (out != clean).any(1)
    shares = touched.float().mean((1, 2))
    assert (shares > 0.08).all() and (shares < 0.42).all()
    for channel, value in enumerate((120, 60, 30)):
        found = out[:, channel][touched]
        torch.testing.assert_close(found, torch.full_like(found, value / 255))
