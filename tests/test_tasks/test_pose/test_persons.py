"""Data sets of persons: what they keep, and bad input by name."""
import math

import numpy as np
import pytest

pytest.importorskip('mmpose')

from saip_mm.tasks import pose  # noqa: E402
from . import coco_files as coco  # noqa: E402


@pytest.fixture(params=[pose.PersonKeypointsDataset, pose.WholeBodyDataset])
def dataset(request):
    return request.param


def read(dataset, tmp_path, data, **kwargs):
    coco.write_json(tmp_path / 'persons.json', data)
    return dataset(
        data_root=str(tmp_path),
        ann_file='persons.json',
        data_prefix=dict(img='val2017'),
        **kwargs)


def read_boxes(dataset, tmp_path, found):
    coco.write_json(tmp_path / coco.DETECTIONS, found)
    return read(
        dataset,
        tmp_path,
        coco.people(),
        bbox_file=coco.DETECTIONS,
        test_mode=True)


def test_annotated_persons(dataset, tmp_path):
    data = coco.people()
    crowd, unlabelled, flat, _ = data['annotations']
    crowd['iscrowd'] = 1
    unlabelled['num_keypoints'] = 0
    flat['bbox'][2] = 0
    data['annotations'].append(dict(data['annotations'][3], id=99))
    found = read(dataset, tmp_path, data)
    assert [found[i]['id'] for i in range(len(found))] == [81, 99]
    info = found[0]
    joints = found.metainfo['num_keypoints']
    assert joints == (133 if dataset is pose.WholeBodyDataset else 17)
    assert info['keypoints'].shape == (1, joints, 2)
    assert np.all(info['keypoints_visible'] == 1)
    assert info['bbox'].tolist() == [[65, 10, 105, 70]]
    assert info['bbox_score'] == 1


def test_detected_persons_are_read_from_the_data_root(dataset, tmp_path):
    data = coco.people()
    found = read_boxes(dataset, tmp_path, coco.detections(data))
    assert len(found) == 4  # without the dog
    assert found[1]['img_path'].endswith('val2017/000000000003.jpg')
    assert found[1]['bbox_score'] == pytest.approx(0.89)


def test_missing_files_are_named(dataset, tmp_path):
    with pytest.raises(AssertionError, match='persons.json'):
        dataset(data_root=str(tmp_path), ann_file='persons.json')
    with pytest.raises(AssertionError, match=coco.DETECTIONS):
        read(
            dataset,
            tmp_path,
            coco.people(),
            bbox_file=coco.DETECTIONS,
            test_mode=True)


def test_detections_are_for_tests_only(dataset, tmp_path):
    with pytest.raises(ValueError, match='test_mode'):
        read(dataset, tmp_path, coco.people(), bbox_file=coco.DETECTIONS)


def test_detections_of_other_pictures(dataset, tmp_path):
    found = coco.detections(coco.people())
    found[2]['image_id'] = 42
    with pytest.raises(
            ValueError, match='person.json lists image 42, .*persons.json'):
        read_boxes(dataset, tmp_path, found)


@pytest.mark.parametrize('key', ['bbox', 'category_id', 'image_id', 'score'])
def test_detections_without_a_key(dataset, tmp_path, key):
    found = coco.detections(coco.people())
    del found[1][key]
    with pytest.raises(ValueError, match=f"person.json has no '{key}'"):
        read_boxes(dataset, tmp_path, found)


def test_a_detection_that_is_nowhere(dataset, tmp_path):
    found = coco.detections(coco.people())
    found[4]['bbox'][2] = math.nan
    error = 'person.json of image 8 has a bbox that is not finite'
    with pytest.raises(ValueError, match=error):
        read_boxes(dataset, tmp_path, found)


def test_an_image_without_size(dataset, tmp_path):
    data = coco.people()
    del data['images'][0]['height']
    found = coco.write_json(tmp_path / 'found.json', coco.detections(data))
    with pytest.raises(ValueError, match="persons.json has no 'height'"):
        read(dataset, tmp_path, data, bbox_file=found, test_mode=True)


def test_no_person_detected(dataset, tmp_path):
    for found in ([], coco.detections(coco.people())[:1]):
        with pytest.raises(
                ValueError, match='no person boxes in .*person.json'):
            read_boxes(dataset, tmp_path, found)


def test_no_person_annotated(dataset, tmp_path):
    data = coco.people()
    for annotation in data['annotations']:
        annotation['num_keypoints'] = 0
    with pytest.raises(ValueError, match='no person in .*persons.json'):
        read(dataset, tmp_path, data)


def test_joints_that_are_no_triplets(dataset, tmp_path):
    data = coco.people()
    data['annotations'][1]['keypoints'].pop()
    error = r"persons.json: annotation 31 has 50 numbers in 'keypoints', 51"
    with pytest.raises(ValueError, match=error):
        read(dataset, tmp_path, data)


def test_a_part_of_a_wrong_length(tmp_path):
    data = coco.people()
    del data['annotations'][2]['lefthand_kpts'][:3]
    error = "annotation 80 has 60 numbers in 'lefthand_kpts', 63 expected"
    with pytest.raises(ValueError, match=error):
        read(pose.WholeBodyDataset, tmp_path, data)


@pytest.mark.parametrize('place, value, error', [
    (0, math.nan, "in 'keypoints' that is not finite"),
    (4, math.inf, "in 'keypoints' that is not finite"),
    (2, -1, "negative visibility in 'keypoints'"),
])
def test_values_that_are_none(dataset, tmp_path, place, value, error):
    data = coco.people()
    data['annotations'][0]['keypoints'][place] = value
    with pytest.raises(ValueError, match=f'annotation 30 has a .*{error}'):
        read(dataset, tmp_path, data)


@pytest.mark.parametrize('key', ['foot_kpts', 'face_kpts', 'lefthand_kpts'])
@pytest.mark.parametrize('place, value', [(1, math.nan), (2, -0.5)])
def test_values_that_are_none_in_a_part(tmp_path, key, place, value):
    data = coco.people()
    data['annotations'][1][key][place] = value
    with pytest.raises(ValueError, match=f"annotation 31 has a .*in '{key}'"):
        read(pose.WholeBodyDataset, tmp_path, data)


def test_a_box_that_is_nowhere(dataset, tmp_path):
    data = coco.people()
    data['annotations'][2]['bbox'][0] = math.nan
    error = r'annotation 80 has a bbox of \[nan, 10, 40, 60\]'
    with pytest.raises(ValueError, match=error):
        read(dataset, tmp_path, data)


def test_a_plain_file_is_no_whole_body_file(tmp_path):
    data = coco.people()
    for annotation in data['annotations']:
        for key in ('foot', 'face', 'lefthand', 'righthand'):
            del annotation[f'{key}_kpts']
    read(pose.PersonKeypointsDataset, tmp_path, data)
    error = r"persons.json has no 'foot_kpts' .*coco_wholebody_\*_v1.0.json\?"
    with pytest.raises(ValueError, match=error):
        read(pose.WholeBodyDataset, tmp_path, data)


@pytest.mark.parametrize('key', ['num_keypoints', 'segmentation'])
def test_keys_that_whole_bodies_need(tmp_path, key):
    data = coco.people()
    del data['annotations'][3][key]
    with pytest.raises(ValueError, match=f"no '{key}' in annotation 81"):
        read(pose.WholeBodyDataset, tmp_path, data)


def test_a_file_of_objects_is_no_keypoint_file(tmp_path):
    data = coco.people()
    for annotation in data['annotations']:
        del annotation['keypoints']
    with pytest.raises(ValueError, match="no 'keypoints' .*person_keypoints"):
        read(pose.PersonKeypointsDataset, tmp_path, data)
