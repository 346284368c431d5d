import json
import os
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch.distributed as dist
import torch.multiprocessing as mp
from PIL import Image

pytest.importorskip('mmdet')

from mmdet.datasets import CrowdHumanDataset  # noqa: E402
from mmdet.registry import DATASETS  # noqa: E402
from mmdet.utils import register_all_modules  # noqa: E402
from mmengine.registry import DefaultScope  # noqa: E402

from saip_mm.tasks import detection  # noqa: E402,F401
from .crowd_files import PICTURES, person, write_crowd  # noqa: E402

TOOL = str(
    Path(__file__).parents[3] /
    'tools/dataset_converters/crowdhuman_image_sizes.py')


@pytest.fixture(autouse=True, scope='module')
def scope():
    register_all_modules(init_default_scope=False)
    with DefaultScope.overwrite_default_scope('mmdet'):
        yield


def crowd(root, split='train', **kwargs):
    return DATASETS.build(
        dict(
            type='CrowdHumanPersonDataset',
            data_root=root,
            ann_file=f'annotation_{split}.odgt',
            data_prefix=dict(img='Images/')) | kwargs)


def test_yields_what_mmdets_does(tmp_path):
    root = write_crowd(tmp_path, PICTURES)
    ours = crowd(root)
    assert json.load(open(tmp_path / 'id_hw_train.json')) == {
        name: list(size)
        for name, (size, _) in PICTURES.items()
    }
    theirs = CrowdHumanDataset(
        root, 'annotation_train.odgt', data_prefix=dict(img='Images/'))
    for i in range(4):
        own, other = ours.get_data_info(i), theirs.get_data_info(i)
        assert own.keys() == other.keys()
        for key in ('img_id', 'img_path', 'height', 'width'):
            assert own[key] == other[key]
        assert own['instances'] == other['instances']
    boxes = ours.get_data_info(0)['instances']
    assert boxes[0]['bbox'] == [-6, 4, 14, 44]  # leaves the picture
    assert [box['ignore_flag'] for box in boxes] == [0, 0, 1]
    assert ours.metainfo['ann_file'].endswith('annotation_train.odgt')


def test_pictures_without_persons_are_left_out_in_training(tmp_path, log):
    root = write_crowd(tmp_path, PICTURES)
    wanted = dict(filter_cfg=dict(filter_empty_gt=True))
    assert len(crowd(root, **wanted, test_mode=True)) == 4
    assert 'are left out' not in log.text
    ids = [info['img_id'] for info in crowd(root, **wanted)]
    assert ids == ['1,a', '2,b', '4,d']
    assert 'train.odgt: 1 of 4 pictures show no person' in log.text


def test_person_without_area_is_ignored_in_training(tmp_path, log):
    flat = person([3, 3, 0, 9])
    root = write_crowd(tmp_path, {'x': ((20, 20), [flat, person([1] * 4)])})
    for test_mode, flags in ((True, [0, 0]), (False, [1, 0])):
        assert 'no area' not in log.text
        info = crowd(root, test_mode=test_mode).get_data_info(0)
        assert [box['ignore_flag'] for box in info['instances']] == flags
    assert 'train.odgt: 1 persons have no area and are ignored' in log.text


class TestSizeFile:

    def test_is_found_by_split_or_told(self, tmp_path):
        root = write_crowd(tmp_path, PICTURES, 'val')
        crowd(root, 'val')
        assert os.listdir(tmp_path).count('id_hw_val.json') == 1
        os.rename(tmp_path / 'annotation_val.odgt',
                  tmp_path / 'annotation_mine.odgt')
        error = 'cannot tell the size file for .*mine.odgt.*id_hw_file='
        with pytest.raises(ValueError, match=error):
            crowd(root, 'mine')
        assert len(crowd(root, 'mine', id_hw_file='id_hw_val.json')) == 4

    def test_sizes_are_those_of_decoded_pictures(self, tmp_path):
        """OpenCV turns a picture by its EXIF note."""
        root = write_crowd(tmp_path, {'x': ((20, 30), [person([1] * 4)])})
        turned = Image.Exif()
        turned[0x0112] = 6
        Image.new('RGB', (30, 20)).save(tmp_path / 'Images/x.jpg', exif=turned)
        load = [dict(type='LoadImageFromFile'), dict(type='CheckImageSize')]
        sample = crowd(root, pipeline=load)[0]
        assert sample['img'].shape == (30, 20, 3)

    def test_lacks_a_picture(self, tmp_path):
        root = write_crowd(tmp_path, PICTURES)
        (tmp_path / 'id_hw_train.json').write_text('{"1,a": [48, 64]}')
        error = 'id_hw_train.json lacks 3 of 4 pictures, first 2,b'
        with pytest.raises(KeyError, match=error):
            crowd(root)

    def test_is_something_else(self, tmp_path):
        root = write_crowd(tmp_path, PICTURES)
        for content in ('[1, 2]', '{"1,a": 3}', '{'):
            (tmp_path / 'id_hw_train.json').write_text(content)
            with pytest.raises(ValueError, match='delete it to rebuild'):
                crowd(root)

    def test_is_stale(self, tmp_path):
        root = write_crowd(tmp_path, PICTURES)
        sizes = {name: size for name, (size, _) in PICTURES.items()}
        sizes['2,b'] = (1356, 2048)
        (tmp_path / 'id_hw_train.json').write_text(json.dumps(sizes))
        load = [dict(type='LoadImageFromFile'), dict(type='CheckImageSize')]
        dataset = crowd(root, pipeline=load)
        assert dataset[0]['img'].shape == (48, 64, 3)
        error = 'says 1356x2048 for 2,b, .*2,b.jpg has 64x48; delete it'
        with pytest.raises(ValueError, match=error):
            dataset[1]

    def test_read_only_folder_is_measured_each_time(self, tmp_path,
                                                    monkeypatch):

        def refuse(*args):
            raise OSError('read-only file system')

        monkeypatch.setattr(detection.crowdhuman, 'write_sizes', refuse)
        root = write_crowd(tmp_path, PICTURES)
        assert crowd(root).get_data_info(1)['height'] == 64
        assert not (tmp_path / 'id_hw_train.json').exists()


def read_as_rank(rank, port, root):
    dist.init_process_group(
        'gloo', f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    register_all_modules(init_default_scope=False)
    if rank:
        detection.crowdhuman.measure_images = None
    with DefaultScope.overwrite_default_scope('mmdet'):
        assert crowd(root).get_data_info(1)['height'] == 64
    dist.destroy_process_group()


@pytest.mark.slow
def test_one_process_of_two_measures(tmp_path, free_port):
    root = write_crowd(tmp_path, PICTURES)
    mp.spawn(read_as_rank, (free_port, root), 2)
    assert len(json.loads((tmp_path / 'id_hw_train.json').read_text())) == 4


class TestTool:

    def run(self, monkeypatch, *args):
        monkeypatch.setattr(sys, 'argv', [TOOL, *map(str, args)])
        runpy.run_path(TOOL, run_name='__main__')

    def test_writes_what_the_data_set_reads(self, tmp_path, monkeypatch,
                                            capsys):
        root = write_crowd(tmp_path, PICTURES)
        self.run(monkeypatch, tmp_path / 'annotation_train.odgt',
                 tmp_path / 'Images')
        assert 'id_hw_train.json: 4 pictures' in capsys.readouterr().out
        before = (tmp_path / 'id_hw_train.json').read_text()
        assert crowd(root).get_data_info(1)['height'] == 64
        assert (tmp_path / 'id_hw_train.json').read_text() == before

    def test_says_what_is_wrong(self, tmp_path, monkeypatch, capsys):
        write_crowd(tmp_path, PICTURES)
        (tmp_path / 'Images/2,b.jpg').write_bytes(b'no picture')
        with pytest.raises(SystemExit):
            self.run(monkeypatch, tmp_path / 'annotation_train.odgt',
                     tmp_path / 'Images')
        assert '2,b.jpg is no picture' in capsys.readouterr().err
        assert not (tmp_path / 'id_hw_train.json').exists()


GOOD = json.dumps(dict(ID='x', gtboxes=[person([1, 2, 3, 4])]))


def with_box(**changes):
    box = {k: v for k, v in (person([1, 2, 3, 4]) | changes).items() if v}
    return GOOD + '\n' + json.dumps(dict(ID='y', gtboxes=[box]))


@pytest.mark.parametrize('content, error', [
    (GOOD + '\n\n' + GOOD, 'train.odgt line 2: not a JSON object'),
    (GOOD + '\nperson', 'train.odgt line 2: not a JSON object'),
    (f'[{GOOD}]', 'train.odgt line 1: not a JSON object'),
    ('{"gtboxes": []}', 'line 1: no ID'),
    ('{"ID": "z", "gtboxes": null}', 'line 1, ID z: gtboxes is no list'),
    ('{"ID": "z", "gtboxes": [3]}', 'line 1, ID z, box 0: 3 is no JSON obj'),
    (GOOD + '\n' + GOOD, 'ID x stands twice, in lines 1 and 2'),
    (with_box(fbox=None), 'line 2, ID y, box 0: tag or fbox is missing'),
    (with_box(fbox=[1, 2, 3]), r'line 2, ID y, box 0: fbox is \[1, 2, 3\]'),
    (with_box(vbox=[1, 2, 3, float('nan')]), 'box 0: vbox is .*nan'),
    (with_box(hbox=[1, 2, 3, 'a']), 'box 0: hbox is .*four numbers'),
    (with_box(fbox=[1, 2, 3, True]), 'box 0: fbox is .*four numbers'),
    (with_box(fbox=[1, 2, 3, 10**400]), 'box 0: fbox is .*four numbers'),
    (with_box(fbox='1 2 3 4'), 'box 0: fbox is 1 2 3 4, expected four'),
    (with_box(tag='Person'), "line 2, ID y, box 0: tag is 'Person', and the "
     "category 'person': write both the same way"),
    (with_box(tag='person '), "tag is 'person ', and the category 'person'"),
    (with_box(tag=3), 'line 2, ID y, box 0: tag is 3, expected text'),
    (with_box(extra=dict(ignore='0')),
     "line 2, ID y, box 0: extra.ignore is '0', expected the number 0 or 1"),
    (with_box(extra=[1]),
     r'box 0: extra is \[1\], expected an object or null'),
    ('{"ID": null, "gtboxes": []}', 'line 1: ID is None, expected the name'),
    ('{"ID": true, "gtboxes": []}', 'line 1: ID is True, expected the name'),
    ('{"ID": "._x", "gtboxes": []}', "ID ._x is a Mac's note on a file"),
    ('{"ID": 7, "gtboxes": []}\n{"ID": "7", "gtboxes": []}',
     'ID 7 stands twice, in lines 1 and 2'),
    ('', 'train.odgt is empty'),
    ('\n \n', 'train.odgt is empty'),
])
def test_malformed_annotations(tmp_path, content, error):
    write_crowd(tmp_path, {'x': ((20, 20), [])})
    (tmp_path / 'annotation_train.odgt').write_text(content)
    with pytest.raises(ValueError, match=error):
        crowd(str(tmp_path))


@pytest.mark.parametrize('encoding', ['utf-8-sig', 'utf-16', 'utf-32'])
def test_byte_order_marks_tell_the_encoding(tmp_path, encoding):
    """PowerShell's, and Windows' editors'."""
    root = write_crowd(tmp_path, PICTURES)
    path = tmp_path / 'annotation_train.odgt'
    wanted = [crowd(root).get_data_info(i) for i in range(4)]
    path.write_text(path.read_text(), encoding=encoding)
    assert [crowd(root).get_data_info(i) for i in range(4)] == wanted


def test_bytes_that_are_no_text(tmp_path):
    root = write_crowd(tmp_path, PICTURES)
    (tmp_path / 'annotation_train.odgt').write_bytes(b'{"ID": "\xff\xfe"}')
    with pytest.raises(ValueError, match='no UTF-8 text .*save it as'):
        crowd(root)


def test_numbers_as_names(tmp_path):
    """The file of sizes is made, and read again."""
    root = write_crowd(tmp_path, {'7': ((20, 30), [person([1] * 4)])})
    path = tmp_path / 'annotation_train.odgt'
    path.write_text(path.read_text().replace('"7"', '7'))
    for _ in range(2):
        info = crowd(root).get_data_info(0)
        assert (info['img_id'], info['height'], info['width']) == ('7', 20, 30)


@pytest.mark.parametrize('extra', [
    None, {},
    dict(ignore=None),
    dict(ignore=0),
    dict(ignore=False),
    dict(ignore=1),
    dict(ignore=True)
])
def test_null_means_not_ignored(tmp_path, extra):
    box = person([1, 1, 9, 9]) | dict(extra=extra)
    root = write_crowd(tmp_path, {'x': ((20, 20), [box, person([1] * 4)])})
    flag = crowd(root).get_data_info(0)['instances'][0]['ignore_flag']
    assert flag == int((extra or {}).get('ignore') in (1, True))


@pytest.mark.parametrize(
    'boxes', [[], [person([1, 1, 9, 9], 1)],
              [person([1, 1, 9, 9], tag='mask')], [person([1, 1, -9, 9])]])
def test_nobody_to_train_on(tmp_path, boxes):
    root = write_crowd(tmp_path, {'x': ((20, 20), boxes)})
    for rule in (None, dict(filter_empty_gt=True)):
        error = 'train.odgt: nothing to train on, as none of its 1 pictures'
        with pytest.raises(ValueError, match=error):
            crowd(root, filter_cfg=rule)
    assert len(crowd(root, test_mode=True)) == 1  # its detections may be drawn


def test_persons_that_nobody_can_see(tmp_path, log):
    outside = [[-9, 2, 9, 9], [20, 2, 9, 9], [2, 20, 9, 9], [2, -9, 9, 8]]
    flat = [[2, 2, -9, 9], [2, 2, 9, 0]]
    boxes = [person(box) for box in outside + flat]
    root = write_crowd(tmp_path,
                       {'x':
                        ((20, 20), [*boxes, person([19, 19, 9, 9])])})
    info = crowd(root).get_data_info(0)
    flags = [box['ignore_flag'] for box in info['instances']]
    assert flags == [1] * 6 + [0]
    assert 'train.odgt: 6 persons have no area and are ignored' in log.text
    crowd(root, test_mode=True)
    assert '6 persons cannot be found' in log.text
    assert 'count as missed' in log.text


def test_tags_of_ones_own(tmp_path, log):
    boxes = [
        person([1, 1, 9, 9], tag=tag)
        for tag in ('rider', 'person', 'mask', 'dog', 'dog')
    ]
    root = write_crowd(tmp_path, {'x': ((20, 20), boxes)})
    own = crowd(root, metainfo=dict(classes=('person', 'rider')))
    labels = [b['bbox_label'] for b in own.get_data_info(0)['instances']]
    assert labels == [1, 0, -1, -1, -1]
    assert len(own.metainfo['palette']) == 2
    assert '2 boxes have a tag which is no category (dog 2; ' in log.text
    for wrong, error in (('person', r"is the text 'person': write \('person"),
                         (('a', 'a'), 'names a more than once'),
                         ((), 'expected names of categories'),
                         ((1, ), 'expected names of categories')):
        with pytest.raises(ValueError, match=error):
            crowd(root, metainfo=dict(classes=wrong))


def test_home_folder(tmp_path, monkeypatch):
    write_crowd(tmp_path / 'crowd', PICTURES)
    monkeypatch.setenv('HOME', str(tmp_path))
    assert len(crowd('~/crowd')) == 4
    assert (tmp_path / 'crowd/id_hw_train.json').exists()


def test_missing_files(tmp_path):
    root = write_crowd(tmp_path, PICTURES)
    with pytest.raises(FileNotFoundError, match="annotation_val.odgt' does"):
        crowd(root, 'val')
    (tmp_path / 'id_hw_train.json').write_text('{}')
    (tmp_path / 'Images/4,d.jpg').unlink()
    with pytest.raises(FileNotFoundError, match=r'4,d.jpg \(line 4.*Images/'):
        crowd(root)


def test_pictures_and_boxes_are_resized_together_and_not_clipped(tmp_path):
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations', with_bbox=True),
        dict(
            type='Resize',
            scale=(128, 96),
            keep_ratio=True,
            clip_object_border=False)
    ]
    sample = crowd(write_crowd(tmp_path, PICTURES), pipeline=pipeline)[0]
    assert sample['img'].shape == (96, 128, 3)
    boxes = sample['gt_bboxes'].tensor.numpy()
    assert np.allclose(boxes[0], [-12, 8, 28, 88])


def test_no_pickle_of_proposals_is_opened(tmp_path):
    path, marker = tmp_path / 'proposals.pkl', tmp_path / 'ran'
    path.write_bytes(b"cposix\nsystem\n(S'touch " + bytes(marker) + b"'\ntR.")
    with pytest.raises(ValueError, match='proposals.pkl is a pickle, which'):
        crowd(write_crowd(tmp_path, PICTURES), proposal_file=str(path))
    assert not marker.exists()
