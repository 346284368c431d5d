import json

import pytest

from .fashion_files import changed, content, write_fashion

pytest.importorskip('mmdet')

from saip_mm.tasks.part_attributes.fashion_file import \
    read_fashion  # noqa: E402

NAME = 'instances_attributes_train2020.json'


def read(root, **changes):
    return read_fashion(f'{write_fashion(root, **changes)}/{NAME}')


def test_attributes_become_places(tmp_path):
    file = read(tmp_path)
    assert [one['attributes'] for one in file.annotations] == [
        [115, 136, 270],  # 317 - 47
        [157],
        [],
        [229, 293],
        [],
        [183, 235],  # 281 - 46
    ]
    assert [one['id'] for one in file.annotations] == [1, 2, 3, 4, 5, 6]
    assert file.attributes[293] == 'plant' and len(file.attributes) == 294
    assert file.categories[10] == 'dress' and file.notes == []


def test_order_of_the_lists_does_not_matter(tmp_path):
    whole = content()
    same = read(
        tmp_path,
        categories=whole['categories'][::-1],
        attributes=whole['attributes'][::-1])
    assert same.categories[0] == 'shirt, blouse'
    assert same.attributes[0] == 'classic (t-shirt)'
    assert [one['category_id'] for one in same.annotations][:2] == [10, 31]


def test_attributes_of_what_has_none_are_kept(tmp_path):
    file = read(tmp_path, **changed(2, attribute_ids=[115]))
    assert file.annotations[2]['attributes'] == [115]
    assert file.notes == [
        f'{tmp_path}/{NAME}: 1 annotations (first 2) have attributes although '
        'their categories have none by definition (23): kept'
    ]


def test_flat_boxes_stay(tmp_path):
    """The benchmark counts them; pipelines of training drop them."""
    file = read(tmp_path, **changed(2, bbox=[10, 50, 0, 8], area=0))
    assert len(file.annotations) == 6


def test_outlines_that_show_nothing_are_noted(tmp_path):
    file = read(tmp_path, **changed(2, segmentation=[[1, 1, 2, 2]]))
    assert [one['empty'] for one in file.annotations
            ] == [False, False, True, False, False, False]
    assert file.notes == [
        f'{tmp_path}/{NAME}: 1 annotations (first 2) have an outline without '
        'a pixel, or of fewer than three corners: nothing is learnt of them'
    ]


def early():
    """As the sample of the data set's own package: an older taxonomy."""
    return dict(
        categories=[dict(id=i, name=str(i)) for i in range(48)],
        attributes=[dict(id=i, name=str(i)) for i in range(320)])


@pytest.mark.parametrize('changes, error', [
    (early(), r'has 48 categories \(ids 0-47\); the final taxonomy has 46 '
     r'with ids 0-45'),
    (dict(attributes=early()['attributes']),
     r'has 320 attributes \(ids 0-319\); the final taxonomy has 294 with ids '
     r'0-234, 281-283, 285-340'),
    (dict(attributes=[]), r'has 0 attributes \(ids \)'),
    (dict(attributes=[3]), "'attributes' is no list of objects with id"),
    (changed(1, attribute_ids=None),
     r"annotation 1 has no 'attribute_ids'; use instances_attributes_\*.json"),
    (changed(1, attribute_ids='157'), "1: attribute_ids is '157', expected"),
    (changed(1, attribute_ids=[157.]), r'attribute_ids is \[157.0\], expect'),
    (changed(1, attribute_ids=[250]),
     'annotation 1: attribute id 250 does not exist; ids are 0-234, 281-283'),
    (changed(1, attribute_ids=[284]), 'attribute id 284 does not exist'),
    (changed(3, segmentation=None), "annotation 3 has no 'segmentation': pol"),
    (changed(3, segmentation=[]), "annotation 3 has no 'segmentation'"),
    (changed(3, segmentation={'size': [1, 1]}), "3 has no 'segmentation'"),
    (changed(3, segmentation=[['a', 'b']]), 'annotation 3: a polygon is '),
    (changed(3, segmentation=dict(size=[9, 9], counts=[81])),
     r'3: its run lengths are of \[9, 9\] pixels, the picture has \[48, 64\]'),
    (changed(3, segmentation=dict(size=[48, 64], counts='abc')),
     "annotation 3: its run lengths, counts=abc, are of "),
    (changed(3, image_id=99), r'annotations\[3\] of image 99: image_id is 99'),
    (changed(3, category_id=46), 'category_id is 46, which none of the cat'),
    (changed(3, bbox=[1, 2, 3]), 'expected four numbers x, y, width, height'),
])
def test_malformed(tmp_path, changes, error):
    with pytest.raises(ValueError, match=error):
        read(tmp_path, **changes)


def test_plain_coco_is_refused(tmp_path):
    plain = content()
    del plain['attributes']
    path = tmp_path / NAME
    path.write_text(json.dumps(plain))
    with pytest.raises(ValueError, match="has no 'attributes': use instances"):
        read_fashion(str(path))
    with pytest.raises(FileNotFoundError, match='none.json'):
        read_fashion(str(tmp_path / 'none.json'))
