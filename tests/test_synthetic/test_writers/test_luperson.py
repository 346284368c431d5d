"""Rendered crops have exact keypoints."""
import json

import cv2
import numpy as np
import pytest

from saip_mm.datasets import PersonImages
from saip_mm.datasets.keypoint_file import KeypointFile
from saip_mm.synthetic import write_dataset
from saip_mm.synthetic.labels.people_labels import SceneLabels
from saip_mm.synthetic.scene.scene import crop_scene
from saip_mm.synthetic.writers import luperson


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    out = tmp_path_factory.mktemp('people')
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(luperson.CROPS, 'tiny', 12)
        write_dataset(str(out), ['luperson'], progress=False)
    return out / 'luperson'


def test_a_row_for_each_picture(root):
    keys = (root / 'luperson.txt').read_text().splitlines()
    found = KeypointFile(str(root / 'keypoints.npy'), keys)
    assert found.missing == 0 and len(keys) == 12
    for place, key in enumerate(keys):
        height, width = cv2.imread(str(root / key)).shape[:2]
        x, y, there = found.of(place).T
        assert set(there) <= {0, 1} and there.sum() >= 8
        assert (x[there > 0] <= width).all() and (y[there > 0] <= height).all()
    files = json.loads((root / 'synthetic.json').read_text())['files']
    assert files == 12 + 4


def test_they_are_those_of_the_labels():
    """Of whatever a label counts as seen or hidden."""
    for seed in range(4):
        scene = crop_scene(np.random.default_rng(seed), 'train')
        labels = SceneLabels(scene, scene.render()).person(0, False).keypoints
        points = luperson.visible_joints(scene.people[0], scene.height,
                                         scene.width)
        assert ((labels[:, 2] > 0) == (points[:, 2] > 0)).all()
        assert np.abs(labels[:, :2] - points[:, :2]).max() <= .5


def test_hap_masks_parts_of_them(root):
    """The whole way: file, crop, view, mask."""
    from torch.utils.data import DataLoader

    from saip_mm.models import PersonViewPreprocessor
    from saip_mm.models.heads.part_masking import draw_part_mask
    data = PersonImages(
        dict(data_root=str(root), keypoints_file='keypoints.npy'), [
            dict(type='DecodeImage'),
            dict(
                type='PersonCrops',
                num_scales=0,
                num_locals=0,
                background_size=None)
        ])
    preprocessor = PersonViewPreprocessor()
    preprocessor.restrict({'clean'})
    views = preprocessor(next(iter(DataLoader(data, 12))), True)['views']
    points = views.keypoints['clean'].repeat(20, 1, 1)
    mask, parts = draw_part_mask(240, (16, 8), 0.5, 16, points)
    assert (mask.sum(1) == 64).all()
    assert parts.any(1).float().mean() > 0.55
