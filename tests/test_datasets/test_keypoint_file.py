import os

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from saip_mm.datasets import PersonImages
from saip_mm.datasets.keypoint_file import (KeypointFile, find_rows,
                                            write_keypoints)
from saip_mm.models import PersonViewPreprocessor
from ._images import photo, write, write_tree

KEYS = ['a/1.jpg', 'b/ü 2.jpg', 'c.jpg']


def points(count=3, seed=0):
    rng = np.random.default_rng(seed)
    out = rng.uniform(0, 60, (count, 17, 3))
    out[..., 2] = rng.uniform(.1, 1, (count, 17))
    return out


@pytest.fixture
def file(tmp_path):
    path = str(tmp_path / 'keypoints.npy')
    write_keypoints(path, KEYS, points())
    return path


@pytest.mark.parametrize('dtype, off', [('float16', .02), ('float32', 1e-5)])
def test_round_trip_by_key(tmp_path, dtype, off):
    path = str(tmp_path / 'k.npy')
    given = [points()[0], None, points()[2]]
    assert write_keypoints(path, KEYS, given, dtype) == (3, 2)
    found = KeypointFile(path, ['c.jpg', 'none.jpg', 'a/1.jpg', KEYS[1]])
    assert found.missing == 1
    np.testing.assert_allclose(found.of(0), points()[2], atol=off)
    np.testing.assert_allclose(found.of(2), points()[0], atol=off)
    for place in (1, 3):
        assert not found.of(place).any() and found.of(place).shape == (17, 3)
    assert isinstance(found.points, np.memmap)
    assert found.points.dtype == dtype
    assert np.load(path).shape == (3, 17, 3)  # as NumPy reads it


def test_rows_of_many_keys_in_any_order():
    rng = np.random.default_rng(0)
    names = [f'{i}/x.jpg' for i in rng.permutation(2000)]
    keys = [f'{i}/x.jpg' for i in rng.permutation(3000)]
    place = {name: i for i, name in enumerate(names)}
    expected = [place.get(key, -1) for key in keys]
    assert find_rows(keys, names).tolist() == expected


def test_equal_hashes_are_told_apart_by_name(file, monkeypatch):
    monkeypatch.setattr('saip_mm.datasets.keypoint_file._hashes',
                        lambda keys: np.zeros(len(keys), np.uint64))
    found = KeypointFile(file, ['other.jpg', 'a/1.jpg'])
    assert not found.of(0).any()


def test_what_is_not_finite_or_has_no_score_is_unknown(tmp_path):
    path, row = str(tmp_path / 'k.npy'), points(1)[0]
    row[0, 0], row[1, 2], row[2, 1], row[3] = np.nan, 0, np.inf, (-9, 9e9, 0)
    write_keypoints(path, ['a'], [row])
    assert not np.load(path)[0, :4].any() and np.load(path)[0, 4:].all()


@pytest.mark.parametrize('given, message', [
    (points(2), '3 keys, but keypoints of 2'),
    (points(4), '3 keys, but keypoints of more'),
    ([np.zeros((17, 2))] * 3, r"'a/1.jpg' have shape .17, 2."),
    (points() + 1e5, "do not fit float16: write them as 'float32'"),
])
def test_nothing_half_written(file, given, message):
    before = {p: open(p, 'rb').read() for p in (file, file[:-3] + 'txt')}
    with pytest.raises(ValueError, match=message):
        write_keypoints(file, KEYS, given)
    assert len(os.listdir(os.path.dirname(file))) == 2
    for path, content in before.items():
        assert open(path, 'rb').read() == content


def test_bad_names_and_types(tmp_path):
    with pytest.raises(ValueError, match='something.npy'):
        write_keypoints(str(tmp_path / 'k.bin'), KEYS, points())
    with pytest.raises(ValueError, match="dtype 'int8' is unknown"):
        write_keypoints(str(tmp_path / 'k.npy'), KEYS, points(), 'int8')


def spoil(path, how):
    names = path[:-3] + 'txt'
    if how == 'gone':
        os.remove(path)
    elif how == 'no names':
        os.remove(names)
    elif how == 'cut':
        data = open(path, 'rb').read()
        open(path, 'wb').write(data[:len(data) - 30])
    elif how == 'empty':
        open(path, 'wb').close()
    elif how == 'pickled':
        np.save(path, np.array([dict(keypoints=1)]), allow_pickle=True)
    elif how == 'shape':
        np.save(path, np.zeros((3, 17, 2)))
    elif how == 'whole numbers':
        np.save(path, np.zeros((3, 17, 3), int))
    elif how == 'count':
        with open(names, 'a') as file:
            file.write('d.jpg\n')


@pytest.mark.parametrize('how, error, message', [
    ('gone', FileNotFoundError, 'not found. tools/dataset_converters/keyp'),
    ('no names', FileNotFoundError, "keypoints.txt' not found"),
    ('cut', ValueError, 'cut short'),
    ('empty', ValueError, 'cannot be read'),
    ('pickled', ValueError, 'pickled'),
    ('shape', ValueError, r'hold .3, 17, 2. of float64, wanted'),
    ('whole numbers', ValueError, 'of int64, wanted'),
    ('count', ValueError, 'has 4 keys, .* 3 rows'),
    ('strangers', ValueError, "of none of 1 pictures.*like 'a/1.jpg'"),
])
def test_unusable_files_name_file_and_remedy(file, how, error, message):
    spoil(file, how)
    keys = ['x.jpg'] if how == 'strangers' else KEYS
    with pytest.raises(error, match=message) as caught:
        KeypointFile(file, keys)
    assert 'keypoints.' in str(caught.value)


CROPS = dict(
    type='PersonCrops',
    size=(64, 32),
    num_scales=0,
    num_locals=0,
    background_size=None,
    area=(1., 1.),
    aspect=(.5, .5),
    flip=0.)


def test_through_dataset_loader_and_preprocessor(tmp_path):
    root = write_tree(tmp_path / 'p', KEYS)  # 120x60
    given = points()
    given[0, 1:, 2] = 0
    write_keypoints(f'{root}/k.npy', KEYS, given)
    other = write_tree(tmp_path / 'q', ['z.jpg'])
    data = PersonImages([dict(data_root=root, keypoints_file='k.npy'), other],
                        [dict(type='DecodeImage'), CROPS])
    batch = next(iter(DataLoader(data, batch_size=4)))
    found = batch['keypoints']['anchor']
    assert found.shape == (4, 17, 3) and found.dtype == torch.float32
    assert found[0, 1:].any() == False and found[0, 0, 2] == 1  # noqa: E712
    assert not found[3].any()  # of a source without
    x, y = (given[0, 0, :2] + .5) * (32 / 60, 64 / 120) - .5
    np.testing.assert_allclose(found[0, 0, :2], (x, y), atol=.05)
    for kinds in ({'clean'}, {'anchor'}, {'anchor', 'clean'}):
        preprocessor = PersonViewPreprocessor()
        preprocessor.restrict(kinds)
        views = preprocessor(batch, True)['views']
        assert set(views.keypoints) == kinds
        for value in views.keypoints.values():
            assert torch.equal(value, found)


def test_without_any_the_batch_has_none(tmp_path):
    root = write_tree(tmp_path / 'p', KEYS)
    data = PersonImages(root, [dict(type='DecodeImage'), CROPS])
    assert set(data[0]) == {'inputs', 'key', 'replaced'}
    preprocessor = PersonViewPreprocessor()
    views = preprocessor(next(iter(DataLoader(data))), True)['views']
    assert views.keypoints == {}


def test_a_picture_that_stands_in_brings_its_own(tmp_path):
    root = write_tree(tmp_path / 'p', ['a.jpg', 'b.jpg'])
    (tmp_path / 'p/a.jpg').write_bytes(b'broken')
    write_keypoints(f'{root}/k.npy', ['a.jpg', 'b.jpg'],
                    [points(1)[0], np.full((17, 3), 20.)])
    data = PersonImages(
        dict(data_root=root, keypoints_file='k.npy'),
        [dict(type='DecodeImage'), CROPS])
    sample = data[0]
    assert sample['key'] == 'b.jpg' and sample['replaced'] > 0
    assert (sample['keypoints']['anchor'][:, 0] -
            (20.5 * 32 / 60 - .5)).abs().max() < .05


@pytest.mark.parametrize('sides', [(480, 240), (960, 480), (122, 63)])
def test_pictures_decoded_smaller(tmp_path, sides):
    """Points of the file follow the reduced picture, then the crop."""
    height, width = sides
    write(str(tmp_path / 'p/a.jpg'), height, width)
    given = np.ones((1, 17, 3))
    given[..., 0], given[..., 1] = .25 * width - .5, .75 * height - .5
    write_keypoints(str(tmp_path / 'p/k.npy'), ['a.jpg'], given, 'float32')
    data = PersonImages(
        dict(data_root=str(tmp_path / 'p'), keypoints_file='k.npy'), [
            dict(type='DecodeImage', min_size=(100, 50)),
            dict(CROPS, aspect=(.45, .55))
        ])
    found = data[0]['keypoints']['anchor'][0]
    # a quarter from the left, a quarter from below
    assert abs(found[0] - 7.5) < .6 and abs(found[1] - 47.5) < .6


def test_turned_pictures(tmp_path):
    """Points are of the picture as it is shown."""
    from PIL import Image

    from ._images import save
    (tmp_path / 'p').mkdir()
    data = save(Image.fromarray(photo(480, 960)), 'JPEG', orientation=6)
    (tmp_path / 'p/a.jpg').write_bytes(data)
    given = np.ones((1, 17, 3))
    given[..., 0], given[..., 1] = 119.5, 719.5  # of 960x480
    write_keypoints(str(tmp_path / 'p/k.npy'), ['a.jpg'], given, 'float32')
    data = PersonImages(
        dict(data_root=str(tmp_path / 'p'), keypoints_file='k.npy'),
        [dict(type='DecodeImage', min_size=(200, 100)), CROPS])
    found = data[0]['keypoints']['anchor'][0]
    assert abs(found[0] - 7.5) < .1 and abs(found[1] - 47.5) < .1
