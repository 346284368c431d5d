import json

import numpy as np
import pytest
import torch

from .coco_files import BOXES, CATEGORIES, SIZES, content, write_coco

pytest.importorskip('mmdet')

from mmdet.evaluation import CocoMetric  # noqa: E402

from saip_mm.tasks.detection import CocoBoxesDataset  # noqa: E402
from saip_mm.tasks.detection import CocoBoxesMetric  # noqa: E402
from saip_mm.tasks.detection.coco_file import read_coco  # noqa: E402

CLASSES = ('person', 'bicycle')


def data(root, classes=CLASSES, **kwargs):
    return CocoBoxesDataset(**dict(
        ann_file='train.json',
        data_root=root,
        data_prefix=dict(img='train/'),
        metainfo=dict(classes=classes),
        test_mode=True) | kwargs)


def labels_of(dataset):
    return [[box['bbox_label'] for box in info['instances']]
            for info in dataset]


def test_classes_are_numbered_as_the_config_says(tmp_path, log):
    root = write_coco(tmp_path)
    assert labels_of(data(root)) == [[0, 1], [0], [1]]
    assert ('train.json: 1 boxes of categories that the config does not name '
            'are left out (dog 1)') in log.text
    assert labels_of(data(root, CLASSES[::-1])) == [[1, 0], [1], [0]]
    own = data(
        root, ('dog', ),
        test_mode=False,
        filter_cfg=dict(filter_empty_gt=True))
    assert labels_of(own) == [[0]]
    assert '2 of 3 pictures show nothing to be found' in log.text
    assert len(data(root, ('dog', 'person')).metainfo['palette']) == 2


def test_yields_boxes_and_sizes(tmp_path):
    info = data(write_coco(tmp_path)).get_data_info(0)
    assert (info['img_id'], info['height'], info['width']) == (1, *SIZES[0])
    assert info['img_path'].endswith('train/1.jpg')
    assert info['instances'][0] == dict(
        bbox=[4, 4, 24, 44], bbox_label=0, ignore_flag=0)


def test_what_may_be_missing(tmp_path, log):
    """Nor are numbers of annotations needed, which often repeat."""
    wanted = labels_of(data(write_coco(tmp_path / 'whole')))
    lacking = content()['annotations']
    for ann in lacking:
        for key in ('area', 'iscrowd'):
            ann.pop(key)
        ann['id'] = 0
    root = write_coco(tmp_path / 'lacking', annotations=lacking)
    assert labels_of(data(root)) == wanted
    assert 'annotations have no area; that of the box is taken' in log.text
    read = read_coco(f'{root}/train.json', CLASSES).annotations
    assert [ann['id'] for ann in read] == [1, 2, 3, 4]
    assert [ann['area'] for ann in read] == [800, 400, 1000, 900]


def test_crowds_and_ignored_boxes_are_one(tmp_path):
    annotations = content()['annotations']
    annotations[0]['iscrowd'] = 1
    annotations[1].update(ignore=1, iscrowd=None)
    root = write_coco(tmp_path, annotations=annotations)
    flags = [box['ignore_flag'] for box in data(root)[0]['instances']]
    assert flags == [1, 1]
    read = read_coco(f'{root}/train.json', CLASSES).annotations
    assert [ann['iscrowd'] for ann in read] == [1, 1, 0, 0]


def test_boxes_without_area_are_counted(tmp_path, log):
    annotations = content()['annotations']
    for ann, box in zip(annotations, ([4, 4, -20, 40], [64, 0, 9, 9])):
        ann['bbox'] = box
    root = write_coco(tmp_path, annotations=annotations)
    assert labels_of(data(root)) == [[], [0], [1]]
    assert 'train.json: 2 boxes have no area in their picture' in log.text


def changed(part, index=0, drop=None, **values):
    items = content()[part]
    items[index].update(values)
    items[index].pop(drop, None)
    return {part: items}


@pytest.mark.parametrize('changes, error', [
    (dict(images=None), "'images' is no list of objects"),
    (dict(categories={}), "'categories' is no list of objects"),
    (dict(annotations=[3]), "'annotations' is no list of objects"),
    (changed('images', drop='id'), r"images\[0\] has no 'id'; each needs"),
    (changed('images', drop='file_name'), r"images\[0\] has no 'file_name'"),
    (changed('images', drop='width'), r"images\[0\] has no 'width'"),
    (changed('images', width='64'), "1.jpg.: width is '64', expected pixels"),
    (changed('images', height=0), '1.jpg.: height is 0, expected pixels'),
    (changed('images', id='a'), r"images\[0\]: id is 'a', expected a whole"),
    (changed('images', 1, id=1), r'images\[1\]: id 1 stands twice'),
    (changed('images', file_name='._1.jpg'), "._1.jpg is a Mac's note on"),
    (changed('annotations', 2,
             drop='image_id'), r"annotations\[2\] has no 'image_id'"),
    (changed('annotations', 2, drop='bbox'), r"tions\[2\] has no 'bbox'"),
    (changed('annotations', 2, bbox=None), r"tions\[2\] has no 'bbox'"),
    (changed('annotations', 2, bbox=[]),
     r'annotations\[2\] of image 1: bbox is \[\], expected four numbers'),
    (changed('annotations', 2, bbox=['1', '2', '3', '4']), 'expected four'),
    (changed('annotations', 2, bbox=[1, 2, 3, float('nan')]), 'expected four'),
    (changed('annotations', 2, image_id=8),
     'image_id is 8, which none of the images has as its id'),
    (changed('annotations', 2, image_id='1'),
     "image_id is '1', which none of the images has as its id"),
    (changed('annotations', 2, category_id=8),
     'category_id is 8, which none of the categories has as its id'),
    (changed('annotations', 2,
             iscrowd='0'), "iscrowd is '0', expected the number 0 or 1"),
    (changed('categories', 2, name='Person'),
     "the config's class 'person' is no category of the file, whose .*Person"),
    (changed('categories', 1, name='person'), "'person' stands twice in the"),
    (changed('categories', 1, id=7), r'categories\[1\]: id 7 stands twice'),
])
def test_malformed(tmp_path, changes, error):
    with pytest.raises(ValueError, match=f'train.json.*{error}'):
        data(write_coco(tmp_path, **changes))


def test_malformed_files(tmp_path):
    root = write_coco(tmp_path)
    path = tmp_path / 'train.json'
    text = path.read_text()
    path.write_text(text, encoding='utf-16')
    assert len(data(root)) == 3
    for wrong, error in ((text[:50], "train.json' is no JSON"),
                         ('[]', "train.json has no 'images': COCO's format"),
                         ('{"images": []}', "has no 'annotations'")):
        path.write_text(wrong)
        with pytest.raises(ValueError, match=error):
            data(root)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="train.json' does not exist"):
        data(root)
    path.write_text(text)
    (tmp_path / 'train/1.jpg').unlink()
    with pytest.raises(
            FileNotFoundError, match=r'1.jpg \(image 1 of .*prefix'):
        data(root)


def test_nothing_to_find(tmp_path):
    root = write_coco(tmp_path, annotations=[])
    with pytest.raises(ValueError, match='train.json: nothing to train on'):
        data(root, test_mode=False)
    meta = data(root).metainfo  # before the first epoch
    with pytest.raises(ValueError, match='train.json: nothing to evaluate'):
        CocoBoxesMetric().dataset_meta = meta


def detections(seed, labels):
    """Boxes near the labelled ones, per picture; numbers of classes."""
    rng = np.random.default_rng(seed)
    for image, size in enumerate(SIZES, 1):
        own = [(labels.index(c), box) for i, c, box in BOXES
               if i == image and c in labels]
        boxes = np.array([box for _, box in own], dtype=np.float64)
        boxes[:, 2:] += boxes[:, :2]
        boxes += rng.normal(0, 1.5, boxes.shape)
        found = dict(
            bboxes=torch.tensor(boxes, dtype=torch.float32),
            scores=torch.tensor(rng.random(len(own))),
            labels=torch.tensor([label for label, _ in own]))
        yield dict(img_id=image, ori_shape=size, pred_instances=found)


def score(metric, batch):
    metric.process({}, batch)
    return {
        key.removeprefix('coco/'): value
        for key, value in metric.evaluate(len(batch)).items()
    }


@pytest.mark.parametrize('seed', range(5))
def test_scores_are_cocos(tmp_path, seed):
    """Where mmdet numbers classes as we do: in the file's order."""
    root = write_coco(tmp_path)
    ours = CocoBoxesMetric(classwise=True)
    ours.dataset_meta = data(root, ('person', 'bicycle')).metainfo
    theirs = CocoMetric(f'{root}/train.json', classwise=True)
    theirs.dataset_meta = dict(classes=('bicycle', 'person'))
    found = score(ours, list(detections(seed, [9, 7])))
    wanted = score(theirs, list(detections(seed, [7, 9])))
    assert found == wanted and 0.2 < found['bbox_mAP'] <= 1


def test_written_categories_are_the_files(tmp_path):
    prefix = str(tmp_path / 'found')
    metric = CocoBoxesMetric(outfile_prefix=prefix)
    metric.dataset_meta = data(write_coco(tmp_path / 'own')).metainfo
    score(metric, list(detections(0, [9, 7])))
    written = json.loads((tmp_path / 'found.bbox.json').read_text())
    assert [row['category_id'] for row in written] == [9, 7, 9, 7]
    assert {row['id'] for row in CATEGORIES} >= {7, 9}


def test_nothing_is_detected_or_a_picture_is_missing(tmp_path, log):
    metric = CocoBoxesMetric()
    metric.dataset_meta = data(write_coco(tmp_path)).metainfo
    batch = list(detections(0, [9, 7]))
    for sample in batch:
        for key, value in sample['pred_instances'].items():
            sample['pred_instances'][key] = value[:0]
    assert score(metric, batch)['bbox_mAP'] == 0
    assert 'Nothing was detected' in log.text
    with pytest.raises(ValueError, match='1 of 3 pictures of .*first 3'):
        score(metric, batch[:2])
