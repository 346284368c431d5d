"""COCO's layout around a few pictures, noisy or real."""
import json

import cv2
import numpy as np

from saip_mm.tasks.pose.annotations import WHOLE_BODY
from ..photographs import REAL as PHOTOGRAPHS

REAL = PHOTOGRAPHS / 'coco'
DETECTIONS = ('person_detection_results/'
              'COCO_val2017_detections_AP_H_56_person.json')
FILES = {
    'person_keypoints_train2017': 'train2017',
    'person_keypoints_val2017': 'val2017',
    'coco_wholebody_train_v1.0': 'train2017',
    'coco_wholebody_val_v1.0': 'val2017'
}


def person(number, image, box, rng):
    """An annotation with all 133 landmarks inside its box."""
    x, y, w, h = box
    landmarks = {
        key:
        np.stack((x + w * rng.random(count), y + h * rng.random(count),
                  np.full(count, 2.)), 1).ravel().tolist()
        for key, count in WHOLE_BODY.items()
    }
    return dict(
        id=number,
        image_id=image,
        category_id=1,
        bbox=list(box),
        area=w * h * 0.5,
        iscrowd=0,
        num_keypoints=17,
        segmentation=[],
        **landmarks)


def people(images=(3, 8)):
    """Two persons in each picture of 80x120 pixels."""
    rng = np.random.default_rng(0)
    return dict(
        images=[
            dict(id=i, file_name=f'{i:012d}.jpg', height=80, width=120)
            for i in images
        ],
        categories=[dict(id=1, name='person')],
        annotations=[
            person(10 * i + j, i, (5 + 60 * j, 10, 40, 60), rng)
            for i in images for j in range(2)
        ])


def detections(data):
    """The annotated boxes, as a detector gives them; and a dog."""
    found = [
        dict(
            bbox=a['bbox'],
            category_id=1,
            image_id=a['image_id'],
            score=0.9 - 0.01 * i) for i, a in enumerate(data['annotations'])
    ]
    return [dict(found[0], category_id=18), *found]


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return str(path)


def write_coco(root):
    """Both splits of both tasks, with the same pictures."""
    data, rng = people(), np.random.default_rng(1)
    for name, folder in FILES.items():
        write_json(root / f'annotations/{name}.json', data)
        (root / folder).mkdir(exist_ok=True)
        for image in data['images']:
            noise = rng.integers(0, 255, (80, 120, 3), dtype=np.uint8)
            cv2.imwrite(str(root / folder / image['file_name']), noise)
    write_json(root / DETECTIONS, detections(data))
    return str(root)


OWN_JOINTS = (5, 6, 11, 12, 15, 16)  # those of configs/pose/own


def own_people(data):
    """Six joints of each person, as a file of one's own has them."""
    annotations = []
    for annotation in data['annotations']:
        joints = np.reshape(annotation['keypoints'], (-1, 3))[[*OWN_JOINTS]]
        own = dict(
            annotation,
            keypoints=joints.ravel().tolist(),
            num_keypoints=int((joints[:, 2] > 0).sum()))
        for key in (*WHOLE_BODY, 'segmentation'):
            if key != 'keypoints':
                own.pop(key, None)
        annotations.append(own)
    return dict(data, annotations=annotations)


def write_own(root):
    """The files of `configs/pose/own`: six joints, and no area."""
    data, rng = own_people(people()), np.random.default_rng(2)
    for annotation in data['annotations']:
        del annotation['area'], annotation['iscrowd']
    for name in ('train', 'val'):
        write_json(root / f'{name}.json', data)
    (root / 'images').mkdir()
    for image in data['images']:
        noise = rng.integers(0, 255, (80, 120, 3), dtype=np.uint8)
        cv2.imwrite(str(root / 'images' / image['file_name']), noise)
    return str(root)


def link_real(root):
    """Real photographs, three to validate; whole bodies of these only."""
    root.mkdir()
    for folder in ('val2017', 'train2017', DETECTIONS.split('/')[0]):
        (root / folder).symlink_to(REAL / folder)
    (root / 'annotations').mkdir()
    for name in FILES:
        source = name.replace('wholebody_train', 'wholebody_val')
        (root / f'annotations/{name}.json').symlink_to(
            REAL / f'annotations/{source}.json')
    return str(root)
