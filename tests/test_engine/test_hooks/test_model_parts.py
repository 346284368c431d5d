from types import SimpleNamespace

import torch
from torch import nn
from torch.nn.parallel import DataParallel

from saip_mm.engine.hooks.model_parts import bare_model, expert_of, heads_with


class Head(nn.Module):

    def __init__(self, **parts):
        super().__init__()
        self.__dict__.update(parts)


class Model(nn.Module):

    def __init__(self, **heads):
        super().__init__()
        self.heads = nn.ModuleDict(heads)
        self.expert = nn.Linear(1, 1)


def runner_of(model):
    return SimpleNamespace(model=model)


def test_the_wrapper_of_several_devices_is_taken_off():
    model = Model()
    assert bare_model(runner_of(model)) is model
    assert bare_model(runner_of(DataParallel(model))) is model
    assert expert_of(runner_of(DataParallel(model))) is model.expert


def test_heads_are_found_by_what_they_have():
    zero = Head(expert_temperature=0.)
    center = Head(center=torch.zeros(2), expert_temperature=None)
    model = Model(a=zero, b=center, c=Head())
    for wrapped in (model, DataParallel(model)):
        runner = runner_of(wrapped)
        assert list(heads_with(runner, 'expert_temperature')) == [zero]
        assert list(heads_with(runner, 'center')) == [center]
        assert list(heads_with(runner, 'prototypes')) == []


def test_models_without_heads_or_expert():
    runner = runner_of(nn.Linear(1, 1))
    assert list(heads_with(runner, 'center')) == []
    assert expert_of(runner) is None
