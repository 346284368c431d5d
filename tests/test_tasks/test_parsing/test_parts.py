import numpy as np
import pytest
import torch

from saip_mm.synthetic.people.parts import NAMES as LIP
from saip_mm.synthetic.people.parts import PALETTE as LIP_PALETTE
from saip_mm.tasks.parsing import parts


def test_names_and_colours_are_lips_but_for_one():
    differing = [i for i in range(20) if parts.PARTS[i] != LIP[i]]
    assert differing == [10] and parts.PARTS[10] == 'Torso-skin'
    assert parts.PALETTE == LIP_PALETTE
    for left, right in parts.FLIP_PAIRS:
        assert parts.PARTS[left].replace('Left', 'Right') == parts.PARTS[right]


@pytest.mark.parametrize('form', [np.asarray, torch.as_tensor])
def test_joined_and_split_again(form):
    """Also of more persons than 8 bits hold; lone pixels are nobody's."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 20, (30, 40)).astype(np.uint8)
    humans = rng.integers(0, 41, (30, 40)).astype(np.uint8)
    joined = parts.join_maps(labels, humans)
    assert joined.dtype == np.int32 and joined.max() == 20 * 39 + 19
    both = (labels > 0) & (humans > 0)
    found, owners = parts.split_map(form(joined))
    assert (np.asarray(found) == np.where(both, labels, 0)).all()
    assert (np.asarray(owners) == np.where(both, humans, 0)).all()
    # CIHP's own formula of its instances
    v = joined[both].astype(int)
    assert ((v - 1) % 20 + 1 == labels[both]).all()
    assert ((v - 1) // 20 + 1 == humans[both]).all()
