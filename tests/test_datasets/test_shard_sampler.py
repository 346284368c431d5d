from collections import Counter
from unittest.mock import patch

import numpy as np
import pytest
from torch.utils.data import DataLoader, Dataset, get_worker_info

from mmpretrain.registry import DATA_SAMPLERS
from saip_mm.datasets import ShardSampler
from saip_mm.datasets.shard_sampler import _Line

WHERE = 'saip_mm.datasets.samplers.get_dist_info'


class Numbers(Dataset):
    """Numbers in runs; says who was asked for which."""

    def __init__(self, runs, seed=None):
        self.lengths, self.seed = np.array(runs), seed
        self.ends = self.lengths.cumsum()

    def runs(self):
        return self.lengths

    def __len__(self):
        return int(self.ends[-1])

    def __getitem__(self, i):
        worker = get_worker_info()
        return i, -1 if worker is None else worker.id

    def run_of(self, i):
        return int(np.searchsorted(self.ends, i % len(self), 'right'))


def ranks(runs, world, batch_size=4, **kwargs):
    samplers = []
    for rank in range(world):
        with patch(WHERE, return_value=(rank, world)):
            samplers.append(
                ShardSampler(Numbers(runs), batch_size, seed=5, **kwargs))
    return samplers


RUNS = [9, 30, 5, 12, 1, 20, 18, 7, 26, 40]  # 168


@pytest.mark.parametrize('world', [1, 2, 3])
@pytest.mark.parametrize('streams', [1, 3, 8])
@pytest.mark.parametrize('mix', [1, 4])
def test_no_picture_twice_and_less_than_a_batch_a_rank_left_out(
        world, streams, mix):
    seen = Counter()
    for sampler in ranks(RUNS, world, streams=streams, mix=mix):
        sampler.set_epoch(2)
        mine = list(sampler)
        assert len(mine) == len(sampler) == 168 // world // 4 * 4
        assert all(divmod(i, 168)[0] == 2 for i in mine)
        seen.update(mine)
    assert max(seen.values()) == 1 and len(seen) > 168 - world * 4


def restated(runs, world, rank, size, streams, mix, seed, epoch):
    """The docstring, in plain loops."""
    starts = np.cumsum(runs) - runs
    order = np.random.default_rng((seed, epoch)).permutation(len(runs))
    line, cuts = [], []
    for run in order:
        line += range(starts[run], starts[run] + runs[run])
        cuts.append(len(line))
    each = len(line) // world // size * size
    at, parts = rank * each, []
    for stream in range(streams):
        batches = each // size // streams + (stream < each // size % streams)
        stop, part, opened = at + batches * size, [], 1 + stream % mix
        while at < stop:
            ahead = [cut for cut in cuts if cut > at][:opened]
            end = min(ahead[-1], stop)
            rng = np.random.default_rng((seed, epoch, at))
            part += rng.permutation(line[at:end]).tolist()
            at, opened = end, mix
        parts.append(part)
    dealt, turn = [], 0
    while any(parts):
        stream = turn % streams
        dealt += parts[stream][:size]
        parts[stream] = parts[stream][size:]
        turn += 1
    return dealt


@pytest.mark.parametrize('world, rank', [(1, 0), (2, 1), (3, 2)])
@pytest.mark.parametrize('streams, mix', [(1, 1), (3, 2), (8, 4)])
def test_order_is_that_of_the_docstring(world, rank, streams, mix):
    sampler = ranks(RUNS, world, streams=streams, mix=mix)[rank]
    sampler.set_epoch(3)
    expected = restated(
        np.array(RUNS), world, rank, 4, streams, mix, sampler.seed, 3)
    assert [i % 168 for i in sampler] == expected


def test_epochs_differ_and_repeat():
    sampler, = ranks(RUNS, 1)
    first = list(sampler)
    assert list(sampler) == first
    sampler.set_epoch(1)
    assert [i % 168 for i in sampler] != first


@pytest.mark.parametrize('world', [1, 3])
@pytest.mark.parametrize('done', [0, 1, 4, 20, 52, 56])
def test_skip_goes_on_with_the_next_picture(world, done):
    for sampler in ranks(RUNS, world, streams=3, mix=2):
        sampler.set_epoch(4)
        whole = list(sampler)
        sampler.skip(done)
        assert list(sampler) == whole[done:]
        assert list(sampler) == whole


def test_skip_over_epochs_as_loops_of_iterations_do():
    """And at an epoch's very end, whose rest is empty."""
    plain, skipped = ranks(RUNS, 1) + ranks(RUNS, 1)
    straight = []
    for epoch in range(4):
        plain.set_epoch(epoch)
        straight += list(plain)
    for done in (4, 168, 172, 336, 400):
        skipped.set_epoch(0)
        skipped.skip(done)
        got = []
        for restart in range(4):
            skipped.set_epoch(restart)
            got += list(skipped)
        assert got[:len(straight) - done] == straight[done:]
    with pytest.raises(ValueError, match='cannot skip -1'):
        plain.skip(-1)


@pytest.mark.parametrize('workers', [1, 2, 4])
def test_each_worker_has_runs_of_its_own(workers):
    """But for those at the cuts between streams: one a cut."""
    data = Numbers([16] * 24)
    sampler = ShardSampler(data, 4, streams=4, seed=0)
    owners = {}
    for numbers, ids in DataLoader(
            data, 4, sampler=sampler, num_workers=workers):
        for number, worker in zip(numbers.tolist(), ids.tolist()):
            owners.setdefault(data.run_of(number), set()).add(worker)
    assert len(owners) == 24
    assert sum(len(ids) > 1 for ids in owners.values()) < 4


def test_few_runs_are_open_at_a_time():
    sampler, = ranks([16] * 24, 1, streams=1, mix=3)
    data, order = sampler.dataset, list(sampler)
    opened = [{data.run_of(i)
               for i in order[at:at + 48]} for at in range(16, 24 * 16, 48)]
    assert all(len(runs) <= 3 for runs in opened)
    inside = [data.run_of(i) for i in order[16:64]]
    assert inside != sorted(inside)  # mixed, not one after the other


def test_fewer_pictures_than_a_batch_a_rank():
    parts = [list(s) for s in ranks([3, 2], 4, batch_size=8)]
    assert [len(part) for part in parts] == [2] * 4
    assert set(sum(parts, [])) == set(range(5))


def test_single_pictures_and_data_without_runs():
    sampler = ShardSampler(range(40), 4, seed=0)
    assert sorted(sampler) == list(range(40))


def test_registered_seeded_and_checked():
    data = Numbers([4, 4])
    sampler = DATA_SAMPLERS.build(
        dict(type='ShardSampler', dataset=data, batch_size=2, seed=7))
    assert data.seed == sampler.seed == 7
    for wrong in (dict(batch_size=0), dict(streams=0), dict(mix=0)):
        with pytest.raises(ValueError, match='numbers from 1 on'):
            ShardSampler(data, **dict(dict(batch_size=2), **wrong))


def test_skipping_looks_at_nothing():
    """Of a hundred million pictures, half of them done."""
    line = _Line(np.full(25_000, 4096), 4, 0, 0)
    with patch.object(_Line, '_mixed', wraps=line._mixed) as mixed:
        next(line.walk(0, 100_000_000, 50_000_000, 1))
    assert mixed.call_count == 1
