"""Keypoints of one's own: what is filled in, and what cannot be meant."""
import copy

import pytest

pytest.importorskip('mmpose')

from saip_mm.tasks.pose import PersonKeypointsDataset  # noqa: E402
from saip_mm.tasks.pose import WholeBodyDataset  # noqa: E402
from . import coco_files as coco  # noqa: E402

OWN = dict(
    dataset_name='own',
    keypoint_info={
        0: dict(name='left_hand', swap='right_hand'),
        1: dict(name='right_hand', swap='left_hand'),
        2: dict(name='head', type='upper', color=[0, 0, 255])
    },
    sigmas=[0.06, 0.06, 0.03])


def labels(metainfo):
    """As a data set understands them; its file is not read."""
    dataset = PersonKeypointsDataset(metainfo=metainfo, lazy_init=True)
    return dataset.metainfo


def test_names_swaps_and_sigmas_are_enough():
    found = labels(OWN)
    assert found['num_keypoints'] == 3
    assert found['flip_indices'] == [1, 0, 2]
    assert found['upper_body_ids'] == [2] and found['lower_body_ids'] == []
    assert found['sigmas'].tolist() == pytest.approx(OWN['sigmas'])
    assert found['dataset_keypoint_weights'].tolist() == [1, 1, 1]
    assert found['skeleton_links'] == []


def test_labels_in_a_file(tmp_path):
    path = tmp_path / 'labels.py'
    path.write_text(f'dataset_info = {OWN}')
    assert labels(dict(from_file=str(path)))['flip_indices'] == [1, 0, 2]
    path.write_text('dataset_info = dict(dataset_name="own")')
    error = f"dataset_info of {path} has no 'keypoint_info': .* sigmas"
    with pytest.raises(ValueError, match=error):
        labels(dict(from_file=str(path)))
    path.write_text('joints = 3')
    with pytest.raises(ValueError, match='labels.py has no dict dataset_info'):
        labels(dict(from_file=str(path)))


def test_a_missing_file_is_not_one_of_mmpose(tmp_path):
    """mmpose takes its own of the same name, COCO's 17 joints here."""
    path = str(tmp_path / 'coco.py')
    with pytest.raises(FileNotFoundError, match=f'from_file: .* no {path}'):
        labels(dict(from_file=path))
    shipped = labels(dict(from_file='configs/_base_/datasets/crowdpose.py'))
    assert shipped['num_keypoints'] == 14


def test_a_file_and_keys_contradict_each_other():
    with pytest.raises(ValueError, match='metainfo has from_file and sigmas'):
        labels(dict(from_file='labels.py', sigmas=[1.]))


@pytest.mark.parametrize('key', ['dataset_name', 'keypoint_info', 'sigmas'])
def test_what_is_needed(key):
    own = {name: value for name, value in OWN.items() if name != key}
    with pytest.raises(ValueError, match=f"metainfo has no '{key}'"):
        labels(own)


@pytest.mark.parametrize('change, error', [
    (lambda own: own.update(sigmas=[0.1, 0.1]),
     'metainfo.sigmas has 2 values: 3 numbers are needed'),
    (lambda own: own.update(sigmas=[0.1, 'a', 0.1]), 'sigmas has 3 values'),
    (lambda own: own.update(sigmas=0.1), 'sigmas has 0.1: 3 numbers'),
    (lambda own: own.update(sigmas=[0.1, 0, 0.1]), 'sigmas has a 0'),
    (lambda own: own.update(sigmas=[0.1, -1, 0.1]), 'sigmas has -1: none may'),
    (lambda own: own.update(joint_weights=[1.]), 'joint_weights has 1 values'),
    (lambda own: own.update(keypoint_info={}), 'keypoint_info must be a dict'),
    (lambda own: own.update(keypoint_info=['head']),
     r"keypoint_info must be a dict .* it has \['head'\]"),
    (lambda own: own['keypoint_info'].update({7: dict(name='foot')}),
     r'by number, .* it has \[0, 1, 2, 7\]'),
    (lambda own: own['keypoint_info'][2].pop('name'),
     r"keypoint_info\[2\] is .*: a dict with a 'name' is needed"),
    (lambda own: own['keypoint_info'][2].update(name='left_hand'),
     r"keypoint_info\[2\] has the name 'left_hand' of 0"),
    (lambda own: own['keypoint_info'][1].update(swap='left_foot'),
     r"\[1\].swap of 'right_hand' is 'left_foot', which is the name of no "
     'keypoint; they are left_hand, right_hand, head'),
    (lambda own: own['keypoint_info'][1].update(swap=''),
     r"\[0\].swap of 'left_hand' is 'right_hand', but that of 'right_hand' "
     "is ''"),
    (lambda own: own['keypoint_info'][2].update(type='middle'),
     r"keypoint_info\[2\].type is 'middle'"),
    (lambda own: own['keypoint_info'][2].update(color='red'),
     r'keypoint_info\[2\].color is red'),
    (lambda own: own.update(skeleton_info={0: dict(link=('head', 'foot'))}),
     r"skeleton_info\[0\].link is \('head', 'foot'\): two names"),
    (lambda own: own.update(skeleton_info=[('head', 'left_hand')]),
     'skeleton_info must be a dict'),
])
def test_labels_that_do_not_fit(change, error):
    own = copy.deepcopy(OWN)
    change(own)
    with pytest.raises(ValueError, match=error):
        labels(own)


def test_a_left_and_a_right_that_are_not_swapped_are_told(tmp_path, said):
    own = copy.deepcopy(OWN)
    for keypoint in own['keypoint_info'].values():
        keypoint.pop('swap', None)
    data = coco.people()
    for annotation in data['annotations']:
        annotation['keypoints'] = annotation['keypoints'][:9]
    PersonKeypointsDataset(
        metainfo=own, ann_file=coco.write_json(tmp_path / 'own.json', data))
    line, = said
    assert 'left_hand and right_hand are not swapped in mirrored' in line


def test_whole_bodies_have_their_own_number(tmp_path):
    path = coco.write_json(tmp_path / 'persons.json', coco.people())
    error = 'reads 133 landmarks .* metainfo has 3: PersonKeypointsDataset'
    with pytest.raises(ValueError, match=error):
        WholeBodyDataset(metainfo=OWN, ann_file=path)
