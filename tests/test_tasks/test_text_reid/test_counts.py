import json

import pytest
from mmengine.registry import DefaultScope

from saip_mm.datasets.prepare.data_check import check_data_set
from .persons import few_records, write_persons


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


def test_counts(tmp_path):
    root = write_persons(tmp_path)
    found = check_data_set('cuhk_pedes', root, read=True)
    assert found.usable and found.word == 'less than was published'
    text = '\n'.join(found.lines)
    for name, number, published in (('train pictures', 4,
                                     '34,054'), ('train persons', 3, '11,003'),
                                    ('train captions', 8,
                                     '68,126'), ('val captions', 2, '6,158'),
                                    ('test persons', 2, '1,000')):
        line, = (row for row in found.lines if f'  {name} ' in row)
        assert line.split()[2:4] == [str(number), published], text


@pytest.mark.parametrize('name, file', [('icfg_pedes', 'ICFG_PEDES.json'),
                                        ('rstpreid', 'data_captions.json')])
def test_other_sets(tmp_path, name, file):
    rows = few_records(0)
    for entry in rows:
        if name == 'rstpreid':
            entry['img_path'] = entry['file_path']
    found = check_data_set(name, write_persons(tmp_path, rows, file))
    assert found.usable, found.lines


def test_what_is_wrong(tmp_path):
    rows = few_records()
    rows[2]['captions'] = ['a man', ' ']
    rows[5]['captions'] = []
    root = write_persons(tmp_path, rows)
    (tmp_path / 'imgs/a/1.png').unlink()
    found = check_data_set('cuhk_pedes', root)
    text = '\n'.join(found.lines)
    assert not found.usable
    assert '1 of 4 train pictures' in text and 'imgs/a/1.png' in text
    assert '1 train records have an empty caption, first record 2' in text
    assert 'note: 1 test pictures have no caption' in text
    (tmp_path / 'reid_raw.json').write_text(json.dumps([dict(split='train')]))
    found = check_data_set('cuhk_pedes', root)
    assert "error: reid_raw.json record 0: key 'captions'" in '\n'.join(
        found.lines)
