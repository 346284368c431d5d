import pytest
from mmengine.optim import build_optim_wrapper
from torch import nn

from .test_layer_decay import CONSTRUCTOR


def test_the_former_name_works_and_says_so():
    former = 'mmpretrain.DecayGroupsOptimWrapperConstructor'
    model = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3))
    cfg = dict(
        type='OptimWrapper',
        optimizer=dict(type='AdamW', lr=0.1, weight_decay=0.04),
        paramwise_cfg=dict(no_decay=['1.weight']))
    with pytest.warns(FutureWarning, match='is BackboneLayerDecay.* now'):
        old = build_optim_wrapper(model, dict(cfg, constructor=former))
    new = build_optim_wrapper(model, dict(cfg, constructor=CONSTRUCTOR))
    groups = [w.optimizer.state_dict()['param_groups'] for w in (old, new)]
    assert groups[0] == groups[1]
    assert [g['weight_decay'] for g in groups[0]] == [0.04, 0]
