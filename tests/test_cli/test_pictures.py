"""features, search and patterns, as they are typed."""
import argparse
import importlib
import os

import cv2
import numpy as np
import pytest

from ..test_datasets._images import write_tree


def run(command, *words):
    module = importlib.import_module(f'saip_mm.cli.{command}')
    assert module.HELP and module.__doc__
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    module.run(parser.parse_args(list(map(str, words))))


@pytest.fixture
def places(vit_file, tmp_path):
    root = write_tree(tmp_path / 'pictures', ['a.jpg', 'b.jpg', 'c.jpg'])
    return vit_file[0], root, tmp_path


def test_features(places, capsys):
    model, root, folder = places
    out = folder / 'x.npz'
    run('features', model, root, '--out', out, '--outputs', 'image', 'stage1',
        '--device', 'cpu', '--dtype', 'float16', '--batch-size', 2)
    said = capsys.readouterr().out
    assert 'x.npz: 3 pictures at 96x48' in said
    assert 'image: float16 (3, 16)' in said
    assert np.load(out)['stage1'].shape == (3, 16, 6, 3)
    with open(os.path.join(root, 'b.jpg'), 'w') as file:
        file.write('text')
    pair = [os.path.join(root, name) for name in ('c.jpg', 'b.jpg')]
    run('features', model, *pair, '--out', out, '--skip-unreadable', '--size',
        64, 32)
    assert '1 pictures left out' in capsys.readouterr().out
    assert np.load(out)['paths'].tolist() == pair[:1]


def test_search(places, capsys):
    model, root, folder = places
    out = folder / 'found.png'
    query = os.path.join(root, 'a.jpg')
    run('search', model, root, '--query', query, '--out', out, '--top', 1)
    said = capsys.readouterr().out.splitlines()
    assert query in said and said[-1].startswith(f'{out}: ')
    assert said[-1].endswith('1 of 1 queries')
    assert cv2.imread(str(out)) is not None
    with pytest.raises(ValueError, match='x.text is no picture file'):
        run('search', model, root, '--query', query, '--out', 'x.text')


def test_patterns(places, capsys):
    model, root, folder = places
    out = folder / 'fig.png'
    run('patterns', model, f'other={model}', '--person',
        os.path.join(root, 'a.jpg'), '--group', os.path.join(root, 'b.jpg'),
        '--box', 0, 0, 30, 120, '--box', 30, 0, 60, 120, '--out', out)
    said = capsys.readouterr().out
    assert 'epoch_1' in said and 'other' in said and 'from the rest' in said
    assert cv2.imread(str(out)).shape[0] > 384
