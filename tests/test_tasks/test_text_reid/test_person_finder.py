import os
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from saip_mm.tasks.text_reid import answer_sheet as sheets
from saip_mm.tasks.text_reid.answer_sheet import Answers, answer_sheet
from saip_mm.tasks.text_reid.person_finder import PersonFinder, find_persons
from .persons import needs_vocabulary
from .test_configs import CONFIGS, shrink

pytestmark = needs_vocabulary

TOOL = Path(__file__).parents[3] / 'tools/search_by_text.py'


@pytest.fixture
def config(tmp_path):
    path, = (p for p in CONFIGS if p.stem == 'demo_vit_tiny')  # the smallest
    return shrink(path, tmp_path)


def colours(sheet):
    return set(map(tuple, sheet.reshape(-1, 3).tolist()))


def test_captions_of_the_test_split(config, tmp_path):
    out = str(tmp_path / 'answers.png')
    answers = find_persons(config, None, out, num=4, top=2)
    assert len(answers) == 4
    for row in answers:
        assert len(row.paths) == len(row.right) == 2
        assert row.similarities == sorted(row.similarities, reverse=True)
        assert all(-1.001 <= s <= 1.001 for s in row.similarities)
    found = colours(cv2.imread(out)[..., ::-1])
    right = {mark for row in answers for mark in row.right}
    assert (sheets.RIGHT in found) == (True in right)
    assert (sheets.WRONG in found) == (False in right)
    again = find_persons(config, None, out, num=6)
    assert len(again) == 6 and len(again[0].paths) == 3  # all there are


def test_sentences_over_a_folder(config, tmp_path):
    folder = str(tmp_path / 'data/imgs')
    answers = find_persons(config, None, str(tmp_path / 'a.png'),
                           ['a man in red', 'a café'], folder)
    assert [a.text for a in answers] == ['a man in red', 'a café']
    assert len(answers[0].paths) == 8 and answers[0].right is None


def test_order_is_that_of_the_similarity(config):
    torch.manual_seed(0)
    finder = PersonFinder(config, None)
    data = config.test_dataloader.dataset
    folder = os.path.join(data.data_root, 'imgs/a')
    paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    finder.add(paths[:3], [1, 1, 2])
    finder.add(paths[3:5], [3, 1])
    row, = finder.find(['a child runs'], top=5, pids=[1])
    with torch.no_grad():
        text = finder.model.encode_captions(['a child runs'])
    wanted = torch.cosine_similarity(text, finder.features)
    order = wanted.argsort(descending=True)
    assert row.paths == [paths[i] for i in order]
    assert row.right == [[1, 1, 2, 3, 1][i] == 1 for i in order]
    assert row.similarities == pytest.approx(wanted[order].tolist(), abs=1e-5)


def test_long_sentences_are_wrapped():
    picture = np.full((40, 20, 3), 7, np.uint8)
    one = answer_sheet([Answers('a man', ['a'], [0.5], [True])], [[picture]])
    long = answer_sheet([Answers('red ' * 60, ['a'], [0.5], [False])],
                        [[picture]])
    assert long.shape[1] == one.shape[1]
    assert long.shape[0] >= one.shape[0] + 2 * sheets.LINE
    assert sheets.RIGHT in colours(one) and sheets.WRONG in colours(long)


@pytest.mark.parametrize('changes, error, said', [
    (dict(out='a.txt'), ValueError, 'a.txt is no picture file'),
    (dict(folder='gone', texts=['a']), FileNotFoundError, "no folder 'gone'"),
    (dict(folder='gone'), ValueError, 'give --text'),
    (dict(texts=[' ']), ValueError, "caption ' ' is empty"),
])
def test_what_cannot_be_searched(config, tmp_path, changes, error, said):
    kwargs = dict(out=str(tmp_path / 'a.png')) | changes
    with pytest.raises(error, match=said):
        find_persons(config, None, **kwargs)


def test_folders_without_or_with_broken_pictures(config, tmp_path):
    folder = tmp_path / 'crops'
    folder.mkdir()
    ask = dict(out=str(tmp_path / 'a.png'), texts=['a'], folder=str(folder))
    with pytest.raises(ValueError, match='no picture to be searched'):
        find_persons(config, None, **ask)
    (folder / 'broken.png').write_bytes(b'no picture')
    with pytest.raises(OSError, match="cannot decode '.*broken.png'"):
        find_persons(config, None, **ask)


def test_the_tool(config, tmp_path, monkeypatch, capsys):
    path = str(tmp_path / 'small.py')
    config.dump(path)
    out = str(tmp_path / 'sheet.png')
    monkeypatch.setattr(
        sys, 'argv',
        ['search_by_text.py', path, '--out', out, '--num', '1', '--top', '2'])
    runpy.run_path(str(TOOL), run_name='__main__')
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[-1] == out and cv2.imread(out) is not None
    assert len([line for line in lines
                if line.endswith(('right', 'wrong'))]) == 2
    monkeypatch.setattr(sys, 'argv', ['search_by_text.py', 'none.py'])
    with pytest.raises(SystemExit, match='error: no config none.py'):
        runpy.run_path(str(TOOL), run_name='__main__')
