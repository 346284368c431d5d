"""Command line of train.py, and of SLURM's script with a made-up srun."""
import os
import subprocess
import sys

import pytest
import torch

from .test_dist_cpu import CONFIG, MODULE, ROOT


@pytest.mark.slow
def test_resume_goes_on_from_the_last_checkpoint(tmp_path):
    (tmp_path / 'toy_module.py').write_text(MODULE)
    (tmp_path / 'toy_config.py').write_text(
        CONFIG.replace("custom_hooks = [dict(type='SaveEveryRank')]", ''))
    env = dict(
        os.environ,
        CUDA_VISIBLE_DEVICES='',
        OMP_NUM_THREADS='1',
        PYTHONPATH=f'{ROOT}:{tmp_path}')

    def run(*flags):
        done = subprocess.run(
            [sys.executable, ROOT / 'tools/train.py', 'toy_config.py', *flags],
            cwd=tmp_path,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True)
        assert done.returncode == 0, done.stdout[-3000:]
        return done.stdout

    first = run('--resume', '--cfg-options', 'train_cfg.max_epochs=1')
    assert 'has no last_checkpoint: starting from the beginning' in first
    second = run('--resume')
    assert 'resumed epoch: 1, iter: 4' in second
    # 16 images by 4, two epochs; the folder is named after the config
    checkpoint = torch.load(
        tmp_path / 'work_dirs/toy_config/epoch_2.pth', weights_only=False)
    assert checkpoint['meta']['iter'] == 8


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
