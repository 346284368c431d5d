import json

import cv2
import numpy as np
import pytest

from saip_mm.datasets import CropOptions, PersonImages, crop_persons
from saip_mm.datasets.person_crops import person_box, refusal
from ._images import write_tree

POINTS = [60, 50, 2, 100, 150, 1] * 3 + [0, 0, 0] * 11  # 6 labelled of 17


def person(i, box=(50, 40, 60, 120), image=1, **kwargs):
    ann = dict(id=i, image_id=image, category_id=1, bbox=list(box), iscrowd=0)
    return {**ann, **kwargs}


def write_set(root, anns, name='train.json', **extra):
    write_tree(root / 'images', ['a/p.jpg', 'q.jpg'], height=200, width=160)
    content = dict(
        images=[
            dict(id=1, file_name='a/p.jpg'),
            dict(id=2, file_name='q.jpg')
        ],
        annotations=anns,
        categories=[dict(id=1, name='person'),
                    dict(id=2, name='car')])
    path = root / name
    path.write_text(json.dumps({**content, **extra}))
    return str(path), str(root / 'images')


@pytest.mark.parametrize('workers', [0, 2])
def test_crops_and_keys(tmp_path, workers):
    anns = [
        person(7),
        person(8, (0, 80, 60, 120)),  # enlarged beyond the border
        person(9, image=2),
        person(10, category_id=2),
        person(11, iscrowd=1),
        person(12, (0, 0, 60, 95)),
        person(13, (0, 0, 47, 120)),
        person(14, keypoints=POINTS),
        person(15, keypoints=POINTS[3:] + [0, 0, 0]),
        person(16, image=3),
    ]
    files = write_set(tmp_path, anns)
    out = tmp_path / 'out'
    report = crop_persons(*files, str(out), 'coco', workers=workers)
    assert report['persons'] == 4
    assert report['refused'] == {
        'crowd': 1,
        'small': 2,
        'keypoints': 1,
        'no image': 1
    }
    keys = (out / 'coco.txt').read_text().splitlines()
    assert keys == [
        'coco/a/p_14.jpg', 'coco/a/p_7.jpg', 'coco/a/p_8.jpg', 'coco/q_9.jpg'
    ]
    crop = cv2.imread(str(out / 'coco/a/p_7.jpg'))
    whole = cv2.imread(str(tmp_path / 'images/a/p.jpg'))
    # 60x120 at (50, 40), times 1.1: x 47..113, y 34..166
    assert crop.shape == (132, 66, 3)
    assert np.abs(crop - whole[34:166, 47:113].astype(int)).mean() < 3
    assert cv2.imread(str(out / 'coco/a/p_8.jpg')).shape == (126, 63, 3)
    assert len(PersonImages(dict(data_root=str(out),
                                 ann_file='coco.txt'))) == 4


def test_box_from_keypoints():
    options = CropOptions(keypoint_enlarge=1.5)
    # Points span 40x100 about (80, 100).
    assert person_box(dict(keypoints=POINTS),
                      options) == [50.0, 25.0, 60.0, 150.0]
    assert person_box(dict(keypoints=[0] * 51), options) is None
    assert refusal({}, None, options) == 'box'


def test_settings_change_what_is_kept(tmp_path):
    anns = [person(1, (0, 0, 20, 30)), person(2, keypoints=[0] * 51)]
    files = write_set(tmp_path, anns)
    options = CropOptions(min_height=30, min_width=20, min_keypoints=0)
    report = crop_persons(*files, str(tmp_path / 'o'), 'x', options)
    assert report['persons'] == 2


def test_broken_images_are_counted(tmp_path):
    files = write_set(tmp_path, [person(1), person(2, image=2)])
    (tmp_path / 'images/q.jpg').write_text('text')
    report = crop_persons(*files, str(tmp_path / 'o'), 'x')
    assert report['persons'] == 1 and report['broken'][0].startswith('q.jpg')
    (tmp_path / 'images/a/p.jpg').unlink()
    with pytest.raises(ValueError, match='none of 2 images'):
        crop_persons(*files, str(tmp_path / 'o'), 'x')


def test_evaluation_splits_are_refused(tmp_path):
    files = write_set(tmp_path, [person(1)], 'person_keypoints_val2017.json')
    with pytest.raises(ValueError, match='evaluation split'):
        crop_persons(*files, str(tmp_path / 'o'), 'x')
    report = crop_persons(
        *files, str(tmp_path / 'o'), 'x', allow_eval_split=True)
    assert report['persons'] == 1


def test_wrong_files(tmp_path):
    out = str(tmp_path / 'o')
    with pytest.raises(FileNotFoundError, match='none.json'):
        crop_persons('none.json', str(tmp_path), out, 'x')
    with pytest.raises(FileNotFoundError, match="folder 'gone'"):
        crop_persons('none.json', 'gone', out, 'x')
    files = write_set(tmp_path, [person(1, category_id=2)])
    with pytest.raises(ValueError, match='no person to cut'):
        crop_persons(*files, out, 'x')
    names = [dict(id=1, name='cat'), dict(id=2, name='dog')]
    files = write_set(tmp_path, [person(1)], categories=names)
    with pytest.raises(ValueError, match="none named 'person'"):
        crop_persons(*files, out, 'x')
    (tmp_path / 'list.json').write_text('[]')
    with pytest.raises(ValueError, match='not COCO-style'):
        crop_persons(str(tmp_path / 'list.json'), files[1], out, 'x')
