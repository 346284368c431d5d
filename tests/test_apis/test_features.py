import os

import numpy as np
import pytest
import torch

from saip_mm.apis.features import extract_features
from saip_mm.apis.picture_search import search_pictures
from saip_mm.datasets import PersonRetrievalDataset
from saip_mm.engine.hooks import RetrievalMonitorHook
from saip_mm.weights.release import publish_release
from ..test_datasets._images import photo, write_tree
from ..test_models.tiny_saip import BACKBONES, build
from .conftest import shaken, trained_file

NAMES = ['b.jpg', 'a/2.jpg', 'a/1.png', 'c.jpg', 'd.jpg']
SIZE = (64, 32)


@pytest.fixture
def folder(tmp_path):
    return write_tree(tmp_path / 'pictures', NAMES)


class Labelled(PersonRetrievalDataset):
    """The pictures of a folder, as the monitor gets them."""

    def load_data_list(self):
        return [
            dict(img_path=os.path.join(self.data_root, name), pid=1, camid=0)
            for name in sorted(NAMES)
        ]


def by_monitor(model, folder, size):
    pipeline = [
        dict(type='DecodeImage'),
        dict(type='ResizePerson', size=size),
        dict(type='PackPerson')
    ]
    dataset = Labelled(folder, split='query', pipeline=pipeline)
    hook = RetrievalMonitorHook(None, None)
    return hook.extract(model.encoder, dataset,
                        *model.input_statistics).features.numpy()


@pytest.mark.parametrize('backbone', BACKBONES)
def test_features_are_those_of_the_monitor(backbone, folder):
    model = shaken(build(backbone))
    expected = by_monitor(model, folder, SIZE)
    model.train()
    found = extract_features(model, folder, size=SIZE, progress=False)
    assert model.encoder.training  # as it was
    assert found.arrays['image'].dtype == np.float32
    np.testing.assert_array_equal(found.arrays['image'], expected)
    assert found.paths.tolist() == [
        os.path.join(folder, name) for name in sorted(NAMES)
    ]
    assert found.size == SIZE and found.skipped == []


@pytest.mark.parametrize('backbone', BACKBONES)
def test_published_files_give_the_training_s_features(backbone, folder,
                                                      tmp_path):
    """And what is found by them, all to the bit."""
    path, _ = trained_file(tmp_path, backbone)
    kwargs = dict(outputs=('image', 'inner'), progress=False, device='cpu')
    expected = extract_features(path, folder, **kwargs)
    assert expected.size == (96, 48)  # nobody said it here
    query = os.path.join(folder, 'c.jpg')
    for file in publish_release(path, str(tmp_path / 'out')).files[:2]:
        found = extract_features(file, folder, **kwargs)
        assert found.size == expected.size
        for name, values in expected.arrays.items():
            np.testing.assert_array_equal(found.arrays[name], values)
        assert search_pictures(
            file, folder, query, progress=False, device='cpu') == \
            search_pictures(path, folder, query, progress=False, device='cpu')


def test_a_file_gives_the_monitor_s_features_too(vit_file, folder):
    path, model = vit_file
    preprocessor = model.data_preprocessor
    preprocessor.mean = tuple(v / 255 for v in (1., 2., 3.))
    preprocessor.std = tuple(v / 255 for v in (4., 5., 6.))
    expected = by_monitor(model, folder, (96, 48))
    found = extract_features(path, folder, progress=False)
    np.testing.assert_allclose(
        found.arrays['image'], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize('backbone', BACKBONES)
def test_neither_batch_nor_order_nor_workers_matter(backbone, folder):
    model = shaken(build(backbone))
    names = ['image', 'inner', 'final', 'stage1']

    def features(pictures, **kwargs):
        return extract_features(
            model, pictures, names, size=SIZE, progress=False, **kwargs)

    whole = features(folder, batch_size=5)
    backwards = whole.paths.tolist()[::-1]
    for other, order in ((features(folder, batch_size=2), slice(None)),
                         (features(folder, batch_size=1),
                          slice(None)), (features(folder,
                                                  num_workers=1), slice(None)),
                         (features(backwards,
                                   batch_size=3), slice(None, None, -1))):
        assert other.paths[order].tolist() == whole.paths.tolist()
        for name in names:
            np.testing.assert_allclose(
                other.arrays[name][order],
                whole.arrays[name],
                rtol=1e-4,
                atol=1e-5)


def test_file_of_arrays(folder, tmp_path):
    model = build('starnet')
    out = tmp_path / 'made/x.npz'
    kwargs = dict(
        outputs=['image', 'final', 'stage2'], size=SIZE, progress=False)
    written = extract_features(model, folder, out=out, batch_size=2, **kwargs)
    kept = extract_features(model, folder, batch_size=2, **kwargs)
    loaded = np.load(out, allow_pickle=False)
    assert set(loaded) == {'image', 'final', 'stage2', 'paths', 'size'}
    assert loaded['size'].tolist() == [64, 32]
    assert loaded['paths'].tolist() == kept.paths.tolist()
    for name, array in kept.arrays.items():
        np.testing.assert_array_equal(loaded[name], array)
        np.testing.assert_array_equal(written.arrays[name], array)
    assert written.arrays['stage2'].shape == (5, *array.shape[1:])
    half = extract_features(model, folder, dtype='float16', **kwargs)
    for name, array in half.arrays.items():
        assert array.dtype == np.float16
        np.testing.assert_allclose(array, kept.arrays[name], 2e-3, 1e-5)


def test_arrays(folder):
    model = build('vit')
    images = [photo(120, 60, seed) for seed in range(3)]
    found = extract_features(model, images, size=SIZE, progress=False)
    assert found.paths.tolist() == ['0', '1', '2']
    one = extract_features(model, images[2][None], size=SIZE, progress=False)
    np.testing.assert_allclose(
        one.arrays['image'][0], found.arrays['image'][2], atol=1e-5)


def test_unreadable_pictures_stop_or_are_counted(folder, tmp_path, log):
    model = build('vit')
    bad = os.path.join(folder, 'b.jpg')
    with open(bad, 'wb') as file:
        file.write(b'text')
    out = tmp_path / 'x.npz'
    kwargs = dict(size=SIZE, progress=False, batch_size=1, out=out)
    for workers in (0, 1):
        with pytest.raises(
                OSError,
                match="cannot read picture '.*b.jpg': 4 "
                'bytes .*skip_unreadable'):
            extract_features(model, folder, num_workers=workers, **kwargs)
    assert not any('x.npz' in name for name in os.listdir(tmp_path))
    found = extract_features(model, folder, skip_unreadable=True, **kwargs)
    assert [s.path for s in found.skipped] == [bad]
    assert bad not in found.paths and len(found.paths) == 4
    assert len(np.load(out)['image']) == 4
    assert '1 pictures cannot be read and are left out' in log.text
    for name in NAMES:
        with open(os.path.join(folder, name), 'wb') as file:
            file.write(b'text')
    out.unlink()
    with pytest.raises(ValueError, match='none of 5 pictures can be read'):
        extract_features(model, folder, skip_unreadable=True, **kwargs)
    assert not any('x.npz' in name for name in os.listdir(tmp_path))


@pytest.mark.parametrize('wrong, message', [
    (dict(outputs='image'), 'outputs is a list of names'),
    (dict(outputs=['stage9']), 'gives no stage9'),
    (dict(batch_size=0), 'batch_size must be at least 1'),
    (dict(dtype='int8'), "dtype 'int8' is unknown"),
    (dict(out='x.pth'), "'x.pth' is no file of arrays: end its name in .npz"),
    (dict(size=(60, 32)), 'not divisible by the 16x16 patch'),
])
def test_what_is_refused(wrong, message, folder):
    with pytest.raises(ValueError, match=message):
        extract_features(
            build('vit'), folder, **{
                'size': SIZE,
                'progress': False,
                **wrong
            })


def test_weights_that_diverged(folder):
    model = build('vit')
    with torch.no_grad():
        model.encoder.backbone.ln1.weight.fill_(float('nan'))
    with pytest.raises(ValueError, match="'image' of '.*1.png' is not finite"):
        extract_features(model, folder, size=SIZE, progress=False)
