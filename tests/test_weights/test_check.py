import pytest
import torch
from torch import nn

from mmpretrain.registry import MODELS
from saip_mm.weights import NoMatchError, check_weights, load_weights
from ..test_models.tiny_saip import VIT


def test_fitting_weights_are_loaded():
    source, target = (
        MODELS.build(VIT | dict(img_size=size))
        for size in ((64, 32), (96, 48)))
    source.init_weights()
    weights = source.state_dict()
    weights.pop('pos_grid')
    load_weights(target, weights)
    assert torch.equal(target.cls_token, source.cls_token)


def test_other_architecture_is_named_and_nothing_loaded():
    model = MODELS.build(VIT)
    weights = {k: v + 1 for k, v in model.state_dict().items()}
    weights['head.weight'] = torch.ones(1)
    weights['cls_token'] = torch.ones(1, 1, 8)
    for layer in range(3):
        for name in ('weight', 'bias'):
            weights.pop(f'layers.{layer}.ln1.{name}')
    before = {k: v.clone() for k, v in model.state_dict().items()}
    with pytest.raises(ValueError) as error:
        load_weights(model, weights, source='some.pth')
    message = str(error.value)
    assert 'some.pth does not fit GridVisionTransformer' in message
    assert 'missing: layers.0.ln1.weight, layers.0.ln1.bias' in message
    assert 'and 1 more' in message
    assert 'unexpected: head.weight;' in message
    assert 'of another shape: cls_token (1, 1, 8) for (1, 1, 16)' in message
    assert 'saip-mm convert' in message
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key]), key


class Parts(nn.Module):
    """Seven layers of 2 to 1, a table of positions, a grid, a BatchNorm."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(2, 1, False) for _ in range(7))
        self.pos_embed = nn.Parameter(torch.zeros(1, 4, 2))
        self.register_buffer('pos_grid', torch.tensor([2, 2]))
        self.norm = nn.BatchNorm1d(2)


def weights_without(*names):
    weights = Parts().state_dict()
    for name in names:
        weights.pop(name)
    return weights


def names(*places):
    return [f'layers.{i}.weight' for i in places]


@pytest.mark.parametrize('count, listed, more', [(1, 1, ''), (5, 5, ''),
                                                 (6, 5, ' and 1 more'),
                                                 (7, 5, ' and 2 more')])
def test_five_keys_of_a_kind_are_listed(count, listed, more):
    weights = weights_without(*names(*range(count)))
    with pytest.raises(ValueError) as error:
        check_weights(Parts(), weights, 'a.pth')
    expected = f'missing: {", ".join(names(*range(listed)))}{more}. Check'
    assert expected in str(error.value)


def test_counters_and_grids_may_be_missing_or_left_over():
    weights = weights_without('pos_grid', 'norm.num_batches_tracked')
    check_weights(Parts(), weights, 'a.pth', exact=True)
    linear = nn.Linear(2, 1, False)
    check_weights(
        linear,
        dict(weight=torch.ones(1, 2), pos_grid=torch.ones(2)),
        'a.pth',
        exact=True)


def test_a_table_of_other_length_is_the_modules_matter():
    weights = weights_without()
    weights['pos_embed'] = torch.zeros(1, 9, 2)
    check_weights(Parts(), weights, 'a.pth', exact=True)
    weights['norm.bias'] = torch.zeros(3)
    with pytest.raises(
            ValueError, match=r'shape: norm.bias \(3,\) for \(2,\)'):
        check_weights(Parts(), weights, 'a.pth')


def test_only_what_is_needed_must_be_there():
    weights = weights_without('norm.weight', *names(2))
    check_weights(Parts(), weights, 'a.pth', ('pos_embed', 'norm.b'))
    with pytest.raises(ValueError, match='missing: layers.2.weight. Check'):
        check_weights(Parts(), weights, 'a.pth', ('layers.', ))
    with pytest.raises(ValueError, match='missing: layers.2.weight, norm.w'):
        check_weights(Parts(), weights, 'a.pth')


def test_further_keys_are_refused_where_all_must_fit():
    weights = weights_without()
    weights['head.bias'] = torch.ones(1)
    check_weights(Parts(), weights, 'a.pth')
    with pytest.raises(ValueError, match='Parts: unexpected: head.bias. Che'):
        check_weights(Parts(), weights, 'a.pth', exact=True)


@pytest.mark.parametrize(
    'weights',
    [
        {},
        {
            'a.b': torch.ones(2)
        },
        {
            'layers.0.weight': torch.ones(2, 1)
        },  # by name, not by shape
    ])
def test_a_file_of_something_else_is_told_from_a_part(weights):
    with pytest.raises(NoMatchError, match='a.pth does not fit Parts: no'):
        check_weights(Parts(), weights, 'a.pth')
    with pytest.raises(NoMatchError) as error:
        check_weights(
            Parts(), weights, 'a.pth', file_keys=list('uvwxyz'), remedy='Go.')
    message = str(error.value)
    assert "like ['u', 'v', 'w', 'x', 'y'], the model's are like" in message
    assert "['pos_embed', 'pos_grid', 'layers.0.weight'" in message
    assert message.endswith(' Go.') and isinstance(error.value, RuntimeError)


def test_the_source_is_named_by_default():
    with pytest.raises(NoMatchError, match='^the checkpoint does not fit'):
        load_weights(Parts(), {})


def test_what_only_training_has_may_be_another():
    """A classifier of other persons, of no persons, or with one more layer."""

    def model(persons, training_only=('classifier.', )):
        made = nn.Sequential()
        made.add_module('body', nn.Linear(2, 3))
        if persons:
            made.add_module('classifier', nn.Linear(3, persons))
        made.training_only = training_only
        return made

    for theirs, ours in ((4, 7), (4, 0), (0, 7)):
        source, target = model(theirs), model(ours)
        load_weights(target, source.state_dict())
        assert torch.equal(target.body.weight, source.body.weight)
        with pytest.raises(ValueError, match='does not fit'):
            load_weights(model(ours, ()), source.state_dict())
    other = {**model(4).state_dict(), 'body.weight': torch.ones(3, 5)}
    with pytest.raises(ValueError, match='of another shape: body.weight'):
        load_weights(model(4), other)
