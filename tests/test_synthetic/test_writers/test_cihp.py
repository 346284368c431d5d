import os
import os.path as osp

import numpy as np
import pytest
from PIL import Image

from saip_mm.synthetic import WRITERS
from saip_mm.synthetic.labels.people_labels import SceneLabels
from saip_mm.synthetic.people.parts import CIHP_TORSO_SKIN, ID
from saip_mm.synthetic.scene.street import street_scene
from saip_mm.synthetic.writers import cihp
from ._written import write_few

COUNTS = dict(Training=8, Validation=4)
KINDS = dict(
    Images='.jpg', Category_ids='.png', Human_ids='.png', Instance_ids='.png')


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield write_few(
            tmp_path_factory.mktemp('cihp'),
            'cihp',
            patch,
            PICTURES=tuple(COUNTS.values()))


def names(root, folder):
    split = dict(Training='train', Validation='val')[folder]
    with open(osp.join(root, folder, f'{split}_id.txt')) as file:
        return file.read().split('\n')[:-1]


def maps(root, folder, name):
    return [
        np.asarray(Image.open(osp.join(root, folder, kind, name + ending)))
        for kind, ending in list(KINDS.items())[1:]
    ]


def every(root):
    for folder in COUNTS:
        for name in names(root, folder):
            yield folder, name, *maps(root, folder, name)


def test_layout(root):
    for folder, count in COUNTS.items():
        listed = names(root, folder)
        assert len(listed) == count and all(len(n) == 7 for n in listed)
        for kind, ending in KINDS.items():
            found = os.listdir(osp.join(root, folder, kind))
            found = [name for name in found if not name.endswith('.txt')]
            assert sorted(found) == [name + ending for name in listed]
    assert not set(names(root, 'Training')) & set(names(root, 'Validation'))


def test_maps_agree(root):
    classes, people = set(), []
    for folder, name, parts, humans, instances in every(root):
        picture = Image.open(osp.join(root, folder, 'Images', f'{name}.jpg'))
        for one in (parts, humans, instances):
            assert one.dtype == np.uint8 and one.shape == picture.size[::-1]
        assert ((parts > 0) == (humans > 0)).all()
        wanted = np.where(parts > 0, 20 * (humans.astype(int) - 1) + parts, 0)
        assert (instances == wanted).all()
        ids = np.unique(humans)[1:]
        assert (ids == np.arange(1, len(ids) + 1)).all()
        path = osp.join(root, folder, 'Instance_ids', f'{name}.txt')
        with open(path) as file:
            lines = [tuple(map(int, line.split())) for line in file]
        assert lines == [(v, (v - 1) % 20 + 1, (v - 1) // 20 + 1)
                         for v in np.unique(wanted)[1:]]
        classes |= set(np.unique(parts).tolist())
        people.append(len(ids))
        for human in ids:
            assert (humans == human).sum() >= cihp.SEEN
    assert 1 <= min(people) and max(people) <= 6 and np.mean(people) > 2
    assert len(classes) > 12 and CIHP_TORSO_SKIN in classes


def test_sides_are_the_persons_own():
    """Visible wrists and ankles lie in the limb of their side."""
    writer, sides = WRITERS['cihp'], dict(Left=0, Right=0)
    for job in writer.plan('tiny', 0)[:6]:
        rng = job.generator(writer.stream, 0)
        size = cihp.SIDES[int(rng.integers(len(cihp.SIDES)))]
        scene = street_scene(rng, job.split, size, cihp.STREET, 0)
        labels = SceneLabels(scene, scene.render())
        shown = labels.parts(cihp=True)
        for person in labels.people(garments=False):
            for index, side in ((9, 'Left'), (10, 'Right'), (15, 'Left'),
                                (16, 'Right')):
                x, y, v = person.keypoints[index]
                if v < 2:
                    continue
                other = dict(Left='Right', Right='Left')[side]
                label = shown[int(round(y)), int(round(x))]
                limbs = [f'{{}}-{limb}' for limb in ('arm', 'leg', 'shoe')]
                assert label not in {ID[limb.format(other)] for limb in limbs}
                sides[side] += label in {ID[n.format(side)] for n in limbs}
    assert min(sides.values()) > 5


def test_the_data_set_reads_it(root, tmp_path):
    pytest.importorskip('mmdet')
    from mmengine.registry import DefaultScope

    from saip_mm.tasks.parsing import CIHPDataset
    from saip_mm.tasks.parsing.archive_check import check_archive
    reports = check_archive(root, compare=True, progress=False)
    assert [report.wrong for report in reports] == [[], []]
    with DefaultScope.overwrite_default_scope('mmdet'):
        data = CIHPDataset(
            root,
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='CheckImageSize'),
                dict(type='LoadParsing')
            ])
    assert len(data) == COUNTS['Training']
    one = data[3]
    parts, humans, _ = maps(root, 'Training', names(root, 'Training')[3])
    assert (one['gt_seg_map'] % 20 == parts).all()
    assert one['gt_human_ids'].tolist() == np.unique(humans)[1:].tolist()


def test_formats_draw_from_streams_of_their_own():
    streams = {name: writer.stream for name, writer in WRITERS.items()}
    # version 2 has the pictures of version 1, faces blurred
    assert streams.pop('msmt17_v2') == streams['msmt17']
    assert len(set(streams.values())) == len(streams)


@pytest.mark.parametrize('size', cihp.PICTURES)
def test_plan_of_every_size(size):
    jobs = WRITERS['cihp'].plan(size, 0)
    assert len(jobs) == sum(cihp.PICTURES[size])
    for job in jobs:
        assert (job.split == 'train') == job.path.startswith('Training/')
        assert len(job.options['id']) == 7
