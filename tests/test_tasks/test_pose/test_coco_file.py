"""Files that hold other than COCO's: right, refused by name, or told."""
import json
import math
import re

import numpy as np
import pytest

pytest.importorskip('mmpose')

from saip_mm.tasks import pose  # noqa: E402
from saip_mm.tasks.pose.coco_file import read_images  # noqa: E402
from saip_mm.tasks.pose.coco_file import read_persons  # noqa: E402
from . import coco_files as coco  # noqa: E402
from .test_metric import KINDS, evaluate, places, result  # noqa: E402

DATASETS = {
    pose.KeypointMetric: pose.PersonKeypointsDataset,
    pose.WholeBodyMetric: pose.WholeBodyDataset
}


@pytest.fixture(params=KINDS, ids=['body', 'whole body'])
def kind(request):
    return request.param


def train(kind, path):
    return DATASETS[kind](ann_file=path, data_prefix=dict(img=''))


def under_test(kind, path, **kwargs):
    """Data set and metric, as a loop builds them."""
    dataset = DATASETS[kind](
        ann_file=path, data_prefix=dict(img=''), test_mode=True, **kwargs)
    metric = kind()
    metric.dataset_meta = dataset.metainfo
    return dataset, metric


def perfect(kind, path, data):
    """Scores of what is annotated, by the data set's own persons."""
    dataset, metric = under_test(kind, path)
    annotated = {(a['image_id'], *a['bbox']): a for a in data['annotations']}
    results = []
    for i in range(len(dataset)):
        info = dataset.get_data_info(i)
        x1, y1, x2, y2 = info['bbox'][0].tolist()
        one = annotated[info['img_id'], x1, y1, x2 - x1, y2 - y1]
        found = result(dict(one, id=i), places(one, kind), 0.9 - 0.1 * i)
        results.append(
            dict(
                found,
                id=info['id'],
                img_id=info['img_id'],
                category_id=info['category_id']))
    scores = evaluate(metric, results)
    prefix = kind.default_prefix
    return len(dataset), scores[f'{prefix}/AP'], scores[f'{prefix}/AR']


def integers(data):
    """Boxes that float32 keeps."""
    for annotation in data['annotations']:
        annotation['bbox'] = [float(round(v)) for v in annotation['bbox']]
    return data


# files


@pytest.mark.parametrize('content, error', [
    (b'', r"persons.json' is empty"),
    (b' \n', r"persons.json' is empty"),
    (b'hello', r"persons.json' is no JSON, or cut short: .*line 1"),
    (b'{"images": [', r"persons.json' is no JSON, or cut short"),
    (b'{"images": "\xff\xe9"}', r"persons.json' is no UTF-8 text"),
    (b'[{"bbox": [0, 0, 1, 1]}]', r'persons.json holds a list, no object'),
    (b'3', r'persons.json holds a int, no object'),
    (b'{}', r"persons.json has no 'images'"),
    (b'{"images": 3}', r"persons.json has no list of objects as 'images'"),
    (b'{"images": [3]}', r"has no list of objects as 'images'"),
    (b'{"images": []}', r"persons.json has no 'annotations'"),
    (b'{"images": [], "annotations": null}', r"objects as 'annotations'"),
    (b'{"images": [], "annotations": [], "categories": 1}', "'categories'"),
])
def test_no_file_of_keypoints(kind, content, error, tmp_path):
    path = tmp_path / 'persons.json'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=error):
        train(kind, str(path))
    with pytest.raises(ValueError, match=error):
        under_test(kind, str(path))


@pytest.mark.parametrize('encoding', ['utf-8-sig', 'utf-16', 'utf-32'])
def test_byte_order_marks(kind, encoding, tmp_path):
    path = tmp_path / 'persons.json'
    path.write_bytes(json.dumps(coco.people()).encode(encoding))
    dataset, metric = under_test(kind, str(path))
    assert len(dataset) == len(metric.coco.anns) == 4


def test_home_folder(kind, tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    data = coco.people()
    coco.write_json(tmp_path / 'data/persons.json', data)
    coco.write_json(tmp_path / 'data/found.json', coco.detections(data))
    dataset = DATASETS[kind](
        data_root='~/data',
        ann_file='persons.json',
        test_mode=True,
        bbox_file='found.json')
    assert len(dataset) == 4
    dataset = DATASETS[kind](
        ann_file='~/data/persons.json', data_prefix=dict(img='~/images'))
    expected = f'{tmp_path}/images/000000000003.jpg'
    assert dataset.get_data_info(0)['img_path'] == expected
    metric = kind(ann_file='~/data/persons.json')
    metric.dataset_meta = dataset.metainfo
    assert len(metric.coco.anns) == 4


# pictures


@pytest.mark.parametrize('key', ['id', 'file_name', 'height', 'width'])
@pytest.mark.parametrize('detected', [False, True], ids=['gt', 'detected'])
def test_pictures_without_a_key(kind, key, detected, tmp_path):
    data = coco.people()
    boxes = coco.write_json(tmp_path / 'found.json', coco.detections(data))
    del data['images'][1][key]
    path = coco.write_json(tmp_path / 'persons.json', data)
    error = f"an image in .*persons.json has no '{key}'"
    with pytest.raises(ValueError, match=error):
        under_test(kind, path, bbox_file=boxes if detected else None)
    with pytest.raises(ValueError, match=error):
        train(kind, path)


@pytest.mark.parametrize('key, value, error', [
    ('id', None, 'image None: an id is a whole number or a text'),
    ('id', [3], r'image \[3\]: an id is'),
    ('id', 2.5, 'image 2.5: an id is'),
    ('file_name', None, 'image 8 has a file_name of None'),
    ('height', '80', "image 8 has a height of '80'"),
    ('width', 0, 'image 8 has a width of 0'),
    ('width', math.nan, 'image 8 has a width of nan'),
    ('id', '8', "image ids of two kinds, 3 and '8'"),
])
def test_pictures_with_values_of_no_use(kind, key, value, error, tmp_path):
    data = coco.people()
    data['images'][1][key] = value
    path = coco.write_json(tmp_path / 'persons.json', data)
    with pytest.raises(ValueError, match=f'persons.json.*{error}'):
        train(kind, path)


def test_one_id_of_two_pictures(kind, tmp_path):
    data = coco.people()
    data['images'].append(dict(data['images'][0]))
    path = coco.write_json(tmp_path / 'persons.json', data)
    assert len(train(kind, path)) == 4  # the same twice is one
    data['images'][2]['file_name'] = 'other.jpg'
    path = coco.write_json(tmp_path / 'persons.json', data)
    error = 'image 3 is there twice, as 000000000003.jpg and as other.jpg'
    with pytest.raises(ValueError, match=error):
        train(kind, path)


def test_ids_that_are_texts(kind, tmp_path):
    data = integers(coco.people())
    for image in data['images']:
        image['id'] = f'picture {image["id"]}'
    for annotation in data['annotations']:
        annotation['image_id'] = f'picture {annotation["image_id"]}'
        annotation['id'] = f'person {annotation["id"]}'
        annotation['category_id'] = 'human'
    data['categories'][0]['id'] = 'human'
    path = coco.write_json(tmp_path / 'persons.json', data)
    assert len(train(kind, path)) == 4
    assert perfect(kind, path, data) == (4, 1, 1)
    boxes = coco.write_json(
        tmp_path / 'found.json',
        [dict(one, category_id='human') for one in coco.detections(data)[1:]])
    dataset, _ = under_test(kind, path, bbox_file=boxes)
    assert dataset.get_data_info(3)['img_id'] == 'picture 8'


def test_ids_of_one_kind_only(kind, tmp_path):
    data = coco.people()
    for annotation in data['annotations']:
        annotation['image_id'] = str(annotation['image_id'])
    path = coco.write_json(tmp_path / 'persons.json', data)
    error = (r"persons.json: no annotation is of a picture that 'images' "
             "lists; the first has an image_id of '3', the first image an id "
             'of 3')
    with pytest.raises(ValueError, match=error):
        train(kind, path)


def test_every_other_picture(tmp_path):
    data = coco.people(images=(2, 3, 4))
    path = coco.write_json(tmp_path / 'persons.json', data)
    dataset = pose.PersonKeypointsDataset(ann_file=path, sample_interval=2)
    assert [dataset[i]['img_id'] for i in range(len(dataset))] == [2, 2, 4, 4]


# annotations


@pytest.mark.parametrize('key', ['image_id', 'category_id', 'bbox'])
def test_persons_without_a_key(kind, key, tmp_path):
    data = coco.people()
    boxes = coco.write_json(tmp_path / 'found.json', coco.detections(data))
    del data['annotations'][2][key]
    path = coco.write_json(tmp_path / 'persons.json', data)
    error = f"persons.json: annotation 80 has no '{key}': "
    for file in (None, boxes):
        with pytest.raises(ValueError, match=error):
            under_test(kind, path, bbox_file=file)
    with pytest.raises(ValueError, match=error):
        train(kind, path)


@pytest.mark.parametrize('key, value, error', [
    ('bbox', None, 'a bbox of None: four numbers'),
    ('bbox', [], r'a bbox of \[\]: four numbers'),
    ('bbox', [1, 2, 3], r'a bbox of \[1, 2, 3\]: four numbers'),
    ('bbox', ['1', '2', '3', '4'], r"a bbox of \['1', '2', '3', '4'\]"),
    ('bbox', '1 2 3 4', "a bbox of '1 2 3 4'"),
    ('bbox', [[1, 2], [3, 4]], 'a bbox of'),
    ('bbox', [1, 2, 3, math.inf], r'inf\]: x, y, width, height must be fin'),
    ('keypoints', None, "no flat list of numbers in 'keypoints': None"),
    ('keypoints', 'abc', "no flat list of numbers in 'keypoints': abc"),
    ('keypoints', ['1'] * 51, "no flat list of numbers in 'keypoints'"),
    ('keypoints', [[1, 2, 2]] * 17, "17 numbers in 'keypoints', 51 expected"),
    ('keypoints', [None] * 51, 'no flat list of numbers'),
    ('num_keypoints', None, "None in 'num_keypoints'"),
    ('num_keypoints', '17', "'17' in 'num_keypoints'"),
    ('iscrowd', 'false', "'false' in 'iscrowd'"),
    ('area', 'big', "'big' in 'area'"),
    ('area', math.nan, "nan in 'area'"),
    ('area', -4, "-4 in 'area'"),
    ('category_id', 2, "a category_id of 2, which 'categories' do not list"),
    ('category_id', [1], r'a category_id of \[1\], which'),
])
def test_persons_with_values_of_no_use(kind, key, value, error, tmp_path):
    data = coco.people()
    data['annotations'][2][key] = value
    path = coco.write_json(tmp_path / 'persons.json', data)
    error = f'persons.json: annotation 80 has .*{error}'
    for build in (train, under_test):
        with pytest.raises(ValueError, match=error):
            build(kind, path)


@pytest.mark.parametrize('key', ['foot_kpts', 'face_kpts', 'righthand_kpts'])
@pytest.mark.parametrize('value', [None, 'abc', [[1]]])
def test_parts_with_values_of_no_use(key, value, tmp_path):
    data = coco.people()
    data['annotations'][2][key] = value
    path = coco.write_json(tmp_path / 'persons.json', data)
    with pytest.raises(ValueError, match=f"annotation 80 has .*'{key}'"):
        train(pose.WholeBodyMetric, path)


@pytest.mark.parametrize('ids', [[1, 1, 1, 1], [None] * 4, [-1, 0, 1, 2],
                                 [2**70, 1, 2, 3], ['a', 2, 3, 4]])
def test_ids_that_tell_nobody_apart(kind, ids, tmp_path, said):
    data = integers(coco.people())
    for annotation, number in zip(data['annotations'], ids):
        annotation['id'] = number
        if number is None:
            del annotation['id']
    path = coco.write_json(tmp_path / 'persons.json', data)
    assert perfect(kind, path, data) == (4, 1, 1)
    dataset = train(kind, path)
    for i, annotation in enumerate(data['annotations']):
        assert dataset[i]['keypoints'][0] == pytest.approx(
            places(annotation, kind), rel=1e-6)
    # one line of the file under test, one of the same to train on
    assert len(said) == 2 and said[0] == said[1]
    assert re.search(
        r'persons.json: \d of 4 annotation ids repeat or are no whole '
        r'numbers .*: annotations are numbered from 1 on', said[0])


def test_gaps_are_filled(kind, tmp_path, said):
    """No areas, crowds, counts or categories."""
    data = integers(coco.people())
    for annotation in data['annotations']:
        for key in ('area', 'iscrowd'):
            del annotation[key]
        if kind is pose.KeypointMetric:  # whole bodies need it
            del annotation['num_keypoints']
    del data['categories']
    for v in range(2, 51, 3):
        data['annotations'][0]['keypoints'][v] = 0
    path = coco.write_json(tmp_path / 'persons.json', data)
    assert perfect(kind, path, data)[1:] == (1, 1)
    line, = said
    assert line.endswith(
        "persons.json: 4 of 4 annotations have no 'area': 0.53 of the box is "
        'taken for the mask, as CrowdPose does')
    read, _ = read_persons(path, KINDS[kind][0])
    assert [a['area'] for a in read['annotations']] == [0.53 * 40 * 60] * 4
    assert read['categories'] == [dict(id=1, name='person')]
    if kind is pose.KeypointMetric:
        found = [a['num_keypoints'] for a in read['annotations']]
        assert found == [0, 17, 17, 17]


@pytest.mark.parametrize(
    'box',
    [[500, 10, 40, 60], [5, -90, 40, 60], [5, 10, -40, 60], [5, 10, 40, 0]])
def test_boxes_that_hold_nobody(kind, box, tmp_path, said):
    """Neither trained on nor missed, and told once of each file."""
    data = integers(coco.people())
    data['annotations'][1]['bbox'] = box
    path = coco.write_json(tmp_path / 'persons.json', data)
    assert len(train(kind, path)) == 3
    line, = said
    assert line.endswith(
        'persons.json: 1 of 4 annotations (ids 31) have joints, and a box '
        'outside of the picture or of no positive width and height: left out,'
        ' and ignored by the metric')
    assert perfect(kind, path, data) == (3, 1, 1)
    assert said == [line, line]


def test_persons_that_are_said_to_be_unlabelled(kind, tmp_path, said):
    data = integers(coco.people())
    data['annotations'][1]['num_keypoints'] = 0
    for key in KINDS[pose.WholeBodyMetric][0]:
        if key != 'keypoints':
            data['annotations'][1][key][2::3] = [0] * (
                len(data['annotations'][1][key]) // 3)
    path = coco.write_json(tmp_path / 'persons.json', data)
    assert perfect(kind, path, data) == (3, 1, 1)
    line, = said
    assert line.endswith('1 annotations with labelled joints have '
                         'num_keypoints 0: taken as not labelled')


def test_persons_of_pictures_that_are_not_there(kind, tmp_path, said):
    data = integers(coco.people())
    data['images'].pop()
    path = coco.write_json(tmp_path / 'persons.json', data)
    assert perfect(kind, path, data) == (2, 1, 1)
    line, = said
    assert ("2 of 4 annotations are of pictures that 'images' does not list: "
            'left out') in line


# detections


def test_persons_of_another_category(kind, tmp_path):
    """Found by its name, in annotations and detections."""
    data = integers(coco.people())
    data['categories'] = [dict(id=7, name='person')]
    for annotation in data['annotations']:
        annotation['category_id'] = 7
    found = [dict(one, category_id=7) for one in coco.detections(data)]
    found[0]['category_id'] = 1
    path = coco.write_json(tmp_path / 'persons.json', data)
    boxes = coco.write_json(tmp_path / 'found.json', found)
    dataset, metric = under_test(kind, path, bbox_file=boxes)
    assert len(dataset) == 4
    results = []
    for i, annotation in enumerate(data['annotations']):
        info = dataset.get_data_info(i)
        one = result(annotation, places(annotation, kind), 1 - 0.1 * i)
        results.append(dict(one, id=i, category_id=info['category_id']))
    assert evaluate(metric, results)[f'{kind.default_prefix}/AP'] == 1


def test_a_file_of_pictures_alone(kind, tmp_path):
    """COCO's test-dev: all categories, no annotations, results to send in."""
    data = coco.people()
    found = coco.write_json(tmp_path / 'found.json', coco.detections(data))
    del data['annotations']
    data['categories'] = [dict(id=18, name='dog'), dict(id=1, name='person')]
    path = coco.write_json(tmp_path / 'pictures.json', data)
    assert len(read_images(path)['images']) == 2
    dataset = DATASETS[kind](ann_file=path, bbox_file=found, test_mode=True)
    assert len(dataset) == 4  # without the dog
    metric = kind(format_only=True, outfile_prefix=str(tmp_path / 'results'))
    metric.dataset_meta = dataset.metainfo
    one = coco.people()['annotations'][0]
    assert evaluate(metric, [result(one, places(one, kind), 1.)]) == {}
    written, = json.loads((tmp_path / 'results.keypoints.json').read_text())
    assert set(written) == {
        'image_id', 'category_id', 'score', *KINDS[kind][0]
    }
    metric = kind()
    with pytest.raises(ValueError, match="json has no 'annotations'"):
        metric.dataset_meta = dataset.metainfo


@pytest.mark.parametrize('content, error', [
    (b'', "found.json' is empty"),
    (b'{}', 'found.json is no list of objects'),
    (b'[3]', 'found.json is no list of objects'),
    (b'[', "found.json' is no JSON"),
])
def test_no_file_of_boxes(kind, content, error, tmp_path):
    path = coco.write_json(tmp_path / 'persons.json', coco.people())
    (tmp_path / 'found.json').write_bytes(content)
    with pytest.raises(ValueError, match=error):
        under_test(kind, path, bbox_file=str(tmp_path / 'found.json'))


@pytest.mark.parametrize('key, value, error', [
    ('bbox', None, 'of image 3 has a bbox of None: four numbers'),
    ('bbox', [], r'of image 3 has a bbox of \[\]: four numbers'),
    ('bbox', ['1', '2', '3', '4'], r"has a bbox of \['1', '2', '3', '4'\]"),
    ('bbox', [1, 2, math.inf, 4], 'has a bbox that is not finite: '),
    ('score', None, 'of image 3 has a score of None'),
    ('score', '0.9', "has a score of '0.9'"),
    ('score', math.nan, 'has a score of nan'),
    ('image_id', '3', "lists image '3', which .*are ids numbers in both"),
    ('image_id', [3], r'lists image \[3\], which'),
])
def test_boxes_with_values_of_no_use(kind, key, value, error, tmp_path):
    data = coco.people()
    found = coco.detections(data)
    found[2][key] = value
    path = coco.write_json(tmp_path / 'persons.json', data)
    boxes = coco.write_json(tmp_path / 'found.json', found)
    with pytest.raises(ValueError, match=f'found.json .*{error}'):
        under_test(kind, path, bbox_file=boxes)


def test_boxes_of_nobody_are_told(kind, tmp_path, said):
    data = coco.people()
    found = coco.detections(data)
    found[1]['bbox'] = [10, 10, -5, 20]
    found[2]['bbox'] = [500, 10, 5, 20]
    found[3]['bbox'] = [-20, -20, 60, 60, 0.9]  # partly in it, and a fifth
    path = coco.write_json(tmp_path / 'persons.json', data)
    boxes = coco.write_json(tmp_path / 'found.json', found)
    dataset, _ = under_test(kind, path, bbox_file=boxes)
    assert len(dataset) == 2
    info = dataset.get_data_info(0)
    assert info['bbox'].tolist() == [[-20, -20, 40, 40]]
    assert (info['height'], info['width']) == info['img_shape'] == (80, 120)
    assert info['bbox'].dtype == info['bbox_score'].dtype == np.float32
    line, = said
    assert line.endswith('found.json: 2 of 5 boxes lie outside of their '
                         'picture or have no size: left out')
