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
])
def test_malformed_annotations(tmp_path, content, error):
    write_crowd(tmp_path, {'x': ((20, 20), [])})
    (tmp_path / 'annotation_train.odgt').write_text(content)
    with pytest.raises(ValueError, match=error):
        crowd(str(tmp_path))


def test_missing_files(tmp_path):
    root = write_crowd(tmp_path, PICTURES)
    with pytest.raises(FileNotFoundError, match='annotation_val.odgt does'):
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
