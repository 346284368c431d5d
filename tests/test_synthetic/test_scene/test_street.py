import numpy as np
import pytest

from saip_mm.synthetic.labels.people_labels import SceneLabels
from saip_mm.synthetic.people.identity import SPLITS
from saip_mm.synthetic.scene.street import (NEAR_ROWS, StreetOptions,
                                            street_scene)

SIZE = (240, 320)


def street(number, **options):
    rng = np.random.default_rng([11, number])
    return street_scene(rng, 'train', SIZE, StreetOptions(**options))


def test_perspective():
    scene = street(2, people=(5, 5))
    rows = [f.foot.imag for f in scene.people]
    scales = [f.scale for f in scene.people]
    assert len(scene.people) == 5
    assert np.argsort(rows).tolist() == np.argsort(scales).tolist()
    assert scene.photograph(scene.render()).shape == (*SIZE, 3)


@pytest.mark.parametrize('split', SPLITS)
def test_splits_own_disjoint_people_poses_and_places(split):
    for number in range(12):
        scene = street_scene(
            np.random.default_rng(number), split, SIZE, StreetOptions())
        numbers = [scene.place.number]
        for figure in scene.people:
            numbers += [figure.identity.number, figure.pose.number]
        assert {n % len(SPLITS) for n in numbers} == {SPLITS.index(split)}


def test_counts_stay_in_their_range():
    counts = {len(street(n, people=(2, 4)).people) for n in range(30)}
    assert counts == {2, 3, 4}
    things = {len(street(n, things=(1, 3)).things) for n in range(30)}
    assert things == {1, 2, 3}


def test_near_views_cut_people_off_below():
    for number in range(6):
        scene = street(number, near=1.)
        for figure in scene.people:
            assert NEAR_ROWS[0] <= figure.foot.imag / SIZE[0] <= NEAR_ROWS[1]


def test_spread_keeps_people_apart():

    def closest(spread):
        gaps = []
        for number in range(20):
            scene = street(number, people=(4, 4), spread=spread)
            x = np.sort([figure.foot.real for figure in scene.people])
            gaps.append(np.diff(x).min())
        return np.mean(gaps)

    assert closest(6) > 2 * closest(1)


@pytest.mark.parametrize('kind', ['crowd', 'poster'])
def test_people_without_labels(kind):
    """Seen in the picture, but in no label of a person."""
    shown = 0
    for number in range(6):
        chances = {kind: 1.}
        scene = street(number, people=(1, 2), **chances)
        labels = SceneLabels(scene, scene.render())
        masks = labels.unlabelled()
        assert set(masks) <= {kind}
        if kind not in masks:
            continue  # somebody stands before it
        shown += 1
        assert (labels.parts()[masks[kind]] == 0).all()
        assert (labels.owners()[masks[kind]] == -1).all()
        for person in labels.people():
            assert not (person.mask & masks[kind]).any()
    assert shown > 3


def test_nobody_without_labels_unless_asked_for():
    scene = street(0)
    assert SceneLabels(scene, scene.render()).unlabelled() == {}
