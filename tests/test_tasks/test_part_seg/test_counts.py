import numpy as np
import pytest
from PIL import Image

pytest.importorskip('mmseg')

from saip_mm.tasks.part_seg.counts import count_lip  # noqa: E402
from .lip_files import write_lip  # noqa: E402


@pytest.mark.parametrize('nested', [False, True])
def test_pictures_and_labels(tmp_path, nested):
    counted = count_lip(write_lip(tmp_path, nested), read=True)
    assert not counted.problems
    assert counted.numbers == {
        f'{split} {kind}': 3
        for split in ('train', 'val')
        for kind in ('pictures', 'labels')
    }


def test_faults_are_named(tmp_path):
    root = write_lip(tmp_path)
    (tmp_path / 'train_images/1_1.jpg').unlink()
    (tmp_path / 'train_segmentations/0_0.png').write_bytes(b'')
    (tmp_path / 'val_id.txt').unlink()
    counted = count_lip(root)
    assert counted.numbers == {'train pictures': 2, 'train labels': 2}
    picture, label, ids = counted.problems
    assert picture.startswith('1 of 3 pictures of ')
    assert picture.endswith('train_id.txt are missing, first 1_1')
    assert 'are empty (0 bytes)' in label and label.endswith('0_0.png')
    assert 'val_id.txt' in ids


def test_classes_of_others_are_seen_if_read(tmp_path):
    root = write_lip(tmp_path)
    label = np.full((48, 32), 20, np.uint8)
    Image.fromarray(label).save(tmp_path / 'val_segmentations/0_0.png')
    assert not count_lip(root).problems
    problem, = count_lip(root, read=True).problems
    assert problem.startswith('1 of 3 labels cannot be used')
    assert problem.endswith('holds class 20; LIP has 0 to 19')
