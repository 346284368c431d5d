"""Which frozen expert a run learnt from, across checkpoints."""
import copy

import pytest
import torch

from saip_mm.weights import CheckpointError
from ...expert_files import save_path_file
from ...test_models.tiny_saip import build
from ..test_resume import checkpoint
from ..test_resume_saip import Crops
from ..toy import HOOKS, toy_runner

HEADS = dict(
    csm=dict(
        type='CrossScaleMatchingHead',
        decoder=dict(
            type='AlignmentDecoder', hidden_dims=16, bottleneck_dims=8)))


def run(folder, file, expert='FrozenExpert', **kwargs):
    expert = dict(type=expert)
    if file is not None:
        expert['checkpoint'] = file
    model = build('vit', expert=expert, heads=copy.deepcopy(HEADS))
    loader = torch.utils.data.DataLoader(Crops(), 2, drop_last=True)
    runner = toy_runner(
        folder, [*HOOKS, dict(type='ExpertFileHook')],
        model=model,
        train_dataloader=loader,
        default_hooks=checkpoint(),
        **kwargs)
    runner.train()
    return runner


@pytest.fixture
def trained(tmp_path):
    file = save_path_file(tmp_path / 'path_vitb.pth')
    run(tmp_path / 'a', file)
    return tmp_path, file, str(tmp_path / 'a/epoch_1.pth')


def test_a_checkpoint_says_it_and_holds_no_weights_of_it(trained):
    folder, file, saved = trained
    content = torch.load(saved, weights_only=True)
    said = content['meta']['expert']
    assert said['file'] == file and len(said['sha256']) == 64
    assert not any(k.startswith('expert.') for k in content['state_dict'])


def test_a_resume_takes_the_same_file_wherever_it_lies(trained):
    folder, file, saved = trained
    moved = folder / 'elsewhere.pth'
    (folder / 'path_vitb.pth').rename(moved)
    runner = run(folder / 'b', str(moved), load_from=saved, resume=True)
    assert runner.model.expert.source['file'] == str(moved)


def test_a_resume_with_another_expert_is_refused(trained):
    folder, file, saved = trained
    other = save_path_file(folder / 'other.pth', seed=1)
    error = r'learnt from .*path_vitb.pth \(SHA-256 .*here it is .*other.pth'
    with pytest.raises(CheckpointError, match=error):
        run(folder / 'b', other, load_from=saved, resume=True)
    # weights alone may go on with another one
    run(folder / 'c', other, load_from=saved)


def test_other_experts_have_nothing_to_say(tmp_path):
    run(tmp_path / 'a', None, 'EmaExpert')
    saved = tmp_path / 'a/epoch_1.pth'
    assert 'expert' not in torch.load(saved, weights_only=True)['meta']
