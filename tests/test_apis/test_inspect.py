import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from saip_mm.apis import draw_batch
from ..test_models.tiny_saip import build, saip_config

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config(tmp_path):
    """A config file of a tiny SAIP over a folder of three pictures."""
    folder = tmp_path / 'persons'
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(3):
        cv2.imwrite(
            str(folder / f'{i}.png'), rng.integers(0, 255, (80, 40, 3)))
    pipeline = [
        dict(type='DecodeImage'),
        dict(
            type='PersonCrops',
            size=(64, 32),
            num_locals=2,
            local_size=(32, 16),
            background_size=(64, 64))
    ]
    dataset = dict(
        type='PersonImages', sources=[str(folder)], pipeline=pipeline)
    path = tmp_path / 'tiny.py'
    path.write_text(
        "custom_imports = dict(imports=['saip_mm'])\n"
        "default_scope = 'mmpretrain'\n"
        "optim_wrapper = dict(type='TensorClipOptimWrapper', "
        "optimizer=dict(type='AdamW'), clip_grad=dict(max_norm=3.0))\n"
        f'model = {saip_config()!r}\n'
        f'train_dataloader = dict(dataset={dataset!r})\n')
    return path


def test_draws_a_png(config, tmp_path):
    out = tmp_path / 'made' / 'views.png'
    size = draw_batch('views', str(config), None, str(out), num=2)
    assert cv2.imread(str(out)).shape[:2] == size


def test_unwritable_picture_is_named(config, tmp_path):
    with pytest.raises(ValueError, match='views.text is no picture'):
        draw_batch('views', str(config), None, str(tmp_path / 'views.text'), 2)


def test_only_a_checkpoint_of_the_config_is_drawn(config, tmp_path):
    path, out = str(tmp_path / 'weights.pth'), str(tmp_path / 'views.png')
    torch.save(dict(state_dict=build().state_dict()), path)
    draw_batch('views', str(config), path, out, num=2)
    torch.save(dict(state_dict=build('starnet').state_dict()), path)
    with pytest.raises(ValueError, match='weights.pth does not fit SAIP'):
        draw_batch('views', str(config), path, out, num=2)
    torch.save(build().encoder.backbone.state_dict(), path)
    with pytest.raises(ValueError, match='no tensor matches'):
        draw_batch('views', str(config), path, out, num=2)


@pytest.mark.slow
def test_tool_draws(config, tmp_path):
    out = tmp_path / 'search.png'
    run = subprocess.run([
        sys.executable,
        str(ROOT / 'tools/visualize.py'), 'search',
        str(config), '--out',
        str(out), '--num', '2'
    ],
                         capture_output=True,
                         text=True,
                         cwd=ROOT)
    assert run.returncode == 0, run.stderr
    assert str(out) in run.stdout and out.is_file()


@pytest.mark.slow
def test_benchmark_measures_and_compares(config, tmp_path):
    from saip_mm.apis.benchmark import benchmark_pretrain
    yard = tmp_path / 'yard'
    yard.mkdir()
    (yard /
     'reference_views.py').write_text('print("2.0 images/s on one core")')
    (yard / 'reference_step.py'
     ).write_text('print("step 1 s  0.5 images/s  peak 100 MiB")')
    rows = benchmark_pretrain(
        str(config),
        images=str(tmp_path / 'persons'),
        batch=2,
        steps=1,
        rounds=1,
        yardsticks=str(yard))
    assert [row[2] for row in rows] == ['2', '-', '2', '0.5', '100']
    for label, ours, other, ratio in rows:
        assert float(ours) > 0, label
        if ratio != '-':
            assert float(ratio) == pytest.approx(
                float(ours) / float(other), rel=0.02, abs=0.01)
