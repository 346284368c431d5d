import json

import pytest

pytest.importorskip('mmdet')

from saip_mm.tasks.detection.counts import count_crowdhuman  # noqa: E402
from ..photographs import REAL, needs_photographs  # noqa: E402
from .crowd_files import PICTURES, write_crowd  # noqa: E402


@pytest.mark.parametrize('read', [False, True])
def test_persons_and_ignored_regions(tmp_path, read):
    root = write_crowd(tmp_path, PICTURES)
    write_crowd(tmp_path, {'2,b': PICTURES['2,b']}, 'val')
    counted = count_crowdhuman(root, read)
    assert not counted.problems
    assert counted.numbers == {
        'train pictures': 4,
        'train persons': 5,
        'train ignored regions': 2,
        'val pictures': 1,
        'val persons': 1,
        'val ignored regions': 0,
    }


def test_faults_are_named(tmp_path):
    root = write_crowd(tmp_path, PICTURES)
    (tmp_path / 'Images/2,b.jpg').unlink()
    (tmp_path / 'annotation_val.odgt').write_text('{"ID": "1"}\n')
    counted = count_crowdhuman(root)
    assert counted.numbers['train pictures'] == 3
    picture, line = counted.problems
    assert picture.startswith('1 of 4 pictures of ')
    assert picture.endswith('2,b.jpg')
    assert 'annotation_val.odgt line 1: no gtboxes' in line


@needs_photographs
def test_the_published_line():
    """Of CrowdHuman itself: all of its boxes are persons or ignored."""
    path = REAL / 'formats/crowdhuman/test_annotation_train.odgt'
    boxes = json.loads(path.read_text())['gtboxes']
    assert {box['tag'] for box in boxes} <= {'person', 'mask'}
