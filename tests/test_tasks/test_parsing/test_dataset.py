from pathlib import Path

import numpy as np
import pytest
from mmdet.registry import DATASETS
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.registry import DefaultScope

from saip_mm.tasks.parsing import PackParsingInputs, ParsingRandomFlip
from saip_mm.tasks.parsing.parts import split_map
from ..photographs import REAL, needs_photographs
from .cihp_files import PICTURES, draw_persons, save_map, write_cihp

LOAD = [
    dict(type='LoadImageFromFile'),
    dict(type='CheckImageSize'),
    dict(type='LoadParsing')
]
RESIZE = dict(type='Resize', scale=(128, 96), keep_ratio=True)
PACK = dict(type='PackParsingInputs')


def flip(prob):
    return dict(type='ParsingRandomFlip', prob=prob)


@pytest.fixture(autouse=True, scope='module')
def scope():
    register_all_modules(init_default_scope=False)
    with DefaultScope.overwrite_default_scope('mmdet'):
        yield


def cihp(root, **kwargs):
    return DATASETS.build(dict(type='CIHPDataset', data_root=root) | kwargs)


@pytest.fixture
def root(tmp_path):
    write_cihp(tmp_path)
    return tmp_path


def test_pictures_and_persons(root, log):
    data = cihp(str(root))
    assert len(data) == 3 and len(cihp(str(root), test_mode=True)) == 4
    assert '1 of 4 pictures show no person' in log.text
    info = data.get_data_info(0)
    assert (info['img_id'], info['height'], info['width']) == (6, 48, 64)
    assert info['instances'][1] == dict(
        bbox=[30, 8, 46, 44], bbox_label=0, ignore_flag=0, human_id=2)
    assert data.metainfo['split']['ann_file'].endswith('cihp_train.json')
    with pytest.raises(ValueError, match='nothing to train on'):
        cihp(str(root), filter_cfg=dict(min_size=100))


@pytest.mark.parametrize('moved, given', [
    ('instance-level_human_parsing', '.'),
    ('instance-level_human_parsing/instance-level_human_parsing', '.'),
    ('instance-level_human_parsing', 'CIHP'),
])
def test_the_archives_own_name(tmp_path, moved, given):
    """In the folder named, or beside it."""
    write_cihp(tmp_path / moved)
    assert len(cihp(str(tmp_path / given))) == 3


@needs_photographs
def test_photographs_lie_flat(tmp_path):
    """The folders are arguments; theirs cannot be written to."""
    data = cihp(
        str(REAL / 'cihp'),
        ann_file=str(tmp_path / 'index.json'),
        id_file='train_id.txt',
        data_prefix=dict(
            img='images', category='Category_ids', human='Human_ids'),
        pipeline=LOAD + [RESIZE, flip(1.), PACK])
    assert [len(data.get_data_info(i)['instances']) for i in (0, 1)] == [2, 3]
    for i in range(2):
        sample = data[i]['data_samples']
        parts, humans = split_map(sample.gt_sem_seg.sem_seg[0].numpy())
        assert set(
            np.unique(humans)) == {0, *sample.gt_instances.human_ids.tolist()}
        for box, human in zip(sample.gt_instances.bboxes.tensor.numpy(),
                              sample.gt_instances.human_ids):
            rows, columns = np.nonzero(humans == int(human))
            found = [
                columns.min(),
                rows.min(),
                columns.max() + 1,
                rows.max() + 1
            ]
            assert np.abs(found - box).max() <= 2


def test_one_map_goes_through_resize_and_flip(root):
    plain = cihp(str(root), pipeline=LOAD)[0]
    assert plain['gt_seg_map'].dtype == np.int32
    for prob in (0., 1.):
        sample = cihp(str(root), pipeline=LOAD + [RESIZE, flip(prob), PACK])[0]
        persons = sample['data_samples'].gt_instances
        assert persons.human_ids.tolist() == [1, 2]
        wanted = plain['gt_seg_map'].repeat(2, 0).repeat(2, 1)
        boxes = np.array([[4, 4, 24, 44], [30, 8, 46, 44]]) * 2
        if prob:
            wanted = wanted[:, ::-1].copy()
            for left, right in ((16, 17), (36, 37)):
                at_left, at_right = wanted == left, wanted == right
                wanted[at_left], wanted[at_right] = right, left
            boxes[:, [0, 2]] = 128 - boxes[:, [2, 0]]
        found = sample['data_samples'].gt_sem_seg.sem_seg[0].numpy()
        assert (found == wanted).all() and found.shape == (96, 128)
        assert (persons.bboxes.tensor.numpy() == boxes).all()


def test_mirrored_arms_are_the_other_arms(root):
    """A mirror of a person whose left is drawn right is the person."""
    data = cihp(str(root), pipeline=LOAD + [flip(1.)])
    assert set(np.unique(data[1]['gt_seg_map'])) == {0, 2, 5, 16, 17}
    first = data[1]['gt_seg_map'][30, ::-1]
    assert (first[5:15] == 16).all() and (first[15:25] == 17).all()


@pytest.mark.parametrize('direction, exchanged', [('vertical', True),
                                                  ('diagonal', False)])
def test_only_half_a_turn_exchanges_nothing(root, direction, exchanged):
    turn = dict(flip(1.), direction=direction)
    plain, turned = (
        cihp(str(root), pipeline=LOAD + extra)[1]['gt_seg_map']
        for extra in ([], [turn]))
    back = turned[::-1] if direction == 'vertical' else turned[::-1, ::-1]
    assert bool((back == plain).all()) is not exchanged
    assert ((back > 0) == (plain > 0)).all()


@pytest.mark.parametrize('transform, error', [
    (dict(type='RandomFlip', prob=0.5),
     'a mirrored left arm is a right arm.*use ParsingRandomFlip'),
    (dict(type='mmcv.RandomFlip', prob=0.5), 'use ParsingRandomFlip'),
    (dict(type='FilterAnnotations'), 'FilterAnnotations drops boxes'),
])
def test_transforms_that_are_refused(root, transform, error):
    inside = dict(type='mmcv.RandomApply', transforms=[transform])
    for pipeline in ([*LOAD, transform, PACK], [*LOAD, inside]):
        with pytest.raises(ValueError, match=error):
            cihp(str(root), pipeline=pipeline)


def test_a_flip_of_another_data_set_is_refused():
    results = dict(
        img=np.zeros((4, 4, 3), np.uint8), gt_seg_map=np.ones((4, 4), int))
    with pytest.raises(ValueError, match='take CIHPDataset'):
        ParsingRandomFlip(prob=1.).transform(results)


class TestStaleIndex:

    def test_person_elsewhere(self, root):
        """Who moved has the old box otherwise, and is learnt as there."""
        data = cihp(str(root), pipeline=LOAD)
        parts, humans = (
            np.roll(m, 3, 1) for m in draw_persons(*PICTURES['0000006']))
        save_map(root, humans, kind='Human_ids')
        save_map(root, parts)
        error = ('person 1 of 0000006 has 120 pixels outside of its box in '
                 'the index; rebuild .*cihp_train.json')
        with pytest.raises(ValueError, match=error):
            data[0]

    def test_person_without_a_pixel(self, root):
        data = cihp(str(root), pipeline=LOAD)
        parts, humans = draw_persons(*PICTURES['0000006'])
        humans[humans == 2] = 1
        save_map(root, humans, kind='Human_ids')
        error = ('person 2 of 0000006 has no pixel; rebuild '
                 '.*annotations/cihp_train.json')
        with pytest.raises(ValueError, match=error):
            data[0]

    def test_person_who_is_new(self, root):
        data = cihp(str(root), pipeline=LOAD)
        humans = draw_persons(*PICTURES['0000006'])[1]
        humans[6:9, 6:9] = 9
        save_map(root, humans, kind='Human_ids')
        with pytest.raises(ValueError, match='person 9 of 0000006 is not in'):
            data[0]

    def test_other_sizes(self, root):
        data = cihp(str(root), pipeline=[LOAD[0], LOAD[2]])
        for kind in ('Category_ids', 'Human_ids'):
            save_map(root, np.zeros((50, 64), np.uint8), kind=kind)
        with pytest.raises(
                ValueError, match='0000006: image 48x64, Human_ids 50x64'):
            data[0]


def test_maps_that_were_left_behind(root):
    """By a transform that knows no maps, or drops boxes."""
    resize = dict(type='mmpretrain.ResizeEdge', scale=96)
    data = cihp(str(root), pipeline=LOAD + [resize, PACK])
    error = r'gt_seg_map 48x64, image 96x128 \(height x width\); use trans'
    with pytest.raises(ValueError, match=error):
        data[0]
    results = cihp(str(root), pipeline=LOAD)[0]
    results['gt_bboxes'] = results['gt_bboxes'][:1]
    with pytest.raises(ValueError, match='1 boxes of 2 persons are left'):
        PackParsingInputs().transform(results)


def test_missing_files(root):
    with pytest.raises(FileNotFoundError, match='val_id.txt.*CIHP lies like'):
        cihp(str(root), id_file='Validation/val_id.txt')
    with pytest.raises(FileNotFoundError, match='data_prefix.human'):
        cihp(
            str(root),
            data_prefix=dict(
                img='Training/Images',
                category='Training/Category_ids',
                human='Training/Humans'))
    with pytest.raises(ValueError, match='names no category'):
        cihp(str(root), data_prefix=dict(img='a', human='b'))
    cihp(str(root))
    (root / 'Training/Human_ids/0000046.png').unlink()
    with pytest.raises(FileNotFoundError, match='Human_ids/0000046.png'):
        cihp(str(root))
    (root / 'Training/train_id.txt').unlink()
    with pytest.raises(FileNotFoundError, match='instance-level_human_pars'):
        cihp(str(root))


def test_picture_that_is_none(root):
    data = cihp(str(root), pipeline=LOAD)
    (root / 'Training/Images/0000021.jpg').write_bytes(b'hello')
    with pytest.raises(ValueError, match='0000021.jpg is no picture'):
        data[1]


def test_home_folder(tmp_path, monkeypatch):
    write_cihp(tmp_path / 'cihp')
    monkeypatch.setenv('HOME', str(tmp_path))
    assert len(cihp('~/cihp')) == 3


def test_no_pickle_of_proposals_is_opened(root):
    (root / 'p.pkl').write_bytes(b'')
    with pytest.raises(ValueError, match='p.pkl is a pickle, which'):
        cihp(str(root), proposal_file=str(root / 'p.pkl'))


def test_parts_of_ones_own(root, log):
    own = dict(
        parts=('none', 'hair', 'clothes', 'left', 'right'),
        part_palette=[[i, i, i] for i in range(5)],
        flip_pairs=[(3, 4)])
    with pytest.raises(ValueError, match="holds class 17; metainfo.'parts'"):
        cihp(str(root), metainfo=own)
    for name, (size, boxes) in PICTURES.items():
        parts = draw_persons(size, boxes)[0]
        table = np.zeros(20, np.uint8)
        table[[2, 5, 16, 17]] = 1, 2, 3, 4
        save_map(root, table[parts], name)
    data = cihp(str(root), metainfo=own, pipeline=LOAD + [flip(1.)])
    assert 'mask_head.num_parts=5' in log.text
    found = data[0]['gt_seg_map']
    assert set(np.unique(found)) == {0, 1, 2, 3, 4, 6, 7, 8, 9}
    for changes, error in ((dict(parts='hair'), "'parts'. is 'hair'"),
                           (dict(part_palette=[]), 'has 0 colours for 5'),
                           (dict(flip_pairs=[(3, 5)]), r'is \[\(3, 5\)\]'),
                           (dict(flip_pairs=[(3, 3)]), 'each once')):
        with pytest.raises(ValueError, match=error):
            cihp(str(root), metainfo=own | changes)


def test_config_of_the_data_loads_the_rendered_layout(root):
    """The folders of _base_/datasets/cihp.py are CIHP's."""
    base = Path(__file__).parents[3] / 'configs/_base_/datasets/cihp.py'
    write_cihp(root, split='val')
    cfg = Config.fromfile(base, import_custom_modules=False)
    for name, count in (('train', 3), ('val', 4), ('test', 4)):
        dataset = cfg[f'{name}_dataloader'].dataset
        dataset.data_root = str(root)
        data = DATASETS.build(dataset)
        assert len(data) == count
        packed = data[0]
        short = min(packed['inputs'].shape[1:])
        assert short in (512, 640, 704, 768, 800, 864)
        assert ('gt_sem_seg' in packed['data_samples']) is (name == 'train')
