import numpy as np
import pytest

from saip_mm.synthetic.people.figure import view_matrix
from saip_mm.synthetic.people.identity import SPLITS, make_identity, numbered
from saip_mm.synthetic.people.pose import INDEX, KINDS, make_pose, skeleton
from saip_mm.synthetic.scene.background import Place
from saip_mm.synthetic.scene.camera import CAMERAS, expose
from saip_mm.synthetic.scene.render import TILE, paint_layers
from saip_mm.synthetic.scene.scene import crop_scene
from .._scenes import CROWDED


def test_identity_persists_and_differs():
    assert make_identity(5, 0) == make_identity.__wrapped__(5, 0)
    assert make_identity(5, 0) != make_identity(5, 1)
    people = {make_identity(n).__repr__() for n in range(50)}
    assert len(people) == 50


@pytest.mark.parametrize('split', SPLITS)
def test_splits_own_disjoint_people_poses_and_places(split):
    remainder = SPLITS.index(split)
    for number in range(20):
        scene = crop_scene(np.random.default_rng([1, number]), split, CROWDED)
        numbers = [scene.place.number]
        for figure in scene.people:
            numbers += [figure.identity.number, figure.pose.number]
        assert {n % len(SPLITS) for n in numbers} == {remainder}


def test_numbers_stay_in_their_split():
    rng = np.random.default_rng(0)
    drawn = {s: {numbered(rng, s) for _ in range(200)} for s in SPLITS}
    assert not drawn['train'] & drawn['test']
    assert not drawn['train'] & drawn['other']


def test_bones_keep_their_lengths_in_every_pose():
    body = make_identity(3).body
    bones = [(f'{s}_{a}', f'{s}_{b}') for s in ('left', 'right')
             for a, b in (('shoulder', 'elbow'), ('elbow', 'wrist'),
                          ('hip', 'knee'), ('knee', 'ankle'))]
    lengths, kinds = [], set()
    for number in range(60):
        pose = make_pose(number)
        points = np.array(skeleton(body, pose))
        kinds.add(pose.kind)
        assert points[:, 1].min() > 0
        lengths.append([
            np.linalg.norm(points[INDEX[a]] - points[INDEX[b]])
            for a, b in bones
        ])
    assert kinds == set(KINDS)
    np.testing.assert_allclose(lengths, lengths[:1] * len(lengths))
    np.testing.assert_allclose(lengths[0][:4], lengths[0][4:])


@pytest.mark.parametrize('yaw, left_is_at', [(0., 1), (np.pi, -1)])
def test_left_is_right_in_a_front_view(yaw, left_is_at):
    right_of_picture = view_matrix(yaw, .2) @ (1., 0., 0.)
    assert np.sign(right_of_picture[0]) == left_is_at


def test_cameras_are_six_and_see_colours_differently():
    grey = np.full((40, 20, 3), 128, np.uint8)
    seen = np.array([
        np.mean([
            expose(grey, camera, np.random.default_rng(i)).mean((0, 1))
            for i in range(8)
        ], 0) for camera in CAMERAS
    ])
    assert len(CAMERAS) == 6
    apart = np.abs(seen[:, None] - seen[None]).max(-1)
    assert apart[~np.eye(6, dtype=bool)].min() > 4


def test_backgrounds_are_not_flat():
    for number in range(12):
        piece = Place(number).paint(120, 60, 70., 60.,
                                    np.random.default_rng(0))
        assert piece.shape == (3, 120, 60)
        assert piece.mean(0).std() > 4


def test_too_large_a_picture_is_refused():
    with pytest.raises(ValueError, match='larger than'):
        paint_layers(np.zeros((3, 10, TILE + 1), np.float32), [])
