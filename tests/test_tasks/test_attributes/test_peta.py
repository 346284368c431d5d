import pickle

import numpy as np
import pytest

from saip_mm.datasets.attribute_names import PETA, PETA_ORDER
from saip_mm.datasets.mat_file import write_mat
from saip_mm.tasks.attributes import PETADataset
from saip_mm.tasks.attributes.peta import read_peta
from .attribute_files import PIDS, SPLIT, peta_content, write, write_peta


def test_file(tmp_path):
    root, content = write_peta(tmp_path), peta_content()
    file = read_peta(f'{root}/PETA.mat')
    assert file.pids.tolist() == list(PIDS) and file.pids.dtype == np.int64
    assert file.numbers.tolist() == list(range(1, 13))
    assert file.names[:35] == PETA and len(file.names) == 105
    assert (file.labels == content['data'][:, 4:]).all()
    # counted from 1 in 16 bits there; one row alone stays a list
    assert file.random[0]['train'].tolist() == [0, 1, 2, 3, 4, 5]
    assert file.random[4]['val'].tolist() == [6]
    assert file.random[4]['test'].tolist() == [7, 8, 9, 10, 11]


def test_zero_shot(tmp_path, log):
    root = write_peta(tmp_path)
    rows = dict(SPLIT, trainval=SPLIT['train'] + SPLIT['val'])
    labels = peta_content()['data'][:, 4:4 + 35]
    for split, wanted in rows.items():
        data = PETADataset(root, split, reorder=False)
        assert [data[i]['pid']
                for i in range(len(data))] == [PIDS[row] for row in wanted]
        assert [data[i]['gt_score'].tolist()
                for i in range(len(data))] == labels[wanted].tolist()
        assert data[0]['img_path'] == f'{root}/images/{wanted[0] + 1:05d}.png'
        assert data.metainfo['classes'] == PETA
    assert "PETA-zs has {'train': 11241" in log.text


def test_order_by_region_of_the_body(tmp_path):
    root = write_peta(tmp_path)
    assert sorted(PETA_ORDER) == list(range(35))
    data, stored = PETADataset(root), PETADataset(root, reorder=False)
    names = data.metainfo['classes']
    assert names[0] == 'accessoryHat' and names[-1] == 'personalMale'
    for i in range(9):
        assert dict(zip(names, data[i]['gt_score'])) == dict(
            zip(PETA, stored[i]['gt_score']))


def test_other_splits(tmp_path):
    root = write_peta(tmp_path)
    for number in range(5):
        data = PETADataset(root, 'test', partition=f'random{number}')
        assert len(data) == 5
    with pytest.raises(
            FileNotFoundError,
            match='no peta_own_split.json, the '
            "split partition='own'.*peta_split.py"):
        PETADataset(root, partition='own')
    (tmp_path / 'peta_zs_split.json').rename(tmp_path / 'peta_own_split.json')
    assert len(PETADataset(root, 'test', partition='own')) == 3
    with pytest.raises(
            FileNotFoundError,
            match='no peta_zs_split.json or '
            'dataset_zs_run0.pkl.*Rethinking_of_PAR'):
        PETADataset(root)


def test_split_of_the_pickle(tmp_path):
    root = write_peta(tmp_path, split=None)
    partition = {part: np.array(rows) for part, rows in SPLIT.items()}
    write(f'{root}/dataset_zs_run0.pkl',
          pickle.dumps(dict(partition=partition)))
    assert len(PETADataset(root, 'train')) == 6
    write(f'{root}/mine.pkl', pickle.dumps(dict(partition=partition)))
    assert len(PETADataset(root, 'val', split_file='mine.pkl')) == 3


def test_all_attributes(tmp_path):
    data = PETADataset(write_peta(tmp_path), attributes='all')
    assert len(data.metainfo['classes']) == 105
    assert data.metainfo['classes'][0] == 'accessoryHat'
    assert data.metainfo['classes'][-1] == 'other69'
    assert data[0]['gt_score'].shape == (105, )


def test_a_person_in_two_parts_is_refused(tmp_path):
    root = write_peta(tmp_path, split=dict(train=[0], val=[2], test=[1]))
    with pytest.raises(
            ValueError,
            match='peta_zs_split.json: not a zero-shot '
            'split: person 1 is in train and test'):
        PETADataset(root)


@pytest.mark.parametrize('key, change, said', [
    ('data', lambda v: v[:, :100], r'peta.data has shape \(12, 100\), expec'),
    ('data', lambda v: np.concatenate([v[:, :-1], v[:, :1] * 0 + 9], 1),
     "attribute 'other69' has value 9 in row 0"),
    ('attribute', lambda v: v[:50], 'names 50 attributes, expected 105'),
    ('selected_attribute', lambda v: v + 1, r'selected_attribute is \[6, 7, '),
])
def test_other_contents_are_refused(tmp_path, key, change, said):
    root, content = write_peta(tmp_path), peta_content()
    content[key] = change(content[key])
    write(f'{root}/PETA.mat', write_mat(dict(peta=content)))
    with pytest.raises(ValueError, match=f'PETA.mat.*{said}'):
        PETADataset(root)


def test_other_fields_and_names_are_refused(tmp_path):
    root, content = write_peta(tmp_path), peta_content()
    content.pop('attribute')
    write(f'{root}/PETA.mat', write_mat(dict(peta=content)))
    with pytest.raises(
            ValueError, match="'peta' has the fields .'data', 'sel"):
        PETADataset(root)
    write(f'{root}/PETA.mat', write_mat(dict(other=content)))
    with pytest.raises(ValueError, match=r"'peta' not found \(found: other"):
        PETADataset(root)
    for kwargs, said in ((dict(split='all'), "split 'all'"),
                         (dict(partition='zs2'), "partition 'zs2'"),
                         (dict(attributes='some'), "attributes 'some'")):
        with pytest.raises(ValueError, match=f'{said} is unknown: use one of'):
            PETADataset(root, **kwargs)
    (tmp_path / 'PETA.mat').unlink()
    with pytest.raises(FileNotFoundError, match='Expected: PETA.mat, images/'):
        PETADataset(root)
