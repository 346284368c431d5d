"""A last block that was never trained."""
import pytest
import torch

from saip_mm.weights import convert_backbone
from saip_mm.weights.last_block import (is_path, last_block_ratio,
                                        say_last_block)
from ..expert_files import joined, path_weights


def test_ratio_is_to_the_median():
    weights = path_weights()
    for block in range(12):
        key = f'blocks.{block}.attn.qkv.weight'
        weights[key] *= (1 + block) / weights[key].norm()
    found = convert_backbone(weights).weights
    assert last_block_ratio(found) == pytest.approx(12 / 6.5)
    found['layers.11.attn.qkv.weight'] *= 0.03
    ratio = last_block_ratio(found)
    assert ratio == pytest.approx(0.36 / 5.5)
    line = say_last_block(ratio, 12)
    assert line.startswith('0.07 of the norm') and 'out_index=10' in line
    assert 'out_index' not in say_last_block(0.3, 12)
    few = {k: v for k, v in found.items() if not k.startswith('layers.')}
    few['layers.1.attn.qkv.weight'] = torch.ones(1)
    assert last_block_ratio(few) is None and say_last_block(None, 2) is None


def test_path_is_told_by_its_class_tokens_position():
    assert is_path(path_weights())
    assert not is_path(joined(path_weights()))
