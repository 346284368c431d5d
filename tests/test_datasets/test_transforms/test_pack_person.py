import pytest
import torch

from saip_mm.datasets.transforms import PackPerson


def test_packed_persons_have_their_fields_and_no_others():
    results = dict(
        inputs=torch.ones(3, 4, 2, dtype=torch.uint8),
        pid=7,
        camid=2,
        is_query=True,
        img_path='a.jpg',
        sample_idx=5,
        gt_label=3,
        place='street',
        words=['red'])
    packed = PackPerson(algorithm_keys=('words', ))(dict(results))
    who = packed.pop('data_samples').to_dict()
    assert who.pop('gt_label').tolist() == [3]
    assert packed.pop('inputs') is results['inputs'] and not packed
    kept = ('pid', 'camid', 'is_query', 'img_path', 'sample_idx', 'words')
    assert who == {key: results[key] for key in kept}


@pytest.mark.parametrize('key', ['inputs', 'pid', 'camid', 'is_query'])
def test_packing_refuses_what_is_incomplete(key):
    results = dict.fromkeys(
        ('inputs', 'pid', 'camid', 'is_query', 'img_path', 'sample_idx'), 0)
    del results[key]
    with pytest.raises(ValueError, match=f"misses .'{key}'"):
        PackPerson()(results)
