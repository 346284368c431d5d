import pytest
import torch
from torch import nn

from saip_mm.models import EmaExpert
from ..tiny_saip import BACKBONES, batch_of_crops, build


@pytest.mark.parametrize('backbone', ['starnet', 'tinyvit'])
def test_expert_tells_images_apart_from_the_first_step_on(backbone):
    model = build(backbone)
    model.train()
    views = model.data_preprocessor(batch_of_crops(), True)['views']
    for _ in range(2):
        losses = model(views, mode='loss')
        assert losses['health/expert_std'] > 0.5 * losses['health/std']
        model.expert.update(model, momentum=0.996)


@pytest.mark.parametrize('backbone', BACKBONES)
def test_expert_starts_equal_to_the_initialised_student(backbone):
    model = build(backbone)
    expert = model.expert.encoder.state_dict()
    for name, value in model.encoder.state_dict().items():
        assert torch.equal(value, expert[name]), name


def test_expert_stays_in_eval_mode_but_for_batch_norm():
    model = build('starnet')
    model.train()
    norms = [isinstance(m, nn.BatchNorm2d) for m in model.expert.modules()]
    assert [m.training for m in model.expert.modules()] == norms
    assert model.encoder.training
    model.eval()
    assert not any(m.training for m in model.expert.modules())
    expert = EmaExpert(batch_norm='ema')
    expert.follow(model.encoder, {})
    expert.train()
    assert not any(m.training for m in expert.modules())
    with pytest.raises(ValueError, match="batch_norm 'group' is unknown"):
        EmaExpert(batch_norm='group')


def test_batch_norm_goes_by_the_batch_unless_told():
    assert EmaExpert().batch_norm == 'batch'
    for kind, by_batch in (('batch', True), ('ema', False)):
        model = build(
            'starnet', expert=dict(type='EmaExpert', batch_norm=kind))
        model.train()
        image = torch.randn(2, 3, 64, 32)
        plain = build('starnet').encoder
        plain.train(by_batch)
        torch.testing.assert_close(
            model.expert.encoder.extract(image), plain.extract(image))


def test_its_widths_are_the_students():
    model = build('tinyvit')
    assert model.expert.dims_for(model.encoder) is model.encoder.dims
    assert model.expert.trainable_average and model.expert.averages_encoder
