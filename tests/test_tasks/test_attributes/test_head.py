import math

import pytest
import torch

from mmpretrain.structures import DataSample
from saip_mm.tasks.attributes import AttributeHead


@pytest.fixture
def head():
    torch.manual_seed(0)
    return AttributeHead(3, 8, dict(type='LabelRatioLoss'))


def labelled(*rows):
    return [DataSample().set_gt_score(torch.tensor(row)) for row in rows]


def test_starts_as_pytorch_does(head):
    """A bound of 1/sqrt(8), and not normal 0.01."""
    weight, bias = head.fc.weight.clone(), head.fc.bias.clone()
    head.init_weights()
    assert torch.equal(head.fc.weight, weight)
    assert torch.equal(head.fc.bias, bias)
    assert 0.2 < weight.abs().max() < 1 / math.sqrt(8)


def test_one_half_is_not_told_to_be_there(head):
    scores = torch.tensor([[0., 1e-3, -1.]])
    sample, = head._get_predictions(scores)
    assert sample.pred_score[0] == 0.5
    assert sample.pred_label.tolist() == [1]
    assert 'loss' not in sample


def test_predicts_the_loss_of_each_picture(head):
    samples = labelled((1., 0., 1.), (0., 0., 0.))
    features = (torch.randn(2, 8), )
    assert 'loss' not in head.predict(features, samples)[0]  # no ratio yet
    head.loss_module.label_ratio = (.5, .2, .1)
    predicted = head.predict(features, samples)
    loss = head.loss(features, samples)['loss']
    mean = torch.stack([s.loss for s in predicted]).mean()
    assert mean.item() == pytest.approx(loss.item())


def test_every_parameter_gets_a_gradient(head):
    head.loss_module.label_ratio = (.5, .2, .1)
    features = torch.randn(2, 8, requires_grad=True)
    head.loss((features, ), labelled((1., 0., 1.), (0., 0., -1.)))[
        'loss'].backward()  # yapf: disable
    for tensor in (features, *head.parameters()):
        assert tensor.grad.abs().sum() > 0


def test_other_losses_of_mmpretrain_fit():
    head = AttributeHead(3, 8, dict(type='CrossEntropyLoss', use_sigmoid=True))
    samples = labelled((1., 0., 1.))
    assert head.loss((torch.randn(1, 8), ), samples)['loss'].isfinite()
    assert 'loss' not in head.predict((torch.randn(1, 8), ), samples)[0]
