"""A checkpoint of another architecture is refused, wherever it is named."""
import logging
from types import SimpleNamespace

import pytest
import torch
from mmengine.model import BaseTTAModel
from torch import nn

from saip_mm.engine import CheckpointFitHook
from saip_mm.weights import CheckpointError
from ...test_models.tiny_saip import VIT, build
from ..toy import DIMS, ToyModel, toy_runner

HOOK = dict(type='CheckpointFitHook')


def load(model, weights, resume=False, **kwargs):
    """As a runner calls the hook, before it loads."""
    runner = SimpleNamespace(
        model=model,
        _load_from='some.pth',
        _resume=resume,
        logger=logging.getLogger('test_checkpoint_fit'))
    checkpoint = dict(state_dict=weights)
    CheckpointFitHook(**kwargs).after_load_checkpoint(runner, checkpoint)


class Mean(BaseTTAModel):

    def merge_preds(self, data_samples_list):
        return data_samples_list


def wider():
    model = ToyModel()
    model.heads['csm'].prototypes = nn.Linear(DIMS, 11, bias=False)
    return model


@pytest.mark.parametrize('resume', [False, True])
def test_a_run_stops_before_it_begins(tmp_path, resume):
    path = tmp_path / 'other.pth'
    meta = dict(epoch=1, iter=5)
    torch.save(dict(meta=meta, state_dict={'fc.weight': torch.ones(2)}), path)
    runner = toy_runner(
        tmp_path / 'run', [HOOK], load_from=str(path), resume=resume)
    with pytest.raises(CheckpointError, match='other.pth does not fit Toy'):
        runner.train()
    assert runner.model.drawn == []


def test_what_fits_passes():
    weights = {f'module.{k}': v for k, v in ToyModel().state_dict().items()}
    load(ToyModel(), weights)
    load(ToyModel(), weights, resume=True)
    load(Mean(ToyModel()), weights)


def test_a_frozen_expert_passes():
    expert = dict(type='FrozenExpert', encoder=dict(backbone=VIT))
    expert['encoder'].update(patch_index=1)
    model = build('vit', ('csm', ), expert=expert)
    load(model, model.state_dict(), resume=True)
    with pytest.raises(CheckpointError, match='unexpected: expert.updates'):
        load(model, build('vit', ('csm', )).state_dict())


def test_a_backbone_alone_is_shown_its_place():
    weights = ToyModel().encoder.state_dict()
    with pytest.raises(
            CheckpointError, match=r'model.backbone.init_cfg.*=some.pth'):
        load(ToyModel(), weights)
    model = build()
    place = r'model.encoder.backbone.init_cfg.checkpoint=some.pth'
    with pytest.raises(CheckpointError, match=place):
        load(model, model.encoder.backbone.state_dict())


def test_another_head_needs_a_word(caplog):
    shape = r'csm.prototypes.weight \(11, 4\) for \(8, 4\).*partial=True'
    with pytest.raises(CheckpointError, match=shape):
        load(ToyModel(), wider().state_dict())
    load(ToyModel(), wider().state_dict(), partial=True)
    assert 'take what fits: some.pth' in caplog.text
    with pytest.raises(CheckpointError, match='Resume with the config'):
        load(ToyModel(), wider().state_dict(), resume=True, partial=True)
    with pytest.raises(CheckpointError, match='no tensor matches'):
        load(ToyModel(), {'fc.weight': torch.ones(2)}, partial=True)


def test_left_over_tensors_are_named():
    with pytest.raises(CheckpointError, match='unexpected: heads.csm.'):
        load(ToyModel(matching=False), ToyModel().state_dict())
