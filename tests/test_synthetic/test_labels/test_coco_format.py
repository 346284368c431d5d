import json

import cv2
import numpy as np
import pytest

from saip_mm.synthetic.labels.coco_format import (BOXED, person_annotation,
                                                  polygons, run_lengths,
                                                  wholebody_parts, write_coco)
from .._scenes import ALONE, CROWDED, labelled

ZOOM = 8


def rasterise(outlines, shape):
    """Pixels whose centre lies in an outline; on a fine grid."""
    fine = np.zeros([ZOOM * side for side in shape], np.uint8)
    for outline in outlines:
        # Pixel i of the fine grid covers i to i + 1, its centre is i + .5.
        corners = np.array(outline).reshape(-1, 2) * ZOOM - .5
        cv2.fillPoly(fine, [np.rint(corners).astype(np.int32)], 1)
    half = ZOOM // 2
    return fine[half::ZOOM, half::ZOOM] > 0


def without_holes(mask):
    """A mask and what it encloses."""
    around = np.pad(mask, 1).astype(np.uint8)
    cv2.floodFill(around, None, (0, 0), 2)
    return around[1:-1, 1:-1] != 2


def people():
    for number in range(8):
        for options in (ALONE, CROWDED):
            labels = labelled(number, options)[1]
            yield from (p for p in labels.people() if p.mask.any())


def test_outlines_cover_their_masks():
    pieces = 0
    for person in people():
        outlines = polygons(person.mask)
        pieces += len(outlines) > 1
        drawn = rasterise(outlines, person.mask.shape)
        filled = without_holes(person.mask)
        assert (drawn & filled).sum() > .94 * filled.sum()
        assert (drawn & ~filled).sum() < .04 * filled.sum()
        x, y = np.concatenate([np.array(o).reshape(-1, 2) for o in outlines]).T
        left, top, w, h = person.visible_box
        assert abs(x.min() - left) < 1 and abs(x.max() - left - w) < 1
        assert abs(y.min() - top) < 1 and abs(y.max() - top - h) < 1
    assert pieces


@pytest.mark.parametrize('width, height', [(1, 1), (7, 1), (3, 5)])
def test_outline_of_a_rectangle_is_its_edge(width, height):
    mask = np.zeros((9, 12), bool)
    mask[2:2 + height, 4:4 + width] = True
    outline, = polygons(mask)
    corners = {(x, y) for x, y in zip(outline[::2], outline[1::2])}
    assert corners == {(x, y) for x in (4, 4 + width) for y in (2, 2 + height)}


def test_run_lengths_are_the_mask_column_by_column():
    rng = np.random.default_rng(0)
    for share in (0., .3, .7, 1.):
        mask = rng.random((5, 7)) < share
        code = run_lengths(mask)
        pixels, value = [], False
        for count in code['counts']:
            pixels += [value] * count
            value = not value
        assert code['size'] == [5, 7]
        assert (np.array(pixels).reshape(7, 5).T == mask).all()


def test_annotation_says_what_the_labels_say():
    for person in people():
        facts = person_annotation(person, 5, 3)
        assert (facts['id'], facts['image_id']) == (5, 3)
        assert facts['area'] == person.mask.sum()
        points = np.array(facts['keypoints']).reshape(17, 3)
        assert facts['num_keypoints'] == (points[:, 2] > 0).sum()
        assert not points[points[:, 2] == 0].any()
        for x, y, v in points:
            assert v < 2 or person.mask[y, x]


def test_small_people_have_no_joints():
    person = labelled(0)[1].person()
    assert person_annotation(person, 1, 1)['num_keypoints'] > 10
    rows = np.cumsum(person.mask.ravel()).reshape(person.mask.shape)
    person.mask &= rows < 300
    facts = person_annotation(person, 1, 1)
    assert facts['num_keypoints'] == 0 and not any(facts['keypoints'])


def test_parts_are_valid_where_they_are_seen():
    valid = dict.fromkeys(BOXED, 0)
    for person in people():
        facts = wholebody_parts(person.wholebody)
        for name, rows in BOXED.items():
            points = np.array(facts[f'{name}_kpts']).reshape(-1, 3)
            x, y, w, h = facts[f'{name}_box']
            assert len(points) == rows.stop - rows.start
            assert facts[f'{name}_valid'] == (w > 0)
            if not facts[f'{name}_valid']:
                assert not points.any()
                continue
            valid[name] += 1
            known = points[points[:, 2] > 0, :2]
            assert set(points[:, 2]) <= {0., 1.}
            assert (known >= (x - .01, y - .01)).all()
            assert (known <= (x + w + .01, y + h + .01)).all()
            assert (person.wholebody[rows, 2] == 2).mean() > .3
        feet = np.array(facts['foot_kpts']).reshape(6, 3)
        assert facts['foot_valid'] == (feet[:, 2] == 2).any()
    assert min(valid.values()) > 3


def test_nothing_is_valid_of_nobody():
    facts = wholebody_parts(np.zeros((133, 3)))
    assert not any(value for key, value in facts.items() if 'valid' in key)
    assert not any(np.any(value) for value in facts.values())


def test_file_is_json(tmp_path):
    path = tmp_path / 'a.json'
    write_coco(str(path), iter(['{"id": 1}', '{"id": 2}']), iter([]))
    facts = json.loads(path.read_text())
    assert [image['id'] for image in facts['images']] == [1, 2]
    assert facts['annotations'] == []
    assert len(facts['categories'][0]['keypoints']) == 17
