import cv2
import numpy as np
import pytest
import torch

from saip_mm.datasets.transforms.keypoints import MIRRORED, crop_keypoints
from saip_mm.datasets.transforms.view_crops import PersonCrops


def test_unknown_points_and_those_outside_are_zero():
    points = np.zeros((17, 3))
    points[:6] = [(5, 5, 1), (5, 5, 0), (-.6, 5, 1), (5, 19.6, 1),
                  (np.nan, 5, 1), (12, 12, .01)]
    found = crop_keypoints(points, (20, 20), (0, 0, 10, 10), (10, 10), False)
    assert found[0].tolist() == [5, 5, 1]
    assert not found[1:].any()  # the last is outside the crop
    found = crop_keypoints(points, (20, 20), (10, 10, 10, 10), (20, 20), False)
    assert found[:5].any() == False and found[5, 2] == 1  # noqa: E712
    np.testing.assert_allclose(found[5], (4.5, 4.5, 1))


def test_mirror_swaps_left_and_right_and_is_its_own_inverse():
    assert [MIRRORED[MIRRORED[i]] for i in range(17)] == list(range(17))
    points = np.ones((17, 3))
    points[:, 0] = np.arange(17)
    found = crop_keypoints(points, (20, 20), (0, 0, 20, 20), (20, 20), True)
    assert found[0, 0] == 19 and found[5, 0] == 19 - 6 and found[6, 0] == 14


@pytest.mark.parametrize('seed', range(6))
def test_points_stay_on_what_they_mark(seed):
    """A bright dot a joint; found again in anchor and clean crop."""
    rng = np.random.default_rng(seed)
    crops = PersonCrops((256, 128),
                        num_scales=1,
                        num_locals=2,
                        background_size=None,
                        clean_area=(.5, 1.))
    hits = 0
    for joint in range(17):
        image = np.zeros((200, 100, 3), np.uint8)
        x, y = rng.integers(10, 90), rng.integers(10, 190)
        cv2.circle(image, (int(x), int(y)), 4, (255, ) * 3, -1)
        points = np.zeros((17, 3), np.float32)
        points[joint] = x, y, .7
        sample = crops.transform(
            dict(img=image, rng=rng, key='k', keypoints=points))
        assert set(sample['keypoints']) == {'anchor', 'clean'}
        for name, found in sample['keypoints'].items():
            assert found.shape == (17, 3) and found.dtype == torch.float32
            place = found[:, 2].nonzero().flatten().tolist()
            if not place:
                continue
            assert place[0] in (joint, MIRRORED[joint])
            view = sample['inputs'][name][0].float().numpy()
            rows, columns = np.indices(view.shape)
            inside = view > 128
            if found[place[0], 0].sub(64).abs() > 50:
                continue  # the dot may be cut by the border
            if found[place[0], 1].sub(128).abs() > 110:
                continue
            centre = columns[inside].mean(), rows[inside].mean()
            np.testing.assert_allclose(found[place[0], :2], centre, atol=1.)
            hits += 1
    assert hits > 10


def test_clean_crop_of_its_own_leaves_others_as_they_were():
    image = np.random.default_rng(0).integers(0, 256, (200, 100, 3), np.uint8)
    sizes = dict(
        size=(64, 32), num_scales=0, num_locals=0, background_size=None)
    plain = PersonCrops(**sizes)
    assert 'clean' not in plain.transform(
        dict(img=image, rng=np.random.default_rng(0), key='k'))['inputs']
    crops = PersonCrops(clean_area=(.2, .4), clean_aspect=(.5, .5), **sizes)
    sample = crops.transform(
        dict(img=image, rng=np.random.default_rng(0), key='k'))
    assert sample['inputs']['clean'].shape == (3, 64, 32)
    assert 'keypoints' not in sample
    with pytest.raises(ValueError, match='clean: area'):
        PersonCrops(clean_area=(.5, .2), **sizes)
