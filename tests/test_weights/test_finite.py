import pytest
import torch

from saip_mm.weights import (NonFiniteWeightsError, check_finite,
                             read_checkpoint)
from saip_mm.weights.finite import is_finite, tensors_of


@pytest.mark.parametrize('place', ['state_dict', 'model', 'optimizer'])
@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_what_is_not_finite_is_named(place, value, file):
    bad = torch.tensor([1., value])
    torch.save({place: dict(a=dict(b=bad), c=bad), 'meta': bad}, file)
    with pytest.raises(
            NonFiniteWeightsError,
            match=rf'weights.pth: {place}.a.b holds values that are not '
            r'finite \(and 1 more tensors\)'):
        read_checkpoint(str(file))


def test_notes_may_be_infinite(file):
    hub = dict(best=float('-inf'), loss=torch.tensor([torch.nan]))
    torch.save(dict(message_hub=hub, state_dict={}), file)
    assert read_checkpoint(str(file))['message_hub']['best'] == float('-inf')


def test_one_bad_tensor_has_no_others():
    weights = dict(a=torch.ones(2), b=[dict(c=torch.tensor([0., torch.inf]))])
    with pytest.raises(NonFiniteWeightsError) as error:
        check_finite(dict(state_dict=weights), 'checkpoint x.pth')
    assert str(error.value).startswith(
        'checkpoint x.pth: state_dict.b.0.c holds values that are not finite: '
        'the run had diverged')


@pytest.mark.parametrize('note', ['meta', 'message_hub', 'param_schedulers'])
def test_histories_are_no_weights(note):
    check_finite({note: dict(loss=torch.tensor(torch.nan))}, 'a')
    with pytest.raises(NonFiniteWeightsError, match='a: ema.loss holds'):
        check_finite(dict(ema=dict(loss=torch.tensor(torch.nan))), 'a')


def test_tensors_are_found_at_any_depth():
    one, two, three = torch.ones(1), torch.ones(2), torch.ones(3)
    content = dict(
        a=one, b=(two, dict(c=[three])), d='text', e=None, f=7, g={})
    assert dict(tensors_of(content)) == {
        'a': one,
        'b.0': two,
        'b.1.c.0': three
    }
    assert [name for name, _ in tensors_of([one], 'x.')] == ['x.0']


BAD = (torch.nan, torch.inf, -torch.inf)


@pytest.mark.parametrize('dtype', [
    torch.float16, torch.bfloat16, torch.float32, torch.float64,
    torch.complex64
])
def test_every_float_is_looked_at(dtype):
    assert is_finite(torch.ones(3, dtype=dtype))
    assert is_finite(torch.ones(0, dtype=dtype))
    for value in BAD:
        assert not is_finite(torch.tensor([1., value]).to(dtype))


def test_eight_bits_are_looked_at_too():
    good = torch.ones(3).to(torch.float8_e5m2)
    assert is_finite(good)
    for value in BAD:
        assert not is_finite(torch.tensor([1., value]).to(torch.float8_e5m2))


def test_integers_are_finite():
    for dtype in (torch.int64, torch.uint8, torch.bool):
        assert is_finite(torch.ones(3, dtype=dtype))


def test_sparse_tensors_are_looked_at_by_their_values():
    for value in (2., torch.nan):
        dense = torch.tensor([[0., value], [0., 0.]])
        for sparse in (dense.to_sparse(), dense.to_sparse_csr()):
            assert is_finite(sparse) is (value == 2.)
