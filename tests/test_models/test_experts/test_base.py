import pytest
import torch
from mmengine.model import BaseModule
from torch.nn.modules.batchnorm import _BatchNorm

from saip_mm.models import Request
from ..tiny_saip import BACKBONES, batch_of_crops, build


def shake(model):
    """Change every student parameter and buffer."""
    with torch.no_grad():
        for value in model.encoder.state_dict(keep_vars=True).values():
            if value.is_floating_point():
                value.add_(torch.rand_like(value))
        for param in model.heads.parameters():
            param.add_(1.)


def expert_token(model, views):
    """The expert's image token of the anchor."""
    answers = model.answers(views)['csm']
    return next(a.tokens.image for a in answers
                if a.request.role == 'expert' and a.request.view == 'anchor')


@pytest.mark.parametrize('backbone', BACKBONES)
def test_average_moves_parameters_and_buffers(backbone):
    model = build(backbone)
    before = {k: v.clone() for k, v in model.expert.state_dict().items()}
    shake(model)
    student = {
        **{
            f'encoder.{k}': v
            for k, v in model.encoder.state_dict().items()
        },
        **{
            f'decoder.{k}': v
            for k, v in model.heads['csm'].decoder.state_dict().items()
        }
    }
    assert before.keys() == student.keys() | {'updates'}
    model.expert.update(model, momentum=0.75)
    after = model.expert.state_dict()
    assert after.pop('updates') == 2  # the first was the copy at the start
    params = dict(model.expert.named_parameters())
    for name, value in after.items():
        if value.is_floating_point():
            old = 0.75 if name in params else 1 / 11
            expected = old * before[name] + (1 - old) * student[name]
            torch.testing.assert_close(value, expected)
        else:
            assert torch.equal(value, student[name])


def test_buffers_end_at_the_momentum_of_the_parameters():
    model = build('starnet')
    model.expert.updates.fill_(10**6)
    name = next(k for k in model.expert.state_dict() if 'running_mean' in k)
    shake(model)
    before = model.expert.state_dict()[name].clone()
    student = model.encoder.state_dict()[name.partition('.')[2]]
    model.expert.update(model, momentum=0.75)
    torch.testing.assert_close(model.expert.state_dict()[name],
                               0.75 * before + 0.25 * student)


def test_batches_do_not_enter_the_averaged_statistics():
    model = build('starnet')
    model.train()
    before = {k: v.clone() for k, v in model.expert.state_dict().items()}
    views = model.data_preprocessor(batch_of_crops(), True)['views']
    model.answers(views)
    for name, value in model.expert.state_dict().items():
        if value.is_floating_point():
            assert torch.equal(value, before[name]), name


def test_a_monitor_in_between_changes_nothing():
    model = build('starnet')
    model.train()
    views = model.data_preprocessor(batch_of_crops(), True)['views']
    first = expert_token(model, views)
    model.expert.encoder.train(False)
    again = expert_token(model, views)
    assert torch.equal(first, again)


def test_cached_attention_bias_follows_the_average():
    model = build('tinyvit')
    image = torch.randn(1, 3, 64, 32)
    model.expert.eval()
    before = model.expert.encoder.extract(image)
    with torch.no_grad():
        for name, param in model.encoder.named_parameters():
            if 'attention_biases' in name:
                param.normal_(std=5.)
    model.expert.update(model, momentum=0.)
    model.expert.eval()
    after = model.expert.encoder.extract(image)
    model.encoder.train(False)
    torch.testing.assert_close(after, model.encoder.extract(image))
    assert not torch.allclose(before, after)


class Averaging(BaseModule):
    """Names two modules, one of them as another head and the expert do."""

    def __init__(self, student_dims, expert_dims, value):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)
        self.scale = torch.nn.Linear(1, 1)
        self.value = value
        torch.nn.init.constant_(self.layer.weight, value)

    def averaged(self):
        return dict(layer=self.layer, encoder=self.scale)

    def requests(self, views):
        return [Request('anchor', 'student', ('image', ))]

    def loss(self, answers, views, averages):
        token = answers[0].tokens.image
        assert (averages['layer'].weight == self.value).all()
        assert averages['encoder'].weight.shape == (1, 1)
        return {f'loss_{self.value}': token.square().mean()}


def test_heads_may_name_their_averages_alike():
    heads = {
        f'h{value}': dict(type=Averaging, value=value)
        for value in (1, 2)
    }
    model = build(heads=heads)
    losses = model(**model.data_preprocessor(batch_of_crops()), mode='loss')
    assert set(losses) == {'loss_1', 'loss_2'}
    names = [f'{n}.weight' for n in ('layer', 'h2_layer', 'h1_encoder')]
    assert set(names) < set(model.expert.state_dict())
    with torch.no_grad():
        model.heads['h2'].layer.weight.fill_(6.)
    model.expert.update(model, momentum=0.75)
    averages = model.expert.averages_of('h2')
    assert (averages['layer'].weight == 0.75 * 2 + 0.25 * 6).all()
    assert (model.expert.averages_of('h1')['layer'].weight == 1).all()
    assert model.expert.averages_of('h3') == {}


def test_counters_are_copied_and_updates_counted():
    model = build('starnet')
    model(**model.data_preprocessor(batch_of_crops()), mode='loss')
    assert model.expert.updates == 1
    model.expert.update(model, momentum=1.)
    name = next(k for k in model.encoder.state_dict() if 'num_batches' in k)
    seen = model.encoder.state_dict()[name]
    assert seen > 0 and model.expert.encoder.state_dict()[name] == seen
    assert model.expert.updates == 2


def test_copies_are_frozen_and_in_eval_mode_at_once():
    model = build('starnet')
    norms = [m for m in model.expert.modules() if isinstance(m, _BatchNorm)]
    assert norms and all(m.momentum == 0 for m in norms)
    # BatchNorm alone goes by the batch, which is the student's default
    others = [m for m in model.expert.modules() if m not in norms]
    assert not any(m.training for m in others)
    assert not any(p.requires_grad for p in model.expert.parameters())
