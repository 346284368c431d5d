"""Command lines end with one line where their input is at fault."""
import json
import os
import pickle

import pytest

from saip_mm.synthetic.writers import luperson
from ..test_datasets._images import write_tree
from .tool import run_tool

LIST, PACK = 'build_image_list.py', 'pack_lmdb.py'
SHARDS = 'pack_shards.py'
CROP, MAKE = 'crop_persons.py', 'make_synthetic_people.py'
POINTS = 'keypoints.py'


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to stand in, with images and what is wrong with others."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(luperson.CROPS, 'tiny', 2)
    write_tree('images', ['a.jpg'])
    (tmp_path / 'file').write_text('mine')
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'list.pkl').write_bytes(pickle.dumps([1]))
    (tmp_path / 'list.txt').write_bytes('a.jpg'.encode('utf-16-le'))
    (tmp_path / 'bad.json').write_text('{')
    box = dict(id=1, image_id=1, bbox=[0, 0, 60, 100])
    (tmp_path / 'good.json').write_text(
        json.dumps(
            dict(images=[dict(id=1, file_name='a.jpg')], annotations=[box])))
    return tmp_path


@pytest.mark.parametrize('command,message', [
    ((LIST, 'gone', 'l.txt'), "image folder 'gone' not found"),
    ((LIST, 'file', 'l.txt'), "image folder 'file' not found"),
    ((LIST, 'empty', 'l.txt'), "'empty' holds no image"),
    ((LIST, 'images', 'empty'), "'empty' must be named .txt"),
    ((LIST, 'images', 'l'), 'must be named .txt'),
    ((LIST, 'images', 'file/l.txt'), 'a file is in its place'),
    ((LIST, 'images', 'l.txt', '--num', '0'), 'cannot select 0'),
    ((LIST, 'images', 'l.txt', '--keys', '../list.pkl'), 'entry 0 is 1'),
    ((LIST, 'images', 'l.txt', '--keys', '../list.txt'), 'null bytes'),
    ((LIST, 'images', 'l.txt', '--keys', 'none.txt'), 'not found'),
    ((PACK, 'gone', 'o'), "image folder 'gone' not found"),
    ((PACK, 'images', 'file'), "file' exists; remove it"),
    ((PACK, 'images', 'file/o'), 'a file is in its place'),
    ((PACK, 'images', 'o', '--long-side', '-1'), 'long_side'),
    ((SHARDS, 'gone', 'o'), "image folder 'gone' not found"),
    ((SHARDS, 'images', 'file'), "file' exists; remove it"),
    ((SHARDS, 'images', 'file/o'), 'a file is in its place'),
    ((SHARDS, 'images', 'o', '--count', '0'), 'count must be at least 1'),
    ((SHARDS, '--index', 'images'), "no .tar file in 'images'"),
    ((CROP, 'none.json', 'images', 'o', 'x'), 'none.json'),
    ((CROP, 'bad.json', 'images', 'o', 'x'), "'bad.json' is no JSON"),
    ((CROP, 'good.json', 'file', 'o', 'x'), "image folder 'file'"),
    ((CROP, 'good.json', 'images', 'file', 'x'), 'a file is in its place'),
    ((CROP, 'good.json', 'images', 'o', '../x'), 'leads out of its folder'),
    ((CROP, 'good.json', 'images', 'o', 'x', '--quality', '0'), 'quality'),
    ((POINTS, 'gone', 'k.npy', '--npy', 'empty'), "folder 'gone' not found"),
    ((POINTS, 'images', 'k.npy', '--npy', 'gone'), "folder 'gone' not found"),
    ((POINTS, 'images', 'empty', '--npy', 'empty'), 'is a folder'),
    ((POINTS, 'images', 'k', '--npy', 'empty'), 'something.npy'),
    ((POINTS, 'images', 'k.npy', '--coco', 'bad.json'), "'bad.json' is no J"),
    ((POINTS, 'images', 'k.npy', '--coco', 'good.json'), 'entry 0 is no res'),
    ((MAKE, 'file', '--formats', 'luperson'), 'a file is in its place'),
    ((MAKE, 'images/a.jpg/o', '--formats', 'luperson'), 'a file is in'),
    ((MAKE, 'o', '--seed', '-1'), 'must not be negative'),
    ((MAKE, 'o', '--preview', 'x.gif'), 'name it .png or .jpg'),
    ((MAKE, 'o', '--preview', 'file/x.png'), 'a file is in its place'),
])
def test_one_line(place, command, message):
    if command[0] == SHARDS:
        pytest.importorskip('webdataset')
    before = sorted(place.rglob('*'))
    with pytest.raises(SystemExit, match=f'^error: .*{message}') as error:
        run_tool(*command)
    assert '\n' not in str(error.value.code)
    assert sorted(place.rglob('*')) == before
    assert (place / 'file').read_text() == 'mine'


def test_a_file_in_the_place_of_a_folder_of_a_format(place):
    (place / 'o').mkdir()
    (place / 'o/luperson').write_text('mine')
    with pytest.raises(SystemExit, match="error: .*luperson' is no folder"):
        run_tool(MAKE, 'o', '--formats', 'luperson')


@pytest.mark.parametrize('command', [
    (LIST, 'images', 'locked/l.txt', '--screen'), (PACK, 'images', 'locked/o'),
    (CROP, 'good.json', 'images', 'locked', 'x'),
    (MAKE, 'locked', '--formats', 'luperson')])  # yapf: disable
def test_read_only_folders_are_named(place, command, monkeypatch):
    """Before anything is decoded: these tools work for hours."""
    (place / 'locked').mkdir()
    access = os.access
    monkeypatch.setattr(  # root may write anywhere
        os, 'access',
        lambda path, mode: 'locked' not in str(path) and access(path, mode))
    with pytest.raises(SystemExit, match="locked' cannot be written to"):
        run_tool(*command)
    assert not list((place / 'locked').iterdir())


def test_tilde_is_the_home(place, monkeypatch, capsys):
    monkeypatch.setenv('HOME', str(place))
    monkeypatch.chdir(place / 'empty')
    run_tool(LIST, '~/images', '~/l.txt')
    run_tool(PACK, '~/images', '~/packed', '--keys', '~/l.txt')
    run_tool(CROP, '~/good.json', '~/images', '~/crops', 'x', '--min-width',
             '20')
    run_tool(MAKE, '~/made', '--formats', 'luperson')
    assert not list((place / 'empty').iterdir())
    for path in ('l.txt', 'packed/keys.pkl', 'crops/x.txt',
                 'made/luperson/synthetic.json'):
        assert (place / path).is_file()
    assert 'now holds 1 of' in capsys.readouterr().out


def test_names_of_any_bytes_can_be_printed(place, capfd):
    name = os.fsdecode(b'\xff\xfe.jpg')
    (place / 'images' / name).write_text('text')
    run_tool(PACK, 'images', 'o', '--long-side', '64')
    assert '1 left out' in capfd.readouterr().out


def test_repeated_ids_are_counted(place, capsys):
    content = json.loads((place / 'good.json').read_text())
    content['annotations'] *= 3
    (place / 'good.json').write_text(json.dumps(content))
    run_tool(CROP, 'good.json', 'images', 'o', 'x')
    printed = capsys.readouterr().out
    assert '2 annotation ids repeat' in printed and '3 persons cut' in printed
