import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from saip_mm.apis import knn_report
from saip_mm.apis.knn_report import logged_scores

ROOT = Path(__file__).parents[2]
# two persons, each by two cameras; their pixels tell them apart
COLOURS = {1: (250, 20, 20), 2: (20, 20, 250)}


def log(work_dir, run, *lines):
    path = work_dir / run / 'vis_data/scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text('\n'.join(
        line if isinstance(line, str) else json.dumps(line) for line in lines))


def scores(step, rank1, expert=None):
    record = {'knn/rank1': rank1, 'knn/map': rank1 / 2, 'step': step}
    if expert is not None:
        record.update({'knn/expert_rank1': expert, 'knn/expert_map': expert})
    return record


@pytest.fixture
def config(tmp_path):
    for folder, cam in (('query', 1), ('bounding_box_test', 2)):
        (tmp_path / 'market' / folder).mkdir(parents=True)
        for pid, colour in COLOURS.items():
            image = np.zeros((64, 32, 3), np.uint8)
            image[:30] = colour
            name = f'{pid:04d}_c{cam}s1_000151_00.jpg'
            cv2.imwrite(str(tmp_path / 'market' / folder / name), image)
    sets = [
        f"{name}=dict(type='MarketDataset', split='{name}', "
        f'data_root={str(tmp_path / "market")!r})'
        for name in ('query', 'gallery')
    ]
    path = tmp_path / 'config.py'
    path.write_text(
        "custom_imports = dict(imports=['saip_mm'])\n"
        "default_hooks = dict(knn=dict(type='RetrievalMonitorHook', "
        f'{", ".join(sets)}))\n')
    return path


def test_table(config, tmp_path):
    log(tmp_path / 'work', 'a', {'loss': 1.}, scores(0, .1, .1),
        scores(8, .25, .5))
    lines = [
        line.rsplit(maxsplit=2)
        for line in knn_report(config, tmp_path / 'work').splitlines()[2:]
    ]
    # chance: one right answer of two, first or second: (1 + 1/2) / 2
    assert lines == [['chance', '50.0', '75.0'],
                     ['raw pixels, 32x16', '100.0', '100.0'],
                     ['random start', '10.0', '5.0'],
                     ['after 8 iterations', '25.0', '12.5'],
                     ['expert after 8', '50.0', '50.0']]


def test_says_how_much_it_counted(config, tmp_path):
    log(tmp_path / 'work', 'a', scores(0, .1))
    assert knn_report(config, tmp_path / 'work').startswith(
        'Search for 2 persons: 2 queries, 2 gallery pictures\n')


def test_last_training_across_resumes(tmp_path):
    """'a' is an older training, 'b' was killed, 'c' resumed it at 3."""
    log(tmp_path, 'a', scores(0, .1), scores(9, .2))
    log(tmp_path, 'b', scores(0, .3), scores(4, .4), '{"knn/ra')
    log(tmp_path, 'c', scores(4, .5), scores(8, .6))
    assert [(s['step'], s['knn/rank1']) for s in logged_scores(tmp_path)] == \
        [(0, .3), (4, .5), (8, .6)]


def test_what_is_missing_is_said(config, tmp_path):
    with pytest.raises(ValueError, match='no k-NN scores in .*empty'):
        knn_report(config, tmp_path / 'empty')
    log(tmp_path / 'work', 'a', scores(0, .1))
    config.write_text('default_hooks = dict(knn=None)')
    with pytest.raises(ValueError, match='no k-NN monitor'):
        knn_report(config, tmp_path / 'work')


@pytest.mark.slow
def test_tool(config, tmp_path):
    log(tmp_path / 'work', 'a', scores(0, .1), scores(8, .25))
    command = [sys.executable, str(ROOT / 'tools/knn_report.py'), str(config)]
    done = subprocess.run(
        command + [str(tmp_path / 'work')], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 'after 8 iterations' in done.stdout
    done = subprocess.run(
        command + [str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 1
    assert 'error: no k-NN scores' in done.stderr
