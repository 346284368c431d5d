import io
import os
import os.path as osp

import numpy as np
import pytest
from PIL import Image

from saip_mm.synthetic import WRITERS
from saip_mm.synthetic.labels.people_labels import SceneLabels
from saip_mm.synthetic.people.parts import ID, NAMES
from saip_mm.synthetic.scene.scene import crop_scene
from saip_mm.synthetic.writers.lip import CROPS, OPTIONS
from ._written import write_few

LIMBS = ('arm', 'leg', 'shoe')


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield write_few(
            tmp_path_factory.mktemp('lip'), 'lip', patch, CROPS=(24, 6))


def names(root, split):
    with open(osp.join(root, f'{split}_id.txt')) as file:
        return file.read().split('\n')[:-1]


def parts(root, split, name):
    return Image.open(osp.join(root, f'{split}_segmentations', f'{name}.png'))


@pytest.mark.parametrize('split, count', [('train', 24), ('val', 6)])
def test_layout(root, split, count):
    listed = names(root, split)
    assert len(listed) == count
    for folder, ending in (('images', '.jpg'), ('segmentations', '.png')):
        found = os.listdir(osp.join(root, f'{split}_{folder}'))
        assert sorted(found) == sorted(name + ending for name in listed)


def test_splits_share_no_id(root):
    assert not set(names(root, 'train')) & set(names(root, 'val'))


def test_labels_are_class_numbers_of_the_pictures_size(root):
    classes = set()
    for name in names(root, 'train'):
        label = parts(root, 'train', name)
        picture = Image.open(osp.join(root, f'train_images/{name}.jpg'))
        assert label.mode == 'L' and label.size == picture.size
        values = set(np.unique(label).tolist())
        assert 0 in values and len(values) > 3
        classes |= values
    assert classes <= set(range(len(NAMES))) and len(classes) > 12


def test_only_the_person_of_the_crop_is_labelled():
    """The file's labels are those of the scene's first person alone."""
    writer = WRITERS['lip']
    others = 0
    for job in writer.plan('tiny', 0)[:16]:
        data = writer.render(job, 0)[0][job.options['label']]
        # The same scene once more, from the job's own random numbers.
        scene = crop_scene(
            job.generator(writer.stream, 0), job.split, OPTIONS, seed=0)
        labels = SceneLabels(scene, scene.render())
        first = labels.person(0, garments=False).mask
        label = decode(data)
        assert ((label > 0) == first).all()
        assert (label[first] == labels.parts()[first]).all()
        others += bool((labels.owners() > 0).any())
    assert others > 1


def decode(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def test_visible_wrists_and_ankles_lie_in_their_side():
    """Left and right in the labels are the person's own."""
    writer = WRITERS['lip']
    sides = dict(left=0, right=0)
    for job in writer.plan('tiny', 0)[:40]:
        scene = crop_scene(
            job.generator(writer.stream, 0), job.split, OPTIONS, seed=0)
        labels = SceneLabels(scene, scene.render())
        points = labels.person(0, garments=False).wholebody
        shown = labels.parts()
        for index, side in ((9, 'left'), (10, 'right'), (17, 'left'),
                            (20, 'right'), (15, 'left'), (16, 'right')):
            x, y, v = points[index]
            if v < 2:
                continue
            label = shown[int(round(y)), int(round(x))]
            other = dict(left='Right', right='Left')[side]
            assert label not in {ID[f'{other}-{limb}'] for limb in LIMBS}
            own = {ID[f'{side.capitalize()}-{limb}'] for limb in LIMBS}
            sides[side] += label in own
    assert min(sides.values()) > 25


def test_mmseg_reads_it(root):
    datasets = pytest.importorskip('mmseg.datasets')
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='mmseg.LoadAnnotations')
    ]
    lip = datasets.LIPDataset(
        data_root=root,
        ann_file='train_id.txt',
        data_prefix=dict(
            img_path='train_images', seg_map_path='train_segmentations'),
        pipeline=pipeline)
    assert len(lip) == 24
    one = lip[3]
    assert one['img'].shape[:2] == one['gt_seg_map'].shape
    name = osp.splitext(osp.basename(one['img_path']))[0]
    assert (one['gt_seg_map'] == np.asarray(parts(root, 'train', name))).all()
    assert lip.metainfo['classes'] == NAMES


@pytest.mark.parametrize('size', CROPS)
def test_plan_of_every_size(size):
    jobs = WRITERS['lip'].plan(size, 0)
    assert len(jobs) == sum(CROPS[size])
    assert sum(job.split == 'train' for job in jobs) == CROPS[size][0]
