"""Command line of train.py, and of SLURM's script with a made-up srun."""
import os
import subprocess
import sys

import pytest
import torch

from .test_dist_cpu import CONFIG, MODULE, ROOT


def train(folder, *flags, processes=1):
    """Run the tool on the toy config; its end and what it printed."""
    (folder / 'toy_module.py').write_text(MODULE)
    (folder / 'toy_config.py').write_text(
        CONFIG.replace("dict(type='SaveEveryRank')",
                       "dict(type='PlainCheckpointHook')"))
    env = dict(
        os.environ,
        CUDA_VISIBLE_DEVICES='',
        OMP_NUM_THREADS='1',
        PYTHON=sys.executable,
        PYTHONPATH=f'{ROOT}:{folder}')
    command = [sys.executable, ROOT / 'tools/train.py', 'toy_config.py']
    if processes > 1:
        command = [
            ROOT / 'tools/dist_train.sh', 'toy_config.py',
            str(processes)
        ]
    done = subprocess.run([*command, *flags],
                          cwd=folder,
                          env=env,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT,
                          text=True)
    return done.returncode, done.stdout


def one_epoch(folder, *flags, **kwargs):
    code, printed = train(folder, *flags, '--cfg-options',
                          'train_cfg.max_epochs=1', **kwargs)
    assert code == 0, printed[-3000:]
    return printed


@pytest.mark.slow
def test_resume_goes_on_from_the_last_checkpoint(tmp_path):
    first = one_epoch(tmp_path, '--resume')
    assert 'has no last_checkpoint: starting from the beginning' in first
    code, second = train(tmp_path, '--resume')
    assert code == 0, second[-3000:]
    assert 'resumed epoch: 1, iter: 4' in second
    assert 'changed: train_cfg.max_epochs: 1 -> 2' in second
    # 16 images by 4, two epochs; the folder is named after the config
    checkpoint = torch.load(
        tmp_path / 'work_dirs/toy_config/epoch_2.pth', weights_only=True)
    assert checkpoint['meta']['iter'] == 8
    code, third = train(tmp_path, '--resume')
    assert code == 0
    assert 'nothing to train: 2 of train_cfg.max_epochs=2' in third


@pytest.mark.slow
def test_another_rate_is_taken_by_the_option(tmp_path):
    """As the message after NaN says."""
    one_epoch(tmp_path)
    code, printed = train(tmp_path, '--resume', '--resume-schedule', 'new',
                          '--cfg-options', 'optim_wrapper.optimizer.lr=0.04')
    assert code == 0, printed[-3000:]
    assert 'learning rate of the next step: 0.04' in printed
    saved = torch.load(
        tmp_path / 'work_dirs/toy_config/epoch_2.pth', weights_only=True)
    assert saved['optimizer']['param_groups'][0]['lr'] == 0.04


@pytest.mark.slow
def test_two_processes_are_not_resumed_with_one_by_silence(tmp_path):
    one_epoch(tmp_path, '--auto-scale-lr', processes=2)
    code, printed = train(tmp_path, '--resume', '--auto-scale-lr')
    assert code == 1
    assert ('was trained with 2 processes x 4 images x 1 accumulated = 8 a '
            'step, this run has 1 processes x 4 images x 1 accumulated = '
            '4') in printed.splitlines()[-1]
    code, printed = train(tmp_path, '--resume', '--auto-scale-lr',
                          '--resume-schedule', 'new')
    assert code == 0, printed[-3000:]
    assert 'learning rate of the next step: 0.02' in printed  # 0.08 * 4 / 16
    saved = torch.load(
        tmp_path / 'work_dirs/toy_config/epoch_2.pth', weights_only=True)
    assert saved['meta']['iter'] == 8  # 4 an epoch now


SRUN = '''#!/usr/bin/env bash
printf '%s\\n' "$@"
'''


def test_slurm_gets_the_job(tmp_path):
    srun = tmp_path / 'srun'
    srun.write_text(SRUN)
    srun.chmod(0o755)
    env = dict(
        os.environ,
        PATH=f'{tmp_path}:{os.environ["PATH"]}',
        PYTHON='python3',
        GPUS='16',
        SRUN_ARGS='--quiet --time=1:00')
    script = str(ROOT / 'tools' / 'slurm_train.sh')
    done = subprocess.run([
        script, 'night', 'saip', 'c.py', 'work', '--cfg-options', 'a="[1,2]"'
    ],
                          capture_output=True,
                          text=True,
                          check=True,
                          env=env)
    assert done.stdout.splitlines() == [
        '--partition=night', '--job-name=saip', '--gres=gpu:8', '--ntasks=16',
        '--ntasks-per-node=8', '--cpus-per-task=5', '--kill-on-bad-exit=1',
        '--quiet', '--time=1:00', 'python3', '-u',
        str(ROOT / 'tools' / 'train.py'), 'c.py', '--work-dir', 'work',
        '--launcher', 'slurm', '--cfg-options', 'a="[1,2]"'
    ]
    done = subprocess.run([script, 'night', 'saip', 'c.py', 'work'],
                          capture_output=True,
                          text=True,
                          check=True,
                          env=dict(env, GPUS='2'))
    assert '--gres=gpu:2\n--ntasks=2\n--ntasks-per-node=2\n' in done.stdout
