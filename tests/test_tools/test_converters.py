"""Command lines of the converters; what they do is tested with the package."""
import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from saip_mm.datasets import LmdbSource, PersonImages
from ..test_datasets._images import write_tree

TOOLS = Path(__file__).resolve().parents[2] / 'tools' / 'dataset_converters'
NAMES = [f'{i}/p.jpg' for i in range(5)]


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a tool in this process; what it prints."""

    def call(name, *arguments):
        argv = [name, *map(str, arguments)]
        monkeypatch.setattr(sys, 'argv', argv)
        runpy.run_path(str(TOOLS / name), run_name='__main__')
        return capsys.readouterr().out

    return call


@pytest.fixture
def tree(tmp_path):
    return Path(write_tree(tmp_path / 'images', NAMES))


def test_build_image_list(run, tree):
    """Three of five, then two of the three by a list beside the images."""
    three, two = tree / 'three.txt', tree / 'two.txt'
    printed = run('build_image_list.py', tree, three, '--num', 3, '--screen')
    assert f'3 of 5 images in {three}, SHA-256' in printed
    printed = run('build_image_list.py', tree, two, '--num', 2, '--keys',
                  'three.txt', '--seed', 1)
    assert '2 of 3 images' in printed
    keys = two.read_text().splitlines()
    assert set(keys) < set(three.read_text().splitlines()) < set(NAMES)
    assert json.loads((tree / 'two.txt.json').read_text())['seed'] == 1
    data = PersonImages(dict(data_root=str(tree), ann_file='two.txt'))
    assert [data.key(i) for i in range(2)] == keys


def test_build_image_list_of_the_papers_size(run, tree):
    printed = run('build_image_list.py', tree, tree / 'l.txt', '--set',
                  'lup1m')
    assert '5 of 5 images' in printed
    assert 'Warning: 1284228 were asked for' in printed


def test_keypoints(run, tree, tmp_path):
    """Of a folder with one file a picture, for two of a list."""
    np.save(tree / '0/p.npy', np.ones((17, 3)))
    (tree / 'two.txt').write_text('0/p.jpg\n3/p.jpg\n')
    printed = run('keypoints.py', tree, tree / 'k.npy', '--npy', tree,
                  '--keys', 'two.txt')
    assert f'1 of 2 pictures have keypoints in {tree / "k.npy"}' in printed
    assert (tree / 'k.txt').read_text() == '0/p.jpg\n3/p.jpg\n'
    data = PersonImages(
        dict(data_root=str(tree), keypoints_file='k.npy'),
        [lambda results: results])
    there = [bool(data[i]['keypoints'].any()) for i in range(5)]
    assert there == [True] + [False] * 4
    (tree / 'r.json').write_text('[]')
    printed = run('keypoints.py', tree, tree / 'k.npy', '--coco',
                  tree / 'r.json')
    assert '0 of 5 pictures' in printed and 'Warning: none has' in printed


@pytest.mark.parametrize('option', ['--npy', '--coco'])
def test_keypoints_of_an_empty_name(run, tree, option):
    with pytest.raises(SystemExit, match="^error: .*''"):
        run('keypoints.py', tree, tree / 'k.npy', option, '')


def test_order_of_scores_needs_its_list(run, tree):
    with pytest.raises(SystemExit, match='--order cfs needs --keys'):
        run('build_image_list.py', tree, tree / 'l.txt', '--order', 'cfs')


def test_pack_lmdb(run, tree, tmp_path):
    pytest.importorskip('lmdb')
    (tree / 'two.txt').write_text('4/p.jpg\n1/p.jpg\n')
    out = tmp_path / 'packed'
    printed = run('pack_lmdb.py', tree, out, '--keys', 'two.txt',
                  '--long-side', 64)
    assert '2 images' in printed and f"data_root='{out}'" in printed
    assert sorted(LmdbSource(str(out)).keys) == ['1/p.jpg', '4/p.jpg']


def test_pack_shards(run, tree, tmp_path):
    pytest.importorskip('webdataset')
    (tree / 'two.txt').write_text('4/p.jpg\n1/p.jpg\n')
    out = tmp_path / 'packed'
    printed = run('pack_shards.py', tree, out, '--keys', 'two.txt', '--count',
                  1)
    assert f"2 images in 2 shards, 0 left out; data_root='{out}'" in printed
    (out / 'shards.json').unlink()
    assert '2 images in 2 shards' in run('pack_shards.py', '--index', out)
    data = PersonImages(str(out))
    assert [data.key(i) for i in range(2)] == ['000000.tar#0', '000001.tar#0']


def test_crop_persons(run, tree, tmp_path):
    persons = [
        dict(id=i, image_id=0, category_id=1, bbox=[5, 5, width, 100])
        for i, width in enumerate((50, 30))
    ]
    annotations = tmp_path / 'train.json'
    annotations.write_text(
        json.dumps(
            dict(
                images=[dict(id=0, file_name=NAMES[0])],
                annotations=persons,
                categories=[dict(id=1, name='person')])))
    out = tmp_path / 'crops'
    arguments = (annotations, tree, out, 'coco', '--enlarge', 1.0)
    printed = run('crop_persons.py', *arguments)
    assert "coco: 1 persons cut, left out {'small': 1}" in printed
    assert (out / 'coco.txt').read_text() == 'coco/0/p_0.jpg\n'
    printed = run('crop_persons.py', *arguments, '--min-width', 20)
    assert f'{out} now holds 2 of HP1M' in printed
