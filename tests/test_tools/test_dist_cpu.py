import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
MODULE = '''
import torch
from mmengine.dist import get_rank
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from torch import nn
from torch.utils.data import Dataset

from mmpretrain.registry import DATASETS, HOOKS, METRICS, MODELS


@DATASETS.register_module()
class Points(Dataset):

    def __len__(self):
        return 16

    def __getitem__(self, index):
        return dict(inputs=torch.full((3, 4, 4), float(index)))


@MODELS.register_module()
class Toy(BaseModel):

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2))

    def forward(self, inputs, mode='tensor'):
        if mode == 'predict':
            return inputs.mean((1, 2, 3))
        return dict(loss=(self.layers(inputs) - inputs.mean()).square().mean())


@METRICS.register_module()
class MeanIndex(BaseMetric):

    def process(self, data_batch, data_samples):
        self.results += [float(sample) for sample in data_samples]

    def compute_metrics(self, results):
        return dict(mean=sum(results) / len(results), count=len(results))


@HOOKS.register_module()
class SaveEveryRank(Hook):

    def after_train(self, runner):
        weights = dict(runner.model.module.named_parameters())
        torch.save(weights, f'rank{get_rank()}.pth')
'''
CONFIG = '''
default_scope = 'mmpretrain'
custom_imports = dict(imports=['toy_module'])
model = dict(type='Toy')
sync_bn = 'torch'
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    dataset=dict(type='Points'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'))
optim_wrapper = dict(
    type='AmpOptimWrapper', optimizer=dict(type='SGD', lr=0.08))
auto_scale_lr = dict(enable=False, base_batch_size=16)
train_cfg = dict(by_epoch=True, max_epochs=2)
test_dataloader = dict(
    batch_size=3,
    num_workers=0,
    dataset=dict(type='Points'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'))
test_cfg = dict()
test_evaluator = dict(type='MeanIndex')
custom_hooks = [dict(type='SaveEveryRank')]
randomness = dict(seed=0)
env_cfg = dict(dist_cfg=dict(backend='nccl'))
'''


def run_on_cpu(folder, script, *arguments):
    """Run a script in another folder than the repository's: paths are
    relative to it."""
    env = dict(
        os.environ,
        CUDA_VISIBLE_DEVICES='',
        OMP_NUM_THREADS='1',
        PYTHON=sys.executable,
        PYTHONPATH=str(folder))
    done = subprocess.run([str(ROOT / 'tools' / script), *arguments],
                          cwd=folder,
                          env=env,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT,
                          text=True,
                          timeout=600)
    assert done.returncode == 0, done.stdout[-3000:]
    return done


@pytest.mark.slow
def test_two_gloo_processes_stay_the_same_model(tmp_path):
    (tmp_path / 'toy_module.py').write_text(MODULE)
    (tmp_path / 'toy_config.py').write_text(CONFIG)
    done = run_on_cpu(tmp_path, 'dist_train.sh', 'toy_config.py', '2',
                      '--auto-scale-lr', '--work-dir', 'work')
    # 2 x 4 = 8 images, half of what the rate was meant for
    assert done.stdout.count('batch 4 per GPU x 2 GPUs x 1 accumulated = 8, '
                             'learning rate 0.08 (for 16) -> 0.04') == 1
    assert done.stdout.count('training in float32') == 1
    assert done.stdout.count('SyncBatchNorm needs GPUs') == 1
    first, second = (
        torch.load(tmp_path / f'rank{rank}.pth', weights_only=True)
        for rank in (0, 1))
    assert first.keys() == second.keys() and len(first) == 4
    for name in first:
        assert torch.equal(first[name], second[name]), name
    assert (tmp_path / 'work' / 'epoch_2.pth').is_file()


@pytest.mark.slow
def test_two_gloo_processes_test_every_image_once(tmp_path):
    (tmp_path / 'toy_module.py').write_text(MODULE)
    (tmp_path / 'toy_config.py').write_text(CONFIG)
    weights = {
        'layers.0.weight': torch.zeros(2, 3, 3, 3),
        'layers.0.bias': torch.zeros(2)
    }
    torch.save(dict(state_dict=weights), tmp_path / 'weights.pth')
    done = run_on_cpu(tmp_path, 'dist_test.sh', 'toy_config.py', 'weights.pth',
                      '2', '--work-dir', 'work', '--out', 'predictions.pkl')
    # 8 on each rank, by 3; indices 0 to 15
    assert 'mean: 7.5000  count: 16' in done.stdout
    assert (tmp_path / 'predictions.pkl').is_file()


@pytest.mark.parametrize('script, arguments', [
    ('dist_train.sh', ['config.py']),
    ('dist_test.sh', ['config.py', 'weights.pth']),
    ('slurm_train.sh', ['partition', 'job', 'config.py']),
])
def test_scripts_say_how_they_are_used(script, arguments):
    done = subprocess.run([str(ROOT / 'tools' / script), *arguments],
                          capture_output=True,
                          text=True)
    assert done.returncode == 2 and 'usage:' in done.stderr


def test_number_of_processes_must_be_one():
    done = subprocess.run(
        [str(ROOT / 'tools' / 'dist_train.sh'), 'config.py', '--amp'],
        capture_output=True,
        text=True)
    assert done.returncode == 2 and "got '--amp'" in done.stderr
