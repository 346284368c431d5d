import numpy as np
import pytest
from PIL import Image

from saip_mm.datasets.attribute_names import PA100K
from saip_mm.synthetic import WRITERS
from saip_mm.synthetic.writers import pa100k
from saip_mm.tasks.attributes import PA100KDataset
from ._written import write_few

COUNTS = dict(train=30, val=6, test=12)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield write_few(
            tmp_path_factory.mktemp('pa100k'),
            'pa100k',
            patch,
            CROPS=tuple(COUNTS.values()))


def test_the_data_set_reads_it(root):
    names, sizes = set(), []
    for split, count in COUNTS.items():
        data = PA100KDataset(root, split, reorder=False)
        assert len(data) == count and data.metainfo['classes'] == PA100K
        for i in range(count):
            names.add(data[i]['img_path'])
            with Image.open(data[i]['img_path']) as image:
                sizes.append(image.size)
            facts = dict(zip(PA100K, data[i]['gt_score']))
            assert facts['ShortSleeve'] + facts['LongSleeve'] == 1
            assert facts['Front'] + facts['Side'] + facts['Back'] == 1
            assert sum(facts[age]
                       for age in ('AgeOver60', 'Age18-60', 'AgeLess18')) == 1
    assert len(names) == sum(COUNTS.values())
    widths, heights = np.array(sizes).T
    assert (heights > widths).all() and len(set(heights)) > 10
    ratio = np.array(PA100KDataset(root).metainfo['label_ratio'])
    assert ((ratio > 0) & (ratio < 1)).sum() > 18


def test_nobody_is_in_two_splits():
    """By the numbers that splits own."""
    jobs = WRITERS['pa100k'].plan('tiny', 0)
    owners = {(job.options['part'], job.split) for job in jobs}
    assert owners == {('train', 'train'), ('val', 'other'), ('test', 'test')}


@pytest.mark.parametrize('size', pa100k.CROPS)
def test_plan_of_every_size(size):
    jobs = WRITERS['pa100k'].plan(size, 0)
    assert len(jobs) == sum(pa100k.CROPS[size])
    assert jobs[-1].path == f'data/{len(jobs):06d}.jpg'
