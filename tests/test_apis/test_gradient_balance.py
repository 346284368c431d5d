import pytest
import torch
from torch import nn

from saip_mm.apis import balance_report, gradient_balance
from saip_mm.apis.gradient_balance import Balance
from ..test_models.tiny_saip import batch_of_crops, build


class TwoHeads(nn.Module):
    """One shared tensor (3, 4), one of each head, one that is frozen."""

    def __init__(self):
        super().__init__()
        self.shared = nn.Parameter(torch.tensor([3., 4.]))
        self.first = nn.Parameter(torch.tensor([10.]))
        self.second = nn.Parameter(torch.tensor([2., 2., 2.]))
        self.frozen = nn.Parameter(torch.ones(2), requires_grad=False)

    def forward(self, views, mode):
        assert mode == 'loss'
        return {
            # gradients by the shared tensor: (10, 10), and itself
            'loss_a': (self.shared * self.frozen).sum() * self.first.sum(),
            'loss_b': self.shared.square().sum() / 2 + self.second.sum(),
            'health/std': self.shared.mean()
        }


def test_only_what_all_objectives_reach_counts():
    norms, shared = gradient_balance(TwoHeads(), None)
    assert shared == 2
    assert norms == pytest.approx(dict(loss_a=200**0.5, loss_b=5.))


def test_objectives_without_a_common_parameter():
    model = TwoHeads()
    model.shared.requires_grad_(False)
    with pytest.raises(ValueError, match='nothing to balance'):
        gradient_balance(model, None)


def test_gradients_are_those_of_each_loss_alone():
    """Against a backward pass of each loss by itself."""

    def losses():
        model = build('vit')
        torch.manual_seed(0)
        views = model.data_preprocessor(batch_of_crops())['views']
        return model, views

    model, views = losses()
    torch.manual_seed(1)
    found = gradient_balance(model, views)
    gradients = {}
    for name in found.norms:
        model, views = losses()
        torch.manual_seed(1)
        model(views, mode='loss')[name].backward()
        gradients[name] = {
            n: p.grad.double()
            for n, p in model.named_parameters() if p.grad is not None
        }
    assert set(found.norms) == {'loss_csm', 'loss_csr', 'loss_css'}
    common = set.intersection(*map(set, gradients.values()))
    assert all(name.startswith('encoder.') for name in common)
    # the last block and the last norm serve image tokens, matching's alone
    assert 'encoder.backbone.layers.1.ln1.weight' in common
    assert 'encoder.backbone.layers.2.ln1.weight' not in common
    for name, own in gradients.items():
        squares = sum(float(own[n].square().sum()) for n in common)
        assert found.norms[name] == pytest.approx(squares**0.5, rel=1e-4)
    parameters = dict(model.named_parameters())
    assert found.shared == sum(parameters[n].numel() for n in common)


def test_report_is_the_mean_of_the_batches(config, monkeypatch):  # noqa: F811
    found = iter([
        Balance(dict(loss_a=2., loss_b=1.), 5),
        Balance(dict(loss_a=6., loss_b=3.), 5)
    ])
    monkeypatch.setitem(balance_report.__globals__, 'gradient_balance',
                        lambda *_: next(found))
    lines = balance_report(str(config), batches=2, batch=2).splitlines()
    assert [line.split() for line in lines[2:]] == [['loss_a', '4', '1'],
                                                    ['loss_b', '2', '0.5']]


def test_report_is_relative_to_the_first(config):  # noqa: F811
    lines = balance_report(str(config), batches=2, batch=2).splitlines()
    rows = [line.split() for line in lines[2:]]
    assert [row[0] for row in rows] == ['loss_csm', 'loss_csr', 'loss_css']
    norms = [float(row[1]) for row in rows]
    assert rows[0][2] == '1' and min(norms) > 0
    for norm, row in zip(norms, rows):
        assert float(row[2]) == pytest.approx(norm / norms[0], rel=2e-3)
