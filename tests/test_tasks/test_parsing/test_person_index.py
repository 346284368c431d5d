import json
import os

import pytest
import torch.distributed as dist
import torch.multiprocessing as mp

from saip_mm.tasks.parsing import person_index
from saip_mm.tasks.parsing.archive_check import split_of
from saip_mm.tasks.parsing.person_index import (build_index, load_index,
                                                read_index, read_names,
                                                write_index)
from .cihp_files import PICTURES, write_cihp


@pytest.fixture
def split(tmp_path):
    return split_of(write_cihp(tmp_path), 'train')


def test_made_once_and_read_again(split, monkeypatch, log):
    made = load_index(split)
    assert 'Read the maps of 4 pictures' in log.text
    assert [p.name for p in made] == list(PICTURES)
    assert [len(p.persons) for p in made] == [2, 1, 0, 2]
    monkeypatch.setattr(person_index, 'build_index', None)
    assert load_index(split) == made
    assert os.listdir(os.path.dirname(split.ann_file)) == ['cihp_train.json']


def test_is_cocos_form(split):
    load_index(split)
    with open(split.ann_file) as file:
        content = json.load(file)
    assert content['images'][0] == dict(
        id=6, file_name='0000006.jpg', width=64, height=48)
    assert content['categories'] == [dict(id=1, name='person')]
    assert content['annotations'][1] == dict(
        id=2,
        image_id=6,
        category_id=1,
        human_id=2,
        bbox=[30, 8, 16, 36],
        area=576,
        iscrowd=0)
    coco = pytest.importorskip('pycocotools.coco').COCO(split.ann_file)
    assert len(coco.getAnnIds(imgIds=[46])) == 2


def test_processes_give_the_same(split):
    alone = build_index(split, progress=True)
    assert build_index(split, workers=2) == alone


def test_folder_that_cannot_be_written(split, monkeypatch, log):

    def refuse(*args):
        raise OSError('read-only file system')

    monkeypatch.setattr(person_index, 'write_index', refuse)
    assert len(load_index(split)) == 4
    assert 'set ann_file to a path that can be written' in log.text
    assert not os.path.exists(split.ann_file)


@pytest.mark.parametrize(
    'content',
    ['{', '[]', '{"images": []}', '{}', '{"images": [{}], "annotations": []}'])
def test_something_else_in_its_place(split, content):
    os.makedirs(os.path.dirname(split.ann_file))
    with open(split.ann_file, 'w') as file:
        file.write(content)
    with pytest.raises(ValueError, match='cihp_train.json .*delete it to re'):
        load_index(split)


def test_index_of_other_pictures(split):
    pictures = load_index(split)
    write_index(pictures[:-1], split.ann_file)
    error = ('lists 3 pictures and the list of ids 4; 0000046 is in one of '
             'them alone: delete it to rebuild')
    with pytest.raises(ValueError, match=error):
        read_index(split.ann_file, list(PICTURES))


@pytest.mark.parametrize('text, error', [
    ('0000006\n6\n', 'line 2: 6 is the same number as 0000006'),
    ('0000006\nsix\n', "line 2: id 'six' is no number"),
    ('0000006.jpg\n', 'ids carry no extension'),
    ('\n', 'is empty'),
])
def test_bad_lists(tmp_path, text, error):
    path = tmp_path / 'train_id.txt'
    path.write_text(text)
    with pytest.raises(ValueError, match=error):
        read_names(str(path))


def read_as_rank(rank, port, split):
    dist.init_process_group(
        'gloo', f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    if rank:
        person_index.build_index = None
    assert len(load_index(split)) == 4
    dist.destroy_process_group()


@pytest.mark.slow
def test_one_process_of_two_makes_it(split, free_port):
    mp.spawn(read_as_rank, (free_port, split), 2)
