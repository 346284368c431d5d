import json
import pickle

import numpy as np
import pytest

from saip_mm.tasks.attributes import peta_split
from saip_mm.tasks.attributes.peta_split import (PARTS, check_split,
                                                 convert_split, make_own_split,
                                                 name_split, read_split)
from ...test_tools.tool import run_tool
from .attribute_files import PIDS, SPLIT, write_peta

PERSONS = np.array(PIDS)


def as_split(**lists):
    return {part: np.array(lists[part]) for part in PARTS}


def saved_json(tmp_path, content):
    (tmp_path / 's.json').write_text(json.dumps(content))
    return str(tmp_path / 's.json')


def saved_pickle(tmp_path, content):
    (tmp_path / 's.pkl').write_bytes(pickle.dumps(content))
    return str(tmp_path / 's.pkl')


def test_json_and_pickle_are_read_alike(tmp_path):
    arrays = dict(
        partition=dict(as_split(**SPLIT), trainval=np.arange(9)),
        root='/somewhere/else',
        label=np.ones((12, 35)))
    for path in (saved_json(tmp_path, SPLIT), saved_pickle(tmp_path, arrays)):
        split = read_split(path)
        assert set(split) == set(PARTS)
        for part in PARTS:
            assert split[part].dtype == np.int64
            assert split[part].tolist() == SPLIT[part]


@pytest.mark.parametrize('content, said', [
    ([1, 2], "has no 'partition'"),
    (dict(train=[0], val=[1]), "'test' is no list of row numbers"),
    (dict(train=[0], val=[1], test=[]), "'test' is no list of row numbers"),
    (dict(train=[0.5], val=[1], test=[2]), "'train' is no list of row"),
])
def test_what_is_no_split(tmp_path, content, said):
    with pytest.raises(ValueError, match=f's.json.*{said}'):
        read_split(saved_json(tmp_path, content))
    if isinstance(content, dict):
        with pytest.raises(ValueError, match=f's.pkl.*{said}'):
            read_split(saved_pickle(tmp_path, dict(partition=content)))


def test_foreign_code_and_missing_files(tmp_path):
    marker = tmp_path / 'ran'
    path = tmp_path / 's.pkl'
    path.write_bytes(b"cos\nsystem\n(S'touch " + str(marker).encode() +
                     b"'\ntR.")
    with pytest.raises(ValueError, match='s.pkl.*os.system.*run code'):
        read_split(str(path))
    assert not marker.exists()
    for name in ('gone.json', 'gone.pkl'):
        with pytest.raises(FileNotFoundError, match=f'{name}.*--own makes a'):
            read_split(str(tmp_path / name))


@pytest.mark.parametrize('change, said', [
    (dict(train=[0, 12]), 'row 12 of train is outside 0..11'),
    (dict(val=[-1]), r'row -1 of val is outside'),
    (dict(train=[0, 1, 0]), 'row 0 is in train and in train'),
    (dict(val=[6, 0]), 'row 0 is in train and in val'),
])
@pytest.mark.parametrize('zero_shot', [True, False])
def test_rows_that_cannot_be(change, said, zero_shot):
    with pytest.raises(ValueError, match=f'f: {said}'):
        check_split(as_split(**dict(SPLIT, **change)), PERSONS, 'f', zero_shot)


def test_persons_in_two_parts():
    # person 4 has rows 6 and 7, person 7 has 10 and 11
    split = as_split(train=[0, 1, 6, 10], val=[2, 3], test=[7, 11])
    check_split(split, PERSONS, 'f', zero_shot=False)
    with pytest.raises(
            ValueError,
            match='f: not a zero-shot split: person 4 is in train '
            r'and test \(and 1 others\)'):
        check_split(split, PERSONS, 'f', zero_shot=True)
    check_split(as_split(**SPLIT), PERSONS, 'f', zero_shot=True)


def test_splits_are_told_apart(monkeypatch):
    split, shared = as_split(**SPLIT), as_split(train=[0], val=[1], test=[2])
    assert name_split(split, PERSONS) == 'zero-shot, other than PETA-zs'
    assert name_split(shared, PERSONS) == 'shares persons'
    turned = {part: rows[::-1] for part, rows in shared.items()}
    assert name_split(turned, PERSONS, [split, shared]) == 'random1'
    monkeypatch.setattr(peta_split, 'ZERO_SHOT_SIZES',
                        dict(train=6, val=3, test=3))
    assert name_split(split, PERSONS) == 'PETA-zs'


@pytest.mark.parametrize('persons', [3, 5, 50])
def test_own_split(persons):
    pids = np.random.default_rng(0).integers(0, persons, 400) + 17
    split = make_own_split(pids, seed=3)
    check_split(split, pids, 'f', zero_shot=True)
    assert sum(map(len, split.values())) == 400
    counts = {part: len(np.unique(pids[split[part]])) for part in PARTS}
    assert min(counts.values()) >= 1
    if persons == 50:
        assert counts == dict(train=30, val=10, test=10)
        other = make_own_split(pids, seed=4)
        assert not np.array_equal(split['train'], other['train'])
    again = make_own_split(pids, seed=3)
    assert all(np.array_equal(split[part], again[part]) for part in PARTS)


def test_own_split_of_too_little():
    with pytest.raises(ValueError, match='2 persons cannot be shared out'):
        make_own_split(np.array([1, 1, 2]))
    with pytest.raises(ValueError, match='three numbers above 0'):
        make_own_split(PERSONS, (1, 0, 1))


def test_converting(tmp_path):
    path = saved_pickle(tmp_path, dict(partition=as_split(**SPLIT)))
    out = tmp_path / 'out.json'
    convert_split(path, str(out), PERSONS)
    content = json.loads(out.read_text())
    assert content['name'] == 'PETA-zs' and content['source'] == 's.pkl'
    assert len(content['sha256']) == 64
    assert {part: content[part] for part in PARTS} == SPLIT
    shared = dict(partition=as_split(train=[0], val=[1], test=[2]))
    with pytest.raises(ValueError, match='not a zero-shot split'):
        convert_split(saved_pickle(tmp_path, shared), str(out), PERSONS)


def test_tool(tmp_path, capsys):
    root = write_peta(tmp_path, split=None)
    with pytest.raises(SystemExit, match='dataset_zs_run0.pkl.*--own'):
        run_tool('peta_split.py', root)
    run_tool('peta_split.py', root, '--own', '--seed', 1)
    said = capsys.readouterr().out
    assert 'peta_own_split.json: zero-shot, other than PETA-zs; train' in said
    content = json.loads((tmp_path / 'peta_own_split.json').read_text())
    assert content['name'] == 'own split' and content['seed'] == 1
    (tmp_path / 'dataset_zs_run0.pkl').write_bytes(
        pickle.dumps(dict(partition=as_split(**SPLIT))))
    run_tool('peta_split.py', root)
    assert 'train 6, val 3, test 3' in capsys.readouterr().out
    assert read_split(f'{root}/peta_zs_split.json')['val'].tolist() == [
        6, 7, 8
    ]
