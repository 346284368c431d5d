import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

import saip_mm.tasks.reid  # noqa: F401
from mmpretrain.registry import MODELS
from saip_mm.apis.person_search import (check_outputs, draw_search_results,
                                        rerank_of, save_features, search_set)
from ..test_datasets._images import write_tree
from ..test_tasks.test_reid.test_configs import shrink, write_market

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def task(tmp_path_factory):
    """A config and a checkpoint of it."""
    folder = tmp_path_factory.mktemp('search')
    cfg = shrink(ROOT / 'configs/reid/market1501/demo_vit_tiny.py',
                 write_market(folder / 'market'), folder / 'work')
    cfg.dump(str(folder / 'small.py'))
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(folder / 'small.py').model)
    model.init_weights()
    torch.save(
        dict(state_dict=model.state_dict()), str(folder / 'epoch_1.pth'))
    return str(folder / 'small.py'), str(folder / 'epoch_1.pth')


@pytest.fixture(scope='module')
def found(task):
    return search_set(*task)[0]


def test_features_of_the_test_set(found, tmp_path):
    assert found.features.shape == (5, 16)
    np.testing.assert_allclose(
        np.linalg.norm(found.features, axis=1), 1, atol=1e-6)
    assert found.is_query.tolist() == [True] * 2 + [False] * 3
    assert found.pids.tolist() == [4, 5, 0, 4, 5]
    assert found.cams.tolist() == [0, 0, 1, 1, 1]
    out = tmp_path / 'made/test.npz'
    save_features(found, str(out))
    loaded = np.load(out, allow_pickle=False)
    for key, value in found._asdict().items():
        assert (loaded[key] == value).all()
    with pytest.raises(ValueError, match='test.txt is no file of arrays'):
        save_features(found, str(tmp_path / 'test.txt'))


def frames(path, places):
    """Colours in the left border of answers."""
    sheet = cv2.imread(str(path))[..., ::-1]
    left = round(32 * 128 / 64) + 12
    return [tuple(sheet[80, left + place * 76]) for place in places]


@pytest.mark.parametrize('rerank', [None, dict(k1=2, k2=1)])
def test_answers_are_framed(found, tmp_path, rerank):
    # the first query is answered by its person last, the second first
    features = np.eye(3, dtype=np.float32)[[0, 1, 0, 2, 1]]
    case = found._replace(features=features)
    out = tmp_path / 'made/top.png'
    size = draw_search_results(case, str(out), num=5, rerank=rerank)
    assert cv2.imread(str(out)).shape[:2] == size
    colours = frames(out, range(3))
    assert colours[0] == (215, 30, 30)
    assert (0, 160, 60) in colours[1:]


def test_same_camera_is_left_out(found, tmp_path):
    case = found._replace(cams=np.array([0, 0, 1, 0, 1]))
    out = tmp_path / 'top.png'
    draw_search_results(case, str(out), num=5)  # of the second query alone
    assert cv2.imread(str(out)).shape[0] == 156
    case = case._replace(cams=np.zeros(5, int))
    with pytest.raises(ValueError, match='none of the 2 queries has a match'):
        draw_search_results(case, str(out))
    with pytest.raises(ValueError, match='top.text is no picture'):
        draw_search_results(case, str(tmp_path / 'top.text'))


def test_names_of_files_are_looked_at_first():
    check_outputs('top.png', 'all.npz')
    check_outputs('top.png')
    with pytest.raises(ValueError, match='top.text is no picture'):
        check_outputs('top.text')
    with pytest.raises(ValueError, match='all.txt is no file of arrays'):
        check_outputs('top.png', 'all.txt')


@pytest.mark.parametrize('given, wanted', [(False, None), (True, {}),
                                           (dict(k1=3), dict(k1=3)), ({}, {})])
def test_re_ranking_is_that_of_the_test(given, wanted):
    metric = dict(type='PersonRetrievalMetric', rerank=given)
    other = dict(type='Other')
    assert rerank_of(Config(dict(test_evaluator=metric))) == wanted
    assert rerank_of(Config(dict(test_evaluator=[other, metric]))) == wanted
    assert rerank_of(Config(dict(test_evaluator=other))) is None


def test_a_checkpoint_of_other_persons_searches_as_well(task, tmp_path):
    config, checkpoint = task
    other = tmp_path / 'other.py'
    cfg = Config.fromfile(config)
    cfg.model.head.num_classes = 751
    cfg.dump(str(other))
    ours, theirs = (
        search_set(c, checkpoint)[0].features for c in (config, str(other)))
    np.testing.assert_array_equal(ours, theirs)


def test_two_folders(task, tmp_path):
    folders = [
        write_tree(tmp_path / name, ['x y.jpg', 'a/b.png'])
        for name in ('who', 'where')
    ]
    found, _ = search_set(*task, folders=folders)
    assert found.is_query.tolist() == [True, True, False, False]
    out = tmp_path / 'top.png'
    draw_search_results(found, str(out), known=False)
    assert set(frames(out, range(2))) == {(150, 150, 150)}
    with pytest.raises(FileNotFoundError, match="nowhere' holds no pictures"):
        search_set(*task, folders=(folders[0], 'nowhere'))
    (tmp_path / 'where/x y.jpg').write_text('text')
    with pytest.raises(OSError, match="cannot decode '.*x y.jpg'"):
        search_set(*task, folders=folders)


@pytest.mark.slow
def test_tool(task, tmp_path):
    out = tmp_path / 'top.png'
    run = subprocess.run([
        sys.executable,
        str(ROOT / 'tools/search_persons.py'), *task, '--out',
        str(out), '--features',
        str(tmp_path / 'all.npz'), '--cfg-options',
        'test_evaluator.rerank=True'
    ],
                         capture_output=True,
                         text=True,
                         cwd=ROOT)
    assert run.returncode == 0, run.stderr
    assert out.is_file() and 'all.npz: 5 pictures' in run.stdout
