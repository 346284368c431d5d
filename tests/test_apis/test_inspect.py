import functools
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
import torch

from saip_mm.apis import draw_batch
from saip_mm.apis.inspect import model_and_views
from ..test_models.tiny_saip import build

ROOT = Path(__file__).parents[2]


def test_draws_a_png(config, tmp_path):
    out = tmp_path / 'made' / 'views.png'
    size = draw_batch('views', str(config), None, str(out), num=2)
    assert cv2.imread(str(out)).shape[:2] == size


def test_unwritable_picture_is_named(config, tmp_path):
    with pytest.raises(ValueError, match='views.text is no picture'):
        draw_batch('views', str(config), None, str(tmp_path / 'views.text'), 2)


def test_what_cannot_be_drawn_from_is_named(config, tmp_path):
    out, other = str(tmp_path / 'views.png'), tmp_path / 'other.py'
    with pytest.raises(ValueError, match='num 0: '):
        draw_batch('views', str(config), None, out, num=0)
    for given in (dict(batches=0), dict(batch=-2), dict(batch=0)):
        with pytest.raises(ValueError, match=f'{list(given)[0]} -?[02]: it'):
            model_and_views(str(config), **given)
    other.write_text("default_scope = 'mmpretrain'\n"
                     "model = dict(type='ImageClassifier')\n")
    for call in (functools.partial(draw_batch, 'views', str(other), None, out),
                 functools.partial(model_and_views, str(other))):
        with pytest.raises(ValueError, match='other.py has a ImageClassifier'):
            call()


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
