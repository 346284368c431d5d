import os
import shutil

import cv2
import numpy as np
import pytest
import torch

from saip_mm.apis.features import extract_features
from saip_mm.apis.picture_search import draw_found, search_pictures
from ..test_datasets._images import encode, write_tree
from ..test_models.tiny_saip import build

NAMES = [f'{i}.jpg' for i in range(6)]
KWARGS = dict(size=(64, 32), progress=False)


@pytest.fixture(scope='module')
def model():
    return build('starnet')


@pytest.fixture
def gallery(tmp_path):
    return write_tree(tmp_path / 'gallery', NAMES)


def by_hand(model, gallery, query):
    """Paths by descending cosine, one query."""
    found = extract_features(model, gallery, **KWARGS)
    (asked, ) = extract_features(model, query, **KWARGS).arrays['image']
    there = found.arrays['image'].astype(float)
    cosines = there @ asked / np.linalg.norm(
        there, axis=1) / np.linalg.norm(asked)
    order = np.argsort(-cosines)
    return found.paths[order].tolist(), cosines[order]


def test_answers_are_the_most_similar(model, gallery, tmp_path):
    query = str(tmp_path / 'who.jpg')
    shutil.copy(os.path.join(gallery, '3.jpg'), query)
    (found, ) = search_pictures(model, gallery, query, top=4, **KWARGS)
    paths, cosines = by_hand(model, gallery, query)
    assert found.query == query and found.paths == paths[:4]
    assert found.paths[0].endswith('3.jpg')
    np.testing.assert_allclose(found.cosines, cosines[:4], atol=1e-5)


def test_a_picture_is_no_answer_to_itself(model, gallery):
    found = search_pictures(model, gallery, gallery, **KWARGS)
    assert [row.query for row in found
            ] == [os.path.join(gallery, name) for name in NAMES]
    for row in found:
        assert row.query not in row.paths and len(row.paths) == 5
        assert row.paths == [
            p for p in by_hand(model, gallery, row.query)[0] if p != row.query
        ]
    alone = os.path.join(gallery, '0.jpg')
    (row, ) = search_pictures(model, [alone], alone, **KWARGS)
    assert row.paths == row.cosines == []


def test_features_written_before_serve(model, gallery, tmp_path):
    out = str(tmp_path / 'g.npz')
    extract_features(model, gallery, out=out, **KWARGS)
    query = os.path.join(gallery, '1.jpg')
    # the size is that of the file
    (found, ) = search_pictures(model, out, query, progress=False)
    (expected, ) = search_pictures(model, gallery, query, **KWARGS)
    assert found.paths == expected.paths
    with pytest.raises(
            ValueError,
            match='g.npz. holds features 64 wide, the '
            'model gives 16'):
        search_pictures(build('vit'), out, query, progress=False)
    extract_features(model, gallery, ['final'], out, **KWARGS)
    with pytest.raises(ValueError, match='g.npz. holds no image: write it'):
        search_pictures(model, out, query, progress=False)


def test_the_drawing_has_query_and_answers(model, gallery, tmp_path):
    for value, name in enumerate(NAMES):
        picture = np.full((128, 64, 3), 40 * value, np.uint8)
        with open(os.path.join(gallery, name), 'wb') as file:
            file.write(encode(picture, '.png'))
    found = search_pictures(model, gallery, gallery, top=2, **KWARGS)
    out = tmp_path / 'made/top.png'
    size = draw_found(found, out, num=3)
    sheet = cv2.imread(str(out))
    assert sheet.shape[:2] == size and len(os.listdir(out.parent)) == 1
    tall = size[0] // 3
    for number, row in enumerate(found[:3]):
        assert sheet[number * tall + 80, 10].tolist() == [40 * number] * 3
        for place, path in enumerate(row.paths):
            value = 40 * int(os.path.basename(path)[0])
            at = 64 + 12 + place * 76 + 30
            assert sheet[number * tall + 80, at].tolist() == [value] * 3


@pytest.mark.parametrize('query, top, error, message', [
    ('none.jpg', 10, FileNotFoundError, "none.jpg' does not exist"),
    (None, 0, ValueError, 'top must be at least 1'),
])
def test_what_is_refused(model, gallery, query, top, error, message):
    with pytest.raises(error, match=message):
        search_pictures(model, gallery, query or gallery, top, **KWARGS)


def test_no_picture_to_write(tmp_path):
    with pytest.raises(ValueError, match='x.text is no picture file'):
        draw_found([], tmp_path / 'x.text')
    with pytest.raises(FileNotFoundError, match='g.npz. does not exist'):
        search_pictures(build('vit'), str(tmp_path / 'g.npz'), 'a.jpg')


def test_equal_features_are_found_by_their_files(gallery):
    """A model that gives one feature for all still answers."""
    model = build('vit')
    with torch.no_grad():
        model.encoder.backbone.ln1.weight.zero_()
        model.encoder.backbone.ln1.bias.fill_(1.)
    (row, ) = search_pictures(model, gallery, os.path.join(gallery, '2.jpg'),
                              **KWARGS)
    assert len(row.paths) == 5 and row.query not in row.paths
    assert row.cosines == pytest.approx([1.] * 5, abs=1e-6)
