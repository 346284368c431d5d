import json

import pytest

pytest.importorskip('mmpose')

from saip_mm.tasks.pose import counts  # noqa: E402
from ..photographs import needs_photographs  # noqa: E402
from .coco_files import REAL, write_coco  # noqa: E402

count_coco, count_wholebody = counts.count_coco, counts.count_wholebody
COUNTS = [count_coco, count_wholebody]


@pytest.mark.parametrize('count', COUNTS)
def test_pictures_and_persons(count, tmp_path):
    counted = count(write_coco(tmp_path), read=True)
    assert not counted.problems and not counted.notes
    assert counted.numbers == {
        'train pictures': 2,
        'train persons': 4,
        'val pictures': 2,
        'val persons': 4,
        'val boxes of the detector': 4,  # and a dog
    }


def test_crowds_and_persons_without_joints_do_not_count(tmp_path):
    root = write_coco(tmp_path)
    path = tmp_path / 'annotations/person_keypoints_train2017.json'
    data = json.loads(path.read_text())
    data['annotations'][0]['iscrowd'] = 1
    data['annotations'][1].update(num_keypoints=0, keypoints=[0] * 51)
    path.write_text(json.dumps(data))
    assert count_coco(root).numbers['train persons'] == 2


def test_faults_are_named(tmp_path):
    root = write_coco(tmp_path)
    (tmp_path / 'train2017/000000000003.jpg').unlink()
    (tmp_path / 'annotations/coco_wholebody_train_v1.0.json').write_text('{')
    (tmp_path / counts.DETECTIONS).write_text('{}')
    picture, boxes = count_coco(root).problems
    assert picture.startswith('1 of 2 pictures of ')
    assert picture.endswith('000000000003.jpg')
    assert 'is no list of objects' in boxes
    assert 'coco_wholebody_train_v1.0.json' in count_wholebody(
        root).problems[0]


def test_validation_with_annotated_boxes_needs_no_detections(tmp_path):
    root = write_coco(tmp_path)
    (tmp_path / counts.DETECTIONS).unlink()
    counted = count_coco(root)
    assert not counted.problems
    assert 'configs *_gt_boxes.py need none' in counted.notes[0]


@needs_photographs
def test_real_annotations():
    """38 pictures, 80 persons with joints; three to validate, 8 persons."""
    numbers = count_coco(str(REAL)).numbers
    assert numbers['train pictures'] == 38 and numbers['val pictures'] == 3
    assert numbers['train persons'] == 80 and numbers['val persons'] == 8
