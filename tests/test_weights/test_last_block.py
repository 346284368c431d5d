"""A last block that was never trained."""
import pytest
import torch

from saip_mm.weights import convert_backbone
from saip_mm.weights.last_block import (last_block_ratio, last_trained,
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


def test_what_paths_tasks_left_is_noted_and_kept():
    """In a converted file, too, which no longer looks like PATH's."""
    found = convert_backbone(path_weights())
    left = found.meta['untrained']
    assert {k.rpartition('.')[0]
            for k in left} == {'ln1'} | {
                f'layers.11.{name}'
                for name in ('ln1', 'ln2', 'attn.qkv', 'attn.proj',
                             'ffn.layers.0.0', 'ffn.layers.1')
            }
    assert convert_backbone(found.checkpoint()).meta['untrained'] == left
    assert not convert_backbone(joined(path_weights())).meta
    assert last_trained(left, 12) == 10
