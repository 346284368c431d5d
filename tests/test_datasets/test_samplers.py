from unittest.mock import patch

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from mmpretrain.registry import DATA_SAMPLERS
from saip_mm.datasets.samplers import ResumableSampler

WHERE = 'saip_mm.datasets.samplers.get_dist_info'


def ranks(count, world, **kwargs):
    samplers = []
    for rank in range(world):
        with patch(WHERE, return_value=(rank, world)):
            samplers.append(ResumableSampler(range(count), seed=5, **kwargs))
    return samplers


@pytest.mark.parametrize('world', [1, 2, 4])
@pytest.mark.parametrize('epoch', [0, 3])
def test_each_index_once_over_all_ranks(world, epoch):
    got = []
    for sampler in ranks(40, world):
        sampler.set_epoch(epoch)
        mine = list(sampler)
        assert len(mine) == len(sampler) == 40 // world
        got += mine
    assert sorted(got) == list(range(epoch * 40, epoch * 40 + 40))


def test_ranks_get_equally_many_where_it_does_not_divide():
    parts = [list(s) for s in ranks(10, 4)]
    assert [len(p) for p in parts] == [3, 3, 3, 3]
    assert set(sum(parts, [])) == set(range(10))
    parts = [list(s) for s in ranks(1, 4)]  # fewer images than ranks
    assert parts == [[0]] * 4


def test_order_is_mmengines():
    expected = torch.randperm(40, generator=torch.Generator().manual_seed(7))
    sampler, = ranks(40, 1)
    sampler.set_epoch(2)
    assert [i % 40 for i in sampler] == expected.tolist()


def test_epochs_differ_and_repeat():
    sampler, = ranks(40, 1)
    first = [i % 40 for i in sampler]
    sampler.set_epoch(1)
    assert [i % 40 for i in sampler] != first
    sampler.set_epoch(0)
    assert list(sampler) == first


@pytest.mark.parametrize('world', [1, 4])
@pytest.mark.parametrize('done', [0, 1, 6, 10])
def test_skip_continues_exactly_and_only_once(world, done):
    for sampler in ranks(10 * world, world):
        sampler.set_epoch(4)
        whole = list(sampler)
        sampler.skip(done)
        assert list(sampler) == whole[done:]
        assert len(sampler) == 10
        assert list(sampler) == whole


@pytest.mark.parametrize('num', [-1, 11])
def test_skip_too_far(num):
    sampler, = ranks(10, 1)
    with pytest.raises(ValueError, match='10 a rank'):
        sampler.skip(num)


class Numbers(Dataset):

    def __init__(self, seed=None):
        self.seed = seed

    def __len__(self):
        return 24

    def __getitem__(self, i):
        return i


@pytest.mark.parametrize('workers', [0, 1])
def test_resumed_loader_gives_the_remaining_batches(workers):

    def loader():
        data = Numbers()
        sampler = ResumableSampler(data, seed=0)
        sampler.set_epoch(1)
        return DataLoader(data, 4, sampler=sampler, num_workers=workers)

    whole = [b.tolist() for b in loader()]
    resumed = loader()
    resumed.sampler.skip(2 * 4)
    assert [b.tolist() for b in resumed] == whole[2:]


def test_seed_reaches_the_dataset_unless_it_has_one():
    for own, seed in ((None, 9), (3, 3)):
        data = Numbers(own)
        DATA_SAMPLERS.build(
            dict(type='ResumableSampler', dataset=data, seed=9))
        assert data.seed == seed
