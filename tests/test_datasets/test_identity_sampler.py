from collections import Counter

import numpy as np
import pytest
from mmengine.dataset import DefaultSampler, InfiniteSampler

from mmpretrain.registry import DATA_SAMPLERS
from saip_mm.datasets import ResumableSampler, identity_sampler
from saip_mm.datasets.identity_sampler import IdentityBatchSampler, plan_epoch


class Labelled:
    """A data set that knows nothing but who is on its pictures."""
    seed = None

    def __init__(self, *counts):
        labels = np.repeat(np.arange(len(counts)), counts)
        self.labels = np.random.default_rng(0).permutation(labels)

    def __len__(self):
        return len(self.labels)

    def get_data_info(self, index):
        return dict(gt_label=int(self.labels[index]))


def build(dataset, batch_size=8, kind=ResumableSampler, **settings):
    return IdentityBatchSampler(kind(dataset, seed=3), batch_size, **settings)


def places(counts):
    return np.split(np.arange(sum(counts)), np.cumsum(counts)[:-1])


def test_delivers_what_the_law_does():
    """n = 9, 2, 4 in groups of 4: 2, 1 and 1, in pairs. The pair without the
    first person, a third of the draws, leaves it alone with two groups."""
    sizes = Counter()
    for seed in range(3000):
        plan = plan_epoch(places((9, 2, 4)), 2, 4, np.random.default_rng(seed))
        assert plan.shape[1:] == (2, 4)
        sizes[plan.size] += 1
    assert set(sizes) == {8, 16}
    # 1905 of 3000 in the reference's; 2/3 by chance, deviation 26
    assert sizes[16] == pytest.approx(2000, abs=110)


def test_all_pictures_take_part_equally():
    used, firsts = Counter(), Counter()
    for seed in range(600):
        plan = plan_epoch(
            places((10, 5, 5)), 2, 4, np.random.default_rng(seed))
        for batch in plan:
            assert len(set(batch.ravel())) == 8
        used.update(plan.ravel().tolist())
        firsts.update(np.sort(plan[0, :, 0] >= 10).tolist())
    for person in ((0, 10), (10, 15), (15, 20)):
        shares = [used[i] for i in range(*person)]
        assert np.std(shares) < 0.1 * np.mean(shares)


def test_few_pictures_are_drawn_again():
    for seed in range(20):
        plan = plan_epoch(places((2, 4, 4)), 3, 4, np.random.default_rng(seed))
        assert plan.shape == (1, 3, 4)
        person, = (row for row in plan[0] if row.max() < 2)
        assert set(person) <= {0, 1}


def test_batches_are_p_times_k():
    data = Labelled(5, 4, 9, 3, 8, 6)
    sampler = build(data, 12)
    for epoch in range(4):
        sampler.sampler.set_epoch(epoch)
        batches = list(sampler)
        assert len(batches) == len(sampler) > 0
        for batch in batches:
            turns, index = np.divmod(batch, len(data))
            assert (turns == epoch).all()
            people = data.labels[index].reshape(3, 4)
            assert (people == people[:, :1]).all()
            assert len(set(people[:, 0])) == 3
        assert batches == list(sampler)  # and no other in a second pass


def test_epochs_differ_and_the_seed_rules_them():
    data = Labelled(8, 8, 8, 8)
    one, two = build(data), build(data)
    one.sampler.set_epoch(1)
    assert list(one) != list(two)
    two.sampler.set_epoch(1)
    assert list(one) == list(two)
    assert data.seed == 3  # of the draws of its pictures


def test_other_samplers_give_plain_places():
    data = Labelled(8, 8, 8, 8)
    sampler = build(data, kind=DefaultSampler)
    sampler.sampler.set_epoch(5)
    assert max(map(max, sampler)) < len(data)
    with pytest.raises(
            ValueError,
            match="InfiniteSampler counts no epochs: "
            "set train_dataloader.sampler.type='Resum"):
        build(data, kind=InfiniteSampler)


@pytest.mark.parametrize('ranks', [2, 4])
def test_ranks_share_one_plan(ranks, monkeypatch):
    data = Labelled(*[6] * 12)
    alone = build(data, 8 * ranks)
    parts = []
    for rank in range(ranks):
        monkeypatch.setattr(
            identity_sampler, 'get_dist_info', lambda rank=rank: (rank, ranks))
        parts.append(build(data, 8))
        assert len(parts[-1]) == len(alone)
    for whole, *shares in zip(alone, *parts):
        assert whole == sum(shares, [])


def test_one_person_a_rank_where_ranks_are_many(monkeypatch):
    monkeypatch.setattr(identity_sampler, 'get_dist_info', lambda: (3, 4))
    assert build(Labelled(*[4] * 8), 4).num_ids == 1


def test_few_pictures_are_told(log):
    build(Labelled(2, 8, 1))
    assert '2 of 3 identities have fewer than 4 pictures' in log.text


@pytest.mark.parametrize('settings, match', [
    (dict(batch_size=10), 'batch_size=10 on 1 processes is no P x K'),
    (dict(batch_size=4), 'batch_size=4 .*at least 2 persons'),
    (dict(batch_size=8, num_instances=1), 'num_instances=1'),
    (dict(batch_size=2, num_instances=4), 'batch_size=2'),
    (dict(batch_size=40), 'has 9 identities, a batch needs 10 .P.: set '
     'train_dataloader.batch_size to at most 36'),
])
def test_what_is_refused(settings, match):
    with pytest.raises(ValueError, match=match):
        build(Labelled(*[4] * 9), **settings)


def test_is_registered():
    sampler = DATA_SAMPLERS.build(
        dict(type='IdentityBatchSampler'),
        default_args=dict(
            sampler=ResumableSampler(Labelled(4, 4), seed=0), batch_size=8))
    assert len(sampler) == 1
