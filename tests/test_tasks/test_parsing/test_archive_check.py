import json
import os

import numpy as np
import pytest

from saip_mm.tasks.parsing.archive_check import (check_archive,
                                                 compare_instances, split_of)
from ...test_tools.tool import run_tool
from .cihp_files import PICTURES, draw_persons, save_map, write_cihp

TOOL = 'cihp.py'


@pytest.fixture
def root(tmp_path):
    write_cihp(tmp_path)
    write_cihp(tmp_path, split='val')
    return tmp_path


def test_counts_beside_the_published(root, capsys):
    run_tool(TOOL, str(root), '--check')
    printed = capsys.readouterr().out
    assert 'train: 4 pictures (published 28280), 5 persons, ' in printed
    assert ('val: 4 pictures (published 5000), 5 persons (published 17520), '
            '20 instances (published 121374), 0 fewest (published 2), '
            '2 most (published 12)') in printed
    assert '1.25 persons a picture (published 3.4 over all)' in printed
    assert 'Instance_ids: all agree' in printed
    assert sorted(os.listdir(
        root / 'annotations')) == ['cihp_train.json', 'cihp_val.json']


def test_processes_give_the_same(root):
    alone = check_archive(str(root), compare=True, progress=False)
    assert check_archive(
        str(root), compare=True, workers=2, progress=False) == alone


def test_one_split_alone(root):
    reports = check_archive(str(root), ['val'], progress=False)
    assert [report.name for report in reports] == ['val']
    assert reports[0].wrong is None
    assert os.listdir(root / 'annotations') == ['cihp_val.json']


def test_an_index_is_made_anew(root):
    os.makedirs(root / 'annotations')
    (root / 'annotations/cihp_train.json').write_text('stale')
    check_archive(str(root), ['train'], progress=False)
    content = json.loads((root / 'annotations/cihp_train.json').read_text())
    assert len(content['annotations']) == 5


def test_instances_that_disagree(root, capsys):
    folder = root / 'Training/Instance_ids'
    parts, humans = draw_persons(*PICTURES['0000006'])
    instances = np.where(parts > 0, 20 * (humans - 1) + parts, 0)
    instances[5, 5:8] = 3
    save_map(root, instances.astype(np.uint8), kind='Instance_ids')
    (folder / '0000021.txt').write_text('2 2 1\n5 5 1\n17 17 1\n')
    (folder / '0000045.png').unlink()
    (folder / '0000046.txt').write_text('two 2 1\n')
    save_map(root, np.zeros((9, 9), np.uint8), '0000046', 'Instance_ids')
    wrong = compare_instances(split_of(str(root), 'train'))
    found = [line.rsplit('/', 1)[1] for line in wrong]
    assert found == [
        '0000006.png: 3 pixels differ',
        "0000021.txt: '16 16 1' is in the maps alone, 1 differ in all",
        '0000045.png: missing',
        '0000046.png: (9, 9) in size, the maps (48, 64)',
        '0000046.txt: not all lines are three numbers',
    ]
    with pytest.raises(SystemExit) as error:
        run_tool(TOOL, str(root), '--splits', 'train', '--check')
    assert error.value.code == 1
    assert '0000045.png: missing' in capsys.readouterr().out


def test_what_does_not_go_together_is_one_warning(root, capsys):
    parts, humans = draw_persons(*PICTURES['0000006'])
    parts[0, :3] = 9
    save_map(root, parts)
    run_tool(TOOL, str(root))
    printed = capsys.readouterr().out
    assert printed.count('Warning: train: 3 pixels of a part show nobody') == 1
    assert 'Warning: val' not in printed


@pytest.mark.parametrize('arguments, error', [
    (('gone', ), 'there is no .*train_id.txt: set data_root'),
    (('.', '--splits', 'val'), 'there is no .*val_id.txt'),
    (('.', '--splits', 'train'), '0000006.png holds class 37; CIHP has 0-19'),
])
def test_errors_in_one_line(tmp_path, monkeypatch, arguments, error):
    write_cihp(tmp_path)
    save_map(tmp_path, np.full((48, 64), 37, np.uint8))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=f'^error: .*{error}'):
        run_tool(TOOL, *arguments)
