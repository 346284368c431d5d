from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope
from torch import nn

from mmpretrain.registry import OPTIM_WRAPPER_CONSTRUCTORS, PARAM_SCHEDULERS
from saip_mm.tasks.text_reid.ordered_rules import factors

SCHEDULE = Config.fromfile(
    Path(__file__).parents[3] / 'configs/_base_/schedules/irra_adam_60e.py')
RULES = SCHEDULE.optim_wrapper.paramwise_cfg.rules


@pytest.mark.parametrize('name, rate, decay', [
    ('backbone.layers.0.attn.qkv.weight', 1, 1),
    ('backbone.layers.0.attn.qkv.bias', 2, 0),
    ('text.ln_final.weight', 1, 1),
    ('text.transformer.resblocks.0.attn.in_proj_bias', 2, 0),
    ('heads.word.cross_attn.in_proj_weight', 5, 1),
    ('heads.word.cross_attn.in_proj_bias', 2, 0),
    ('heads.word.cross_modal_transformer.0.ln_1.weight', 5, 1),
    ('heads.word.ln_pre_t.weight', 1, 1),
    ('heads.word.ln_post.bias', 2, 0),
    ('heads.word.mlm_head.0.weight', 5, 1),
    ('heads.word.mlm_head.0.bias', 5, 0),
    ('heads.person.classifier.weight', 5, 1),
    ('heads.person.classifier.bias', 5, 0),
])
def test_rates_of_the_reference(name, rate, decay):
    assert factors(name, RULES) == (rate, decay)


def test_a_factor_whatever_other_rules_say():
    rules = [
        dict(name='backbone', times=10),
        dict(name='bias', lr_mult=2, decay_mult=0)
    ]
    assert factors('backbone.a.bias', rules) == (20, 0)
    assert factors('backbone.a.weight', rules) == (10, 1)


def build(model, **paramwise):
    cfg = dict(
        type='OptimWrapper',
        optimizer=dict(type='Adam', lr=1e-2, weight_decay=0.5))
    return OPTIM_WRAPPER_CONSTRUCTORS.build(
        dict(
            type='OrderedRulesConstructor',
            optim_wrapper_cfg=cfg,
            paramwise_cfg=paramwise))(
                model)


def test_groups():
    model = nn.ModuleDict(
        dict(a=nn.Linear(2, 3), cross=nn.Linear(3, 3), still=nn.Linear(3, 1)))
    for param in model.still.parameters():
        param.requires_grad_(False)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        wrapper = build(model, rules=RULES)
    assert isinstance(wrapper, OptimWrapper)
    groups = wrapper.optimizer.param_groups
    assert [(g['lr'], g['weight_decay'], len(g['params']))
            for g in groups] == [(1e-2, 0.5, 1), (2e-2, 0, 2), (5e-2, 0.5, 1)]


def test_wrong_rules():
    with pytest.raises(ValueError, match='a rule has a name and some of'):
        build(nn.Linear(1, 1), rules=[dict(lr_mult=3)])
    with pytest.raises(ValueError, match='takes paramwise_cfg=dict.rules'):
        build(nn.Linear(1, 1), custom_keys={})


def test_golden_rates_of_the_schedule():
    """Of 1e-5, by epoch."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=1e-5)
    schedulers = []
    for cfg in SCHEDULE.param_scheduler:
        cfg = dict(cfg, end=cfg.get('end', 60))  # the runner's default
        schedulers.append(
            PARAM_SCHEDULERS.build(dict(cfg, optimizer=optimizer)))
    rates = []
    for _ in range(60):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    wanted = {
        0: 1e-6,
        1: 2.8e-6,
        4: 8.2e-6,
        5: 1e-5,
        30: 5.7115742e-6,
        59: 8.15448e-9
    }
    assert {k: rates[k] for k in wanted} == pytest.approx(wanted, rel=1e-6)
