import json

import pytest

from saip_mm.datasets import CropOptions, crop_persons
from saip_mm.datasets.prepare.coco_persons import read_persons
from .._images import write_tree

NAN = float('nan')


def content(**changes):
    """A file with one person; keys of entries by 'list.key'."""
    whole = dict(
        images=[dict(id=1, file_name='p.jpg', height=200, width=160)],
        annotations=[
            dict(id=7, image_id=1, category_id=1, bbox=[50, 40, 60, 120])
        ],
        categories=[dict(id=1, name='person')])
    for key, value in changes.items():
        name, _, field = key.partition('__')
        if not field:
            whole[name] = value
        elif value is KeyError:
            del whole[name][0][field]
        else:
            whole[name][0][field] = value
    return whole


def write(tmp_path, whole):
    root = write_tree(tmp_path / 'images', ['p.jpg'], height=200, width=160)
    path = tmp_path / 'train.json'
    path.write_text(whole if isinstance(whole, str) else json.dumps(whole))
    return str(path), root, str(tmp_path / 'out'), 'set'


@pytest.mark.parametrize('whole,message', [
    ('', 'is empty'),
    ('{"images": [', 'no JSON, or cut short: .*line 1'),
    ('[]', "not COCO-style: it needs the lists 'images' and 'annotations'"),
    ('7', 'not COCO-style'),
    (content(images={}), 'not COCO-style'),
    (content(annotations=None), 'not COCO-style'),
    (content(categories=7), 'categories is 7, a list'),
    (content(categories=['person']), "category 0 is 'person', a JSON object"),
    (content(categories__id=KeyError), "category 0 has no 'id'"),
    (content(categories__name=KeyError), r"category 0 \(id 1\) has no 'name'"),
    (content(images=[3]), 'image 0 is 3, a JSON object'),
    (content(images__id=KeyError), "image 0 has no 'id'"),
    (content(images__id=[1]), r'image 0 .*has id \[1\]; a number or a string'),
    (content(images__file_name=KeyError),
     r"image 0 \(id 1\) has no 'file_name'"),
    (content(images__file_name=5), 'file_name 5; the name of a file'),
    (content(images__file_name=''), 'file_name ..; the name of a file'),
    (content(images__width=KeyError), 'height 200 and width None; whole'),
    (content(images__width=0), 'width 0; whole pixels'),
    (content(images__height='200'), "height '200'"),
    (content(images__height=NAN), 'height nan'),
    (content(annotations=[None]), 'annotation 0 is None, a JSON object'),
    (content(annotations__category_id=KeyError),
     r"annotation 0 \(id 7\) has no 'category_id'"),
    (content(annotations__image_id=KeyError), "has no 'image_id'"),
    (content(annotations__image_id={}), 'has image_id {}; a number'),
    (content(annotations__id=None), 'has id None; a number'),
    (content(annotations__bbox='abc'), "has bbox 'abc'; four numbers"),
    (content(annotations__bbox=['1', 2, 3, 4]), "has bbox .*four numbers"),
    (content(annotations__bbox=[1, 2, 3]), r'has bbox \[1, 2, 3\]'),
    (content(annotations__bbox=[1, 2, 3, NAN]), 'has bbox .*nan'),
    (content(annotations__bbox=[1, 2, None, 4]), 'has bbox'),
    (content(annotations__keypoints=[1, 2]), r'keypoints \[1, 2\]; numbers'),
    (content(annotations__keypoints='x'), "keypoints 'x'; numbers"),
    (content(annotations__iscrowd='no'), "iscrowd 'no'; 0 or 1"),
    (content(annotations__ignore=2), 'ignore 2; 0 or 1'),
    (content(annotations__bbox=None), "no person to cut; .*'box': 1"),
    (content(annotations__bbox=[]), "no person to cut; .*'box': 1"),
    (content(annotations__bbox=[50, 40, -60, 120]), "'box': 1"),
    (content(annotations__iscrowd='1'), "'crowd': 1"),
    (content(annotations=[]), 'no person to cut'),
    (content(annotations__bbox=[900, 40, 60, 120]), "'outside': 1"),
    (content(annotations__bbox=[1e308, 1e308, 1e308, 1e308]), "'outside'"),
    (content(
        images=[dict(id=1, file_name=n) for n in ('p.jpg', 'q.jpg')]),
     r"image 1 \(id 1\) has the id of another image, 'p.jpg'"),
])  # yapf: disable
def test_what_is_wrong_is_named(tmp_path, whole, message):
    files = write(tmp_path, whole)
    with pytest.raises(ValueError, match=message) as error:
        crop_persons(*files)
    assert files[0] in str(error.value) or 'outside' in message
    assert not (tmp_path / 'out' / 'set.txt').exists()


@pytest.mark.parametrize('changes', [
    dict(annotations__ignore='0'), dict(annotations__iscrowd=None),
    dict(annotations__keypoints=None), dict(categories=[]),
    dict(categories=None), dict(annotations__category_id=1.0),
    dict(images__id='a', annotations__image_id='a'),
    dict(images=[dict(id=1, file_name='p.jpg')]),
    dict(images=[dict(id=1, file_name='p.jpg')] * 2),
])  # yapf: disable
def test_what_is_meant_all_the_same(tmp_path, changes):
    assert crop_persons(*write(tmp_path, content(**changes)))['persons'] == 1


@pytest.mark.parametrize('encoding', ['utf-8-sig', 'utf-16'])
def test_files_of_windows_editors(tmp_path, encoding):
    path = tmp_path / 'train.json'
    path.write_text(json.dumps(content()), encoding)
    photos, boxes, refused = read_persons(str(path), CropOptions())
    assert photos[1].size == (200, 160) and not refused
    assert boxes == {1: [(7, [50, 40, 60, 120])]}


@pytest.mark.parametrize('kwargs', [
    dict(enlarge=0), dict(enlarge=NAN), dict(keypoint_enlarge=-1),
    dict(quality=0), dict(quality=101)])  # yapf: disable
def test_settings_out_of_range(kwargs):
    name, = kwargs
    with pytest.raises(ValueError, match=name):
        CropOptions(**kwargs)
