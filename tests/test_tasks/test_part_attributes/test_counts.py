import pytest

from .fashion_files import changed, write_fashion

pytest.importorskip('mmdet')

from saip_mm.datasets.prepare.data_check import check_data_set  # noqa: E402
from saip_mm.tasks.part_attributes.counts import \
    count_fashionpedia  # noqa: E402


def test_pictures_garments_and_attributes(tmp_path):
    counted = count_fashionpedia(write_fashion(tmp_path), read=True)
    assert counted.problems == counted.notes == []
    numbers = counted.numbers
    assert numbers['train pictures'] == numbers['val pictures'] == 3
    assert numbers['train garments'] == 6
    assert numbers['train garments with attributes'] == 4
    assert numbers['train categories'] == 6
    assert numbers['train attributes'] == 8


def test_faults_are_named(tmp_path):
    root = write_fashion(tmp_path, **changed(2, attribute_ids=[1]))
    (tmp_path / 'test/8.jpg').unlink()
    (tmp_path / 'instances_attributes_train2020.json').unlink()
    counted = count_fashionpedia(root)
    assert 'train pictures' not in counted.numbers
    assert counted.numbers['val pictures'] == 2
    first, second = counted.problems
    assert 'instances_attributes_train2020.json' in first
    assert second.startswith('1 of 3 pictures of instances_attributes_val2020')
    assert second.endswith('first ' + str(tmp_path / 'test/8.jpg'))
    assert 'have attributes although' in counted.notes[0]


def test_published_counts_stand_beside(tmp_path):
    verdict = check_data_set('fashionpedia', write_fashion(tmp_path))
    assert verdict.usable and verdict.word == 'less than was published'
    assert any('45,623' in line for line in verdict.lines)
