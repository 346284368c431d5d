import pytest
import torch
from torch.utils.data import Dataset

from mmpretrain.structures import DataSample
from saip_mm.evaluation import extract_features

MODULE = 'saip_mm.evaluation.person_features'


class Persons(Dataset):
    """Picture i has the value i everywhere, person 10 i, camera i % 3."""

    def __init__(self, count, **without):
        self.count, self.without = count, without

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        who = dict(pid=10 * index, camid=index % 3)
        who = {k: v for k, v in who.items() if k not in self.without}
        return dict(
            inputs=torch.full((3, 4, 2), index, dtype=torch.uint8),
            data_samples=DataSample(metainfo=who))


def encode(images):
    """The value of the picture, and how many came at once."""
    assert images.dtype == torch.uint8 and images.shape[1:] == (3, 4, 2)
    value = images[:, 0, 0, 0].double()
    return torch.stack([value, torch.full_like(value, len(images))], 1)


@pytest.mark.parametrize('workers', [0, 1])
def test_features_and_whose_they_are(workers):
    found = extract_features(Persons(5), encode, 2, workers)
    assert found.features.dtype == torch.float32
    assert found.features.tolist() == [[0, 2], [1, 2], [2, 2], [3, 2], [4, 1]]
    assert found.pids.tolist() == [0, 10, 20, 30, 40]
    assert found.cams.tolist() == [0, 1, 2, 0, 1]
    assert found.pids.dtype == found.cams.dtype == torch.int64


@pytest.mark.parametrize('count', [7, 2])
def test_ranks_share_the_work(monkeypatch, count):
    """3 ranks, 7 or 2 pictures: the joined features are in the set's order."""
    whole = extract_features(Persons(count), encode)
    shares, seen = [], []

    def counting(images):
        seen.extend(images[:, 0, 0, 0].tolist())
        return encode(images)

    monkeypatch.setattr(f'{MODULE}.all_gather_object',
                        lambda part: shares.append(part) or shares)
    for rank in range(3):
        monkeypatch.setattr(f'{MODULE}.get_dist_info', lambda: (rank, 3))
        try:
            joined = extract_features(Persons(count), counting, 2)
        except IndexError:  # shares of later ranks are missing
            assert rank < 2
    assert sorted(seen) == list(range(count))
    assert joined.features[:, 0].tolist() == whole.features[:, 0].tolist()
    assert torch.equal(joined.pids, whole.pids)
    assert torch.equal(joined.cams, whole.cams)


def test_no_gradient_is_kept():
    layer = torch.nn.Linear(1, 1)
    found = extract_features(
        Persons(2), lambda images: layer(encode(images)[:, :1].float()))
    assert not found.features.requires_grad


@pytest.mark.parametrize('key', ['pid', 'camid'])
def test_a_sample_without_identity_is_an_error(key):
    with pytest.raises(ValueError, match=f'{key}.*end the pipeline in Pack'):
        extract_features(Persons(2, **{key: True}), encode)


def test_items_of_another_form_are_an_error():
    items = [dict(inputs=torch.zeros(3, 4, 2).byte(), pid=1, camid=0)]
    with pytest.raises(ValueError, match="'data_samples'.*PackPerson"):
        extract_features(items, encode)


def test_an_empty_set_is_an_error():
    with pytest.raises(ValueError, match='is empty'):
        extract_features(Persons(0), encode)
