import pytest

from saip_mm.datasets.prepare.data_check import check_data_set
from saip_mm.tasks.parsing.counts import count_cihp
from .cihp_files import write_cihp


@pytest.fixture
def root(tmp_path):
    write_cihp(tmp_path)
    write_cihp(tmp_path, split='val')
    return tmp_path


def test_pictures_persons_and_parts(root):
    counted = count_cihp(str(root), read=True)
    assert not counted.problems
    for split in ('train', 'val'):
        assert counted.numbers[f'{split} pictures'] == 4
        assert counted.numbers[f'{split} persons'] == 5
        assert counted.numbers[f'{split} part instances'] == 20
    assert not (root / 'annotations').exists()  # counting writes nothing


def test_faults_are_named(root):
    (root / 'Training/Human_ids/0000006.png').unlink()
    (root / 'Validation/val_id.txt').unlink()
    counted = count_cihp(str(root))
    first, second = counted.problems
    assert first.startswith('1 of 4 files (human_path) of')
    assert first.endswith('Training/Human_ids/0000006.png')
    assert 'val_id.txt' in second


def test_published_counts_stand_beside(root):
    verdict = check_data_set('cihp', str(root))
    assert verdict.usable and verdict.word == 'less than was published'
    assert any('28,280' in line for line in verdict.lines)
