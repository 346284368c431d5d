import json

import numpy as np
import pytest

from saip_mm.datasets.plain_pickle import UnsafePickleError
from saip_mm.datasets.prepare.keypoint_sources import (points_of_coco,
                                                       points_of_folder)

POINTS = np.arange(51, dtype=np.float64).reshape(17, 3)
FORMS = {
    # as [0][0]['keypoints'] of an object array of persons of a batch
    'HAP':
    lambda: np.array([[dict(keypoints=POINTS, score=1.)]], dtype=object),
    'list of lists':
    lambda: np.array([[dict(keypoints=POINTS.tolist())]], dtype=object),
    'float32':
    lambda: np.array([[dict(keypoints=POINTS.astype(np.float32))]],
                     dtype=object),
    'flat':
    lambda: np.array([dict(keypoints=POINTS)], dtype=object),
    'plain':
    lambda: POINTS
}


@pytest.mark.parametrize('form', FORMS)
def test_folder(tmp_path, form):
    """In the picture's own sub-folder, or in none."""
    (tmp_path / 'a').mkdir()
    np.save(tmp_path / 'a/x.npy', FORMS[form](), allow_pickle=True)
    np.save(
        tmp_path / 'y.z.npy',
        FORMS[form]() if form != 'plain' else 2 * POINTS,
        allow_pickle=True)
    keys = ['a/x.jpg', 'b/y.z.png', 'gone.jpg']
    first, second, third = points_of_folder(str(tmp_path), keys)
    assert np.array_equal(first, POINTS) and third is None
    assert np.array_equal(second, (1 + (form == 'plain')) * POINTS)


def test_a_file_of_two_pictures_is_refused(tmp_path):
    np.save(tmp_path / 'x.npy', POINTS)
    with pytest.raises(ValueError, match=r"x.npy' may be of 'b/x.jpg' or of"):
        list(points_of_folder(str(tmp_path), ['a/x.jpg', 'b/x.jpg']))


def results(tmp_path, *names):
    path = tmp_path / 'results.json'
    path.write_text(
        json.dumps([
            dict(image_id=n, keypoints=(POINTS + i).ravel().tolist(), score=1)
            for i, n in enumerate(names)
        ]))
    return str(path)


@pytest.mark.parametrize('names, keys', [
    (['a/x.jpg', 'b/x.jpg'], ['set/a/x.jpg', 'set/b/x.jpg']),
    (['set/a/x.jpg', 'set/b/x.jpg'], ['a/x.jpg', 'b/x.jpg']),
    (['x.jpg', 'b/x.jpg'], ['x.jpg', 'set/b/x.jpg']),
])
def test_pictures_of_one_name_in_several_folders(tmp_path, names, keys):
    found = list(points_of_coco(results(tmp_path, *names), None, keys))
    for i, points in enumerate(found):
        assert np.array_equal(points, POINTS + i)


@pytest.mark.parametrize('names, keys, message', [
    (['x.jpg'], ['a/x.jpg', 'b/x.jpg'], "'x.jpg' may be of 'b/x.jpg' or of"),
    (['a/x.jpg', 'b/x.jpg'], ['x.jpg'], "'x.jpg' may be of 'a/x.jpg' or of"),
])
def test_a_name_of_two_pictures_is_refused(tmp_path, names, keys, message):
    with pytest.raises(ValueError, match=message):
        list(points_of_coco(results(tmp_path, *names), None, keys))


def test_an_id_that_is_neither_number_nor_name_is_told(tmp_path):
    images = tmp_path / 'images.json'
    images.write_text(json.dumps(dict(images=[dict(id=1, file_name='a')])))
    with pytest.raises(ValueError, match=r'which picture \[1\] of entry 0'):
        list(points_of_coco(results(tmp_path, [1]), str(images), ['a']))


class Evil:

    def __reduce__(self):
        return exec, ('raise SystemError("it ran")', )


@pytest.mark.parametrize('content, error, message', [
    (np.array([[Evil()]], dtype=object), UnsafePickleError, 'could run code'),
    (np.zeros((17, 2)), ValueError, r'no 17 keypoints .*\(17, 2\)'),
    (np.array([dict(points=1)], dtype=object), ValueError, 'no 17 keypoints'),
    (np.array([dict(keypoints=['a'])], dtype=object), ValueError, 'no 17'),
    (b'text', ValueError, 'cannot be read as .npy'),
    (b'', ValueError, 'cannot be read as .npy'),
])
def test_bad_files_are_named(tmp_path, content, error, message):
    path = tmp_path / 'x.npy'
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content, allow_pickle=True)
    with pytest.raises(error, match=message) as caught:
        list(points_of_folder(str(tmp_path), ['x.jpg']))
    assert 'x.npy' in str(caught.value)


def test_cut_file(tmp_path):
    np.save(tmp_path / 'x.npy', FORMS['HAP'](), allow_pickle=True)
    data = (tmp_path / 'x.npy').read_bytes()
    for end in (20, len(data) // 2, len(data) - 9):
        (tmp_path / 'x.npy').write_bytes(data[:end])
        with pytest.raises(ValueError, match='x.npy'):
            list(points_of_folder(str(tmp_path), ['x.jpg']))


def test_missing_folder():
    with pytest.raises(NotADirectoryError, match="'none' not found"):
        list(points_of_folder('none', ['x.jpg']))


def written(path, content):
    path.write_text(json.dumps(content))
    return str(path)


def result(image, scale=1, **kwargs):
    return dict(
        image_id=image,
        keypoints=(scale * POINTS).flatten().tolist(),
        category_id=1,
        **kwargs)


def test_coco_results(tmp_path):
    """The best person of each, by names of another file."""
    results = written(tmp_path / 'r.json', [
        result(7, 1, score=.2),
        result(7, 2, score=.9),
        result(7, 3, score=.5),
        result(9, 4, score=.1)
    ])
    images = written(
        tmp_path / 'i.json',
        dict(images=[
            dict(id=7, file_name='b.jpg'),
            dict(id=9, file_name='a/c.jpg')
        ]))
    keys = ['x/b.jpg', 'a/c.jpg', 'd.jpg', 'z/c.jpg']
    found = list(points_of_coco(results, images, keys))
    assert np.array_equal(found[0], 2 * POINTS)
    assert np.array_equal(found[1], 4 * POINTS)
    assert found[2] is None and found[3] is None


def test_coco_annotations_and_ids_that_are_names(tmp_path):
    both = written(
        tmp_path / 'b.json',
        dict(
            images=[dict(id=1, file_name='a.jpg')],
            annotations=[result(1, 1, area=5),
                         result(1, 2, area=9)]))
    found, = points_of_coco(both, None, ['a.jpg'])
    assert np.array_equal(found, 2 * POINTS)
    names = written(tmp_path / 'n.json', [result('a.jpg', 3, score=1)])
    found, = points_of_coco(names, None, ['a.jpg'])
    assert np.array_equal(found, 3 * POINTS)


@pytest.mark.parametrize('content, message', [
    (dict(images=[]), "no list of results, nor has it 'annotations'"),
    ([result(1, score=1)], 'picture 1 of entry 0 is: give --images'),
    ([result('a.jpg', 1, score=float('nan'))], 'entry 0 .*score is NaN'),
    ([dict(image_id='a', keypoints=[1, 2])], 'entry 0 is no result of 17'),
    ([dict(keypoints=[0] * 51)], 'entry 0 is no result'),
    (['x'], 'entry 0 is no result'),
    (dict(annotations=[], images=[3]), 'does not name its images'),
])
def test_bad_json_is_named(tmp_path, content, message):
    path = written(tmp_path / 'r.json', content)
    with pytest.raises(ValueError, match=message) as caught:
        list(points_of_coco(path, None, ['a']))
    assert 'r.json' in str(caught.value)
