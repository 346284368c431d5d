import json

import numpy as np

from saip_mm.tasks.attributes.counts import (PA100K_POSITIVES, PETA_SHARES,
                                             count_pa100k, count_peta)
from .attribute_files import (SPLIT, peta_content, write, write_pa100k,
                              write_peta)


def test_constants_agree_with_each_other():
    """Sleeves, ages and views share all pictures out."""
    females, *ages = PA100K_POSITIVES[:4]
    for group in (ages, PA100K_POSITIVES[4:7], PA100K_POSITIVES[13:15]):
        assert sum(group) == 90_000
    assert len(PA100K_POSITIVES) == 26 and len(PETA_SHARES) == 35
    # whole pictures of 19 000
    for share in PETA_SHARES:
        count = round(share * 19_000 / 1e6)
        assert round(1e6 * count / 19_000) == share


def test_pa100k(tmp_path):
    counted = count_pa100k(write_pa100k(tmp_path))
    assert not counted.problems
    assert counted.numbers == {
        'train pictures': 4,
        'val pictures': 2,
        'test pictures': 3,
        'attributes': 26
    }
    note, = counted.notes
    assert note.startswith('positives to train and validate: 26 of 26 are not')
    (tmp_path / 'data/000002.jpg').unlink()
    (tmp_path / 'data/000008.jpg').write_bytes(b'')
    counted = count_pa100k(str(tmp_path))
    assert counted.numbers['train pictures'] == 3
    missing, empty = counted.problems
    assert '1 of 4 train pictures' in missing and '000002.jpg' in missing
    assert 'are empty' in empty
    (tmp_path / 'annotation.mat').write_bytes(b'')
    problem, = count_pa100k(str(tmp_path)).problems
    assert 'annotation.mat' in problem


def test_peta_and_its_splits(tmp_path):
    root = write_peta(tmp_path)
    write(f'{root}/peta_own_split.json', json.dumps(SPLIT).encode())
    counted = count_peta(root)
    assert not counted.problems
    assert counted.numbers == {
        'pictures': 12,
        'persons': 7,
        'attributes': 105,
        'random splits': 5,
        'zs train pictures': 6,
        'zs val pictures': 3,
        'zs test pictures': 3
    }
    random, zero_shot, own, shares = counted.notes
    assert random == 'random splits of PETA.mat: shares persons'
    assert zero_shot == ('peta_zs_split.json: zero-shot, other than PETA-zs')
    assert own.startswith('peta_own_split.json: zero-shot')
    assert '35 of 35 are not as others counted, first personalLess30' in shares


def test_peta_without_a_split_or_with_a_wrong_one(tmp_path):
    root = write_peta(tmp_path, split=None)
    counted = count_peta(root)
    assert not counted.problems and 'zs train pictures' not in counted.numbers
    assert any('the split of PETA-zs is missing' in n for n in counted.notes)
    shared = dict(train=[0], val=[2], test=[1])
    write(f'{root}/peta_zs_split.json', json.dumps(shared).encode())
    problem, = count_peta(root).problems
    assert 'person 1 is in train and test' in problem
    content = peta_content()
    content['partion_attribute'][0]['val'] = np.array([[1]], np.uint16)
    write_peta(tmp_path, content)
    problem, = count_peta(root).problems
    assert 'PETA.mat, random0: row 0 is in train and in val' in problem
