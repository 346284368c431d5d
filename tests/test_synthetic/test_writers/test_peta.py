import pytest
from PIL import Image

from saip_mm.synthetic import WRITERS
from saip_mm.synthetic.writers import peta
from saip_mm.tasks.attributes import PETADataset
from saip_mm.tasks.attributes.peta import read_peta
from saip_mm.tasks.attributes.peta_split import (check_split, name_split,
                                                 read_split)
from ._written import write_few

COUNTS = dict(train=10, val=3, test=5)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield write_few(
            tmp_path_factory.mktemp('peta'),
            'peta',
            patch,
            PERSONS=tuple(COUNTS.values()))


def test_file_and_split(root):
    file = read_peta(f'{root}/PETA.mat')
    assert file.numbers.tolist() == list(range(1, len(file.pids) + 1))
    assert set(file.pids) == set(range(1, 19))
    assert file.sources.min() >= 1 and file.sources.max() <= 10
    split = read_split(f'{root}/peta_zs_split.json')
    check_split(split, file.pids, 'f', zero_shot=True)
    assert sum(map(len, split.values())) == len(file.pids)
    for part, count in COUNTS.items():
        assert len(set(file.pids[split[part]])) == count
    for number, other in enumerate(file.random):
        check_split(other, file.pids, 'f', zero_shot=False)
        assert name_split(other, file.pids, file.random) == f'random{number}'
    assert name_split(file.random[0], file.pids) == 'shares persons'


def test_labels_are_of_persons(root):
    by_person = {}
    for split in COUNTS:
        data = PETADataset(root, split)
        for i in range(len(data)):
            sample = data[i]
            by_person.setdefault(sample['pid'],
                                 set()).add(tuple(sample['gt_score']))
            with Image.open(sample['img_path']) as image:
                assert image.format == 'PNG' and image.size[1] >= 80
    assert len(by_person) == 18
    assert all(len(labels) == 1 for labels in by_person.values())
    assert len(set.union(*by_person.values())) > 14


@pytest.mark.parametrize('size', peta.PERSONS)
def test_plan_of_every_size(size):
    jobs = WRITERS['peta'].plan(size, 0)
    assert len({job.options['pid'] for job in jobs}) == sum(peta.PERSONS[size])
    assert jobs == WRITERS['peta'].plan(size, 0)
    assert len(jobs) < 20_000  # their names have five digits
