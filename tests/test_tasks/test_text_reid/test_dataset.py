import os

import pytest
import torch
from mmengine.registry import DefaultScope

from saip_mm.datasets.samplers import ResumableSampler
from saip_mm.tasks.text_reid import (CaptionedPersons, CUHKPEDESDataset,
                                     ICFGPEDESDataset, RSTPReidDataset)
from .persons import few_records, record, write_persons


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


def test_a_caption_an_item_to_train(tmp_path, log):
    data = CUHKPEDESDataset(write_persons(tmp_path), 'train')
    assert len(data) == 8
    infos = [data.get_data_info(i) for i in range(8)]
    assert [i['gt_label'] for i in infos] == [0, 0, 0, 0, 1, 1, 2, 2]
    assert [i['pid'] for i in infos] == [1, 1, 1, 1, 2, 2, 3, 3]
    assert [i['record'] for i in infos] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert infos[2]['captions'] == ['a woman with a blue bag 1']
    assert data.metainfo['num_ids'] == 3
    assert data.metainfo['num_images'] == 4
    assert ('CUHK-PEDES train: 4 pictures of 3 persons, 8 captions'
            in log.text)
    sample = data[5]
    assert sample['inputs'].shape == (3, 384, 128)
    assert sample['inputs'].dtype == torch.uint8
    assert sample['data_samples'].gt_label.tolist() == [1]
    assert sample['data_samples'].captions == ['a woman with a blue bag again']
    assert 'Split: \ttrain' in repr(data)


def test_a_picture_an_item_to_test(tmp_path):
    data = CUHKPEDESDataset(
        write_persons(tmp_path), 'test', test_mode=True, data_prefix='imgs')
    assert len(data) == 3
    infos = [data.get_data_info(i) for i in range(3)]
    assert [i['pid'] for i in infos] == [5, 5, 6]
    assert [len(i['captions']) for i in infos] == [2, 2, 2]
    assert infos[0]['img_path'].endswith('imgs/a/5.png')
    assert len(CUHKPEDESDataset(data.data_root, 'val', test_mode=True)) == 1


def test_draws_follow_from_epoch_and_item(tmp_path):
    pipeline = [
        dict(type='DecodeImage'),
        dict(type='NumpyToPIL', to_rgb=False),
        dict(type='torchvision/RandomCrop', size=(20, 10)),
        dict(type='PackCaptions')
    ]
    data = CUHKPEDESDataset(
        write_persons(tmp_path), 'train', pipeline=pipeline)
    ResumableSampler(data, seed=3)
    first, again = data[9]['inputs'], data[9]['inputs']
    assert torch.equal(first, again)
    assert not torch.equal(first, data[1]['inputs'])  # of another epoch
    assert len(list(data)) == 8


def test_folders_and_files_that_are_missing(tmp_path):
    root = write_persons(tmp_path / 'set')
    with pytest.raises(FileNotFoundError, match='no folder .*gone'):
        CUHKPEDESDataset(str(tmp_path / 'gone'))
    with pytest.raises(FileNotFoundError, match='no folder .*set/pictures'):
        CUHKPEDESDataset(root, data_prefix='pictures')
    with pytest.raises(
            FileNotFoundError, match="ICFG-PEDES.json' or .*ICFG_PEDES.json'"):
        ICFGPEDESDataset(root)
    with pytest.raises(FileNotFoundError, match='mine.json'):
        CUHKPEDESDataset(root, ann_file='mine.json')
    os.remove(tmp_path / 'set/imgs/a/2.png')
    with pytest.raises(
            FileNotFoundError, match=r"1 of 4 .*a/2.png' \(record 2\)"):
        CUHKPEDESDataset(root)


def test_a_broken_picture_stops_with_its_record(tmp_path):
    root = write_persons(tmp_path)
    (tmp_path / 'imgs/a/1.png').write_bytes(b'no picture')
    data = CUHKPEDESDataset(root)
    with pytest.raises(OSError, match=r"decode '.*a/1.png'.*\(record 1\)"):
        data[2]


@pytest.mark.parametrize('file', ['ICFG-PEDES.json', 'ICFG_PEDES.json'])
def test_icfg_counts_each_split_from_0(tmp_path, file):
    rows = [
        record(split, pid, f'{split}/{pid}.png', ['a man'])
        for split in ('train', 'test') for pid in (0, 1)
    ]
    root = write_persons(tmp_path, rows, file)
    for split in ('train', 'test'):
        assert ICFGPEDESDataset(root, split).metainfo['num_ids'] == 2
    with pytest.raises(
            ValueError, match="no records of split 'val', only of test, "):
        ICFGPEDESDataset(root, 'val')


def test_rstpreid_and_own_persons_are_relabelled(tmp_path):
    rows = [
        dict(split='train', id=pid, img_path=f'{pid}.png', captions=['a man'])
        for pid in (9, 4, 30)
    ]
    for entry in rows:
        entry['file_path'] = entry['img_path']
    root = write_persons(tmp_path, rows, 'data_captions.json')
    data = RSTPReidDataset(root)
    assert [data.get_data_info(i)['gt_label'] for i in range(3)] == [1, 0, 2]
    mine = CaptionedPersons(root, ann_file='data_captions.json')
    assert [mine.get_data_info(i)['gt_label'] for i in range(3)] == [1, 0, 2]


def test_gaps_between_persons(tmp_path):
    rows = few_records()
    rows[3]['id'] = 58  # of 1, 2, 3; no other has 58
    root = write_persons(tmp_path, rows)
    with pytest.raises(
            ValueError,
            match=r'ids are not 1\.\.3 \(first gap: 3\).*relabel=True'):
        CUHKPEDESDataset(root)
    data = CUHKPEDESDataset(root, relabel=True)
    assert data.get_data_info(7)['gt_label'] == 2


def test_a_person_to_train_and_to_test(tmp_path):
    rows = few_records()
    rows[5]['id'] = 2
    root = write_persons(tmp_path, rows)
    with pytest.raises(ValueError, match='1 persons .*first id 2'):
        CUHKPEDESDataset(root)
    assert CaptionedPersons(root, ann_file='reid_raw.json').metainfo


@pytest.mark.parametrize('caption', ['', ' \n', '&nbsp;'])
def test_empty_captions(tmp_path, caption, log):
    rows = few_records()
    rows[2]['captions'][1] = caption
    root = write_persons(tmp_path, rows)
    with pytest.raises(
            ValueError, match='record 2: a caption is empty.*skip_empty=True'):
        CUHKPEDESDataset(root)
    assert len(CUHKPEDESDataset(root, skip_empty=True)) == 7
    assert '7 captions, 1 empty ones left out' in log.text
    rows = few_records()
    rows[6]['captions'][0] = caption
    root = write_persons(tmp_path / 'test', rows)
    with pytest.raises(ValueError, match='record 6: a caption is empty'):
        CUHKPEDESDataset(root, 'test', skip_empty=True)


def test_pictures_without_captions(tmp_path, log):
    rows = few_records()
    rows[1]['captions'] = rows[5]['captions'] = []
    root = write_persons(tmp_path, rows)
    assert len(CUHKPEDESDataset(root)) == 6
    assert '1 pictures without one' in log.text
    data = CUHKPEDESDataset(root, 'test', test_mode=True)
    assert len(data) == 3 and data.get_data_info(0)['captions'] == []


def test_nothing_is_left(tmp_path):
    rows = [record('train', 1, 'a/1.png', [])]
    with pytest.raises(ValueError, match="no caption of split 'train' is"):
        CUHKPEDESDataset(write_persons(tmp_path, rows))
    with pytest.raises(ValueError, match="split must be one of .*'gallery'"):
        CUHKPEDESDataset(str(tmp_path), 'gallery')
