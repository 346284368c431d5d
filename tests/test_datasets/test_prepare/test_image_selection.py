import hashlib
import json
import random
import unicodedata

import pytest

from saip_mm.datasets import (FolderSource, PersonImages, build_image_list,
                              select_keys)
from saip_mm.datasets.prepare.image_selection import (LUP_SIZES, canonical_key,
                                                      rank, screen_image,
                                                      write_image_list)
from .._images import encode, photo, write_tree

KEYS = [f'{i % 7}/{i:05d} ü.jpg' for i in range(500)]


def test_canonical_keys():
    assert canonical_key('./a\\b.jpg') == 'a/b.jpg'
    assert canonical_key(unicodedata.normalize('NFD', 'é')) == 'é'


def test_ranks_are_fixed_for_all_time():
    assert rank('a/1.jpg', 0).hex() == hashlib.blake2b(
        b'0:a/1.jpg', digest_size=8).hexdigest()
    assert rank('a/1.jpg', 0).hex() == '15ce67cdc9fd68f2'


def test_order_of_the_listing_and_separators_do_not_matter():
    chosen = select_keys(KEYS, 100)
    assert chosen == sorted(chosen) and len(set(chosen)) == 100
    mixed = random.Random(1).sample(KEYS, 500)
    assert select_keys(mixed, 100) == chosen
    assert select_keys([k.replace('/', '\\') for k in mixed], 100) == chosen
    decomposed = [unicodedata.normalize('NFD', k) for k in mixed]
    assert select_keys(decomposed + mixed, 100) == chosen


def test_selections_are_nested():
    small, middle, large = (set(select_keys(KEYS, n)) for n in (50, 100, 400))
    assert small < middle < large < set(KEYS)
    assert select_keys(KEYS, None) == select_keys(KEYS, 999) == sorted(KEYS)


def test_a_vanished_image_is_replaced_and_others_stay():
    chosen = select_keys(KEYS, 100)
    gone = chosen[17]
    again = select_keys([k for k in KEYS if k != gone], 100)
    assert len(again) == 100
    assert set(chosen) - set(again) == {gone}


def test_seeds_differ():
    assert select_keys(KEYS, 100) != select_keys(KEYS, 100, seed=1)


def test_cfs_takes_the_first_of_the_list():
    assert select_keys(['c', 'a', 'b'], 2, order='cfs') == ['a', 'c']


@pytest.mark.parametrize('kwargs,match', [(dict(num=0), 'select 0'),
                                          (dict(order='x'), "got 'x'")])
def test_bad_arguments(kwargs, match):
    with pytest.raises(ValueError, match=match):
        select_keys(KEYS, **kwargs)


def test_sizes_of_the_paper():
    assert LUP_SIZES['lup2m'] == 2 * LUP_SIZES['lup1m']


def test_list_and_side_file(tmp_path):
    root = write_tree(tmp_path / 'i', [f'{i}/x y.jpg' for i in range(6)])
    path = str(tmp_path / 'i' / 'l.txt')
    facts = build_image_list(FolderSource(root), path, 4)
    with open(path, 'rb') as file:
        data = file.read()
    with open(path + '.json') as file:
        side = json.load(file)
    assert facts == side
    assert side['sha256'] == hashlib.sha256(data).hexdigest()
    assert (side['seen'], side['num'], side['seed']) == (6, 4, 0)
    dataset = PersonImages(dict(data_root=root, ann_file='l.txt'))
    keys = [dataset.key(i) for i in range(4)]
    assert data.decode().splitlines() == keys == sorted(keys)


@pytest.mark.parametrize('workers', [0, 2])
def test_screening(tmp_path, workers):
    root = write_tree(tmp_path / 'i', ['good.jpg', 'good2.jpg'])
    write_tree(tmp_path / 'i', ['small.jpg'], height=40, width=20)
    write_tree(tmp_path / 'i', ['wide.jpg'], height=40, width=60)
    (tmp_path / 'i' / 'text.jpg').write_text('text')
    facts = build_image_list(
        FolderSource(root),
        str(tmp_path / 'l.txt'),
        screened=True,
        workers=workers)
    assert facts['dropped'] == dict(broken=1, small=1, aspect=1)
    assert (tmp_path / 'l.txt').read_text() == 'good.jpg\ngood2.jpg\n'


@pytest.mark.parametrize('height,width,reason', [(160, 32, None),
                                                 (161, 32, 'aspect'),
                                                 (32, 32, None),
                                                 (64, 31, 'small'),
                                                 (40, 41, 'aspect')])
def test_limits_of_screening(height, width, reason):
    assert screen_image(encode(photo(height, width))) == reason


def test_a_line_break_in_a_name_is_refused(tmp_path):
    with pytest.raises(ValueError, match='line break'):
        write_image_list(str(tmp_path / 'l.txt'), ['a\nb'])
    assert not (tmp_path / 'l.txt').exists()
