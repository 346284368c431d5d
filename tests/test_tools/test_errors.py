"""A user's mistake ends a tool with one line, not with a traceback."""
import os
import runpy
import subprocess
import sys

import pytest

from .test_dist_cpu import CONFIG, MODULE, ROOT


@pytest.mark.parametrize('arguments', [
    ('train.py', 'none.py'),
    ('test.py', 'none.py', 'none.pth'),
    ('visualize.py', 'views', 'none.py'),
    ('benchmark.py', 'pretrain', 'none.py'),
    ('benchmark.py', 'search', 'none.py'),
    ('benchmark.py', 'gradients', 'none.py'),
])
def test_a_missing_config(arguments, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'argv', list(arguments))
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / 'tools' / arguments[0]), run_name='__main__')
    assert str(end.value.code).startswith('error: ')
    assert 'none.py' in str(end.value.code)


@pytest.mark.slow
@pytest.mark.parametrize('flags, words', [
    (('--cfg-options', 'train_cfg.max_epochs=0'), 'train_cfg.max_epochs=0:'),
    (('--resume', 'none.pth'), 'none.pth does not exist'),
    (('--cfg-options', 'train_dataloader=None'), 'no train_dataloader'),
    (('--work-dir', 'toy_config.py'), 'toy_config.py is a file'),
])
def test_a_mistake_in_training(flags, words, tmp_path):
    (tmp_path / 'toy_module.py').write_text(MODULE)
    (tmp_path / 'toy_config.py').write_text(CONFIG)
    done = subprocess.run(
        [sys.executable, ROOT / 'tools/train.py', 'toy_config.py', *flags],
        cwd=tmp_path,
        env=dict(
            os.environ,
            CUDA_VISIBLE_DEVICES='',
            OMP_NUM_THREADS='1',
            PYTHONPATH=f'{ROOT}:{tmp_path}'),
        capture_output=True,
        text=True)
    assert done.returncode == 1
    assert 'Traceback' not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith('error: ') and words in last
