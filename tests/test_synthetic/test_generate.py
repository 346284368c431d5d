import json
import os
import os.path as osp

import cv2
import numpy as np
import pytest

from saip_mm.datasets.retrieval.market1501 import (FOLDERS, MarketDataset,
                                                   parse_name)
from saip_mm.datasets.sources import read_keys, walk_images
from saip_mm.synthetic import WRITERS, generate, write_dataset
from saip_mm.synthetic.writers import luperson, market1501


@pytest.fixture
def few(monkeypatch):
    """A handful of pictures instead of hundreds."""
    monkeypatch.setitem(luperson.CROPS, 'tiny', 20)
    monkeypatch.setitem(market1501.SIZES, 'tiny', (2, 2, 2))


def contents(root):
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = osp.join(folder, name)
            with open(path, 'rb') as file:
                found[osp.relpath(path, root)] = file.read()
    return found


def test_same_bytes_whatever_the_workers(tmp_path, few):
    alone, shared = str(tmp_path / 'alone'), str(tmp_path / 'shared')
    facts = write_dataset(alone, progress=False)
    others = write_dataset(shared, workers=2, progress=False)
    assert facts == others
    assert contents(alone) == contents(shared)


def test_seed_changes_pictures(tmp_path, few):
    first = write_dataset(str(tmp_path / 'a'), ['luperson'], progress=False)
    second = write_dataset(
        str(tmp_path / 'b'), ['luperson'], seed=1, progress=False)
    assert first['luperson']['sha256'] != second['luperson']['sha256']


@pytest.mark.parametrize('name', sorted(WRITERS))
def test_a_picture_depends_on_its_own_number_alone(name):
    writer = WRITERS[name]
    jobs = writer.plan('tiny', 3)
    late = writer.render(jobs[-1], 3)
    writer.render(jobs[2], 3)
    assert writer.render(jobs[-1], 3) == late
    assert len({job.path for job in jobs}) == len(jobs)
    assert writer.plan('tiny', 3) == jobs


def test_second_run_skips_and_touches_nothing(tmp_path, few, monkeypatch):
    out = str(tmp_path)
    first = write_dataset(out, ['luperson'], progress=False)['luperson']
    monkeypatch.setattr(generate, '_write_format', None)  # must not be used
    again = write_dataset(out, ['luperson'], progress=False)['luperson']
    assert not first['skipped'] and again['skipped']
    assert again['sha256'] == first['sha256']


def test_interrupted_run_is_detected_and_completed(tmp_path, few, monkeypatch):
    out, root = str(tmp_path), str(tmp_path / 'luperson')
    whole = write_dataset(out, ['luperson'], progress=False)['luperson']
    before = contents(root)
    monkeypatch.setattr(luperson, 'crop_scene', None)
    os.remove(osp.join(root, luperson.LIST))
    with pytest.raises(TypeError):
        write_dataset(out, ['luperson'], progress=False)
    with open(osp.join(root, generate.MANIFEST)) as file:
        assert json.load(file)['complete'] is False
    monkeypatch.undo()
    monkeypatch.setitem(luperson.CROPS, 'tiny', 20)
    assert write_dataset(
        out, ['luperson'], progress=False)['luperson'] == whole
    assert contents(root) == before


def test_foreign_folder_is_refused(tmp_path, few):
    root = tmp_path / 'market1501'
    root.mkdir()
    (root / 'mine.txt').write_text('keep me')
    with pytest.raises(FileExistsError, match='market1501.*remove it'):
        write_dataset(str(tmp_path), progress=False)
    assert os.listdir(tmp_path) == ['market1501']  # nothing was begun


def test_other_settings_are_refused(tmp_path, few):
    write_dataset(str(tmp_path), ['luperson'], progress=False)
    with pytest.raises(FileExistsError, match="'seed': 0.*'seed': 5"):
        write_dataset(str(tmp_path), ['luperson'], seed=5, progress=False)


def test_broken_manifest_is_refused(tmp_path, few):
    root = tmp_path / 'luperson'
    root.mkdir()
    (root / generate.MANIFEST).write_text('{')
    with pytest.raises(FileExistsError, match='cannot be read'):
        write_dataset(str(tmp_path), ['luperson'], progress=False)


@pytest.mark.parametrize('kwargs, message', [
    (dict(formats=['coca']), "unknown formats \\['coca'\\]"),
    (dict(formats=[]), 'choose from'),
    (dict(size='huge'), "got 'huge'"),
    (dict(seed=-1), 'negative'),
    (dict(workers=-2), 'negative'),
])
def test_bad_settings(tmp_path, kwargs, message):
    with pytest.raises(ValueError, match=message):
        write_dataset(str(tmp_path / 'out'), **kwargs)
    assert not (tmp_path / 'out').exists()


def test_luperson_layout(tmp_path, few):
    write_dataset(str(tmp_path), ['luperson'], progress=False)
    root = str(tmp_path / 'luperson')
    keys = list(read_keys(osp.join(root, luperson.LIST)))
    assert keys == list(walk_images(root))
    assert len(keys) == 20
    for key in keys:
        height, width = cv2.imread(osp.join(root, key)).shape[:2]
        assert 112 <= height <= 256 and .25 < width / height < .85
        country, city, video, name = key.split('/')
        assert len(name) == len('00000000_0000.jpg')


def test_market_is_read_by_its_data_set(tmp_path, few):
    write_dataset(str(tmp_path), ['market1501'], progress=False)
    root = str(tmp_path / 'market1501')
    sets = {s: MarketDataset(root, split=s) for s in FOLDERS}
    people = {
        split: {data.get_data_info(i)['pid']
                for i in range(len(data))}
        for split, data in sets.items()
    }
    assert people['train'] == {1, 3}
    assert people['query'] == {2, 4}
    assert people['gallery'] == {0, 2, 4}
    assert sets['train'][0]['inputs'].shape == (3, 256, 128)


@pytest.mark.parametrize('size', ['tiny', 'small', 'large'])
def test_market_plan(size):
    jobs = WRITERS['market1501'].plan(size, 0)
    seen = dict(query=set(), gallery=set())
    for job in jobs:
        folder, name = job.path.split('/')
        pid, cam = parse_name(name)
        assert -1 <= pid <= 1501 and 1 <= cam <= 6
        split = {v: k for k, v in FOLDERS.items()}[folder]
        assert (split == 'train') == (job.split == 'train')
        if split in seen:
            seen[split].add((pid, cam))
    assert {-1, 0} <= {pid for pid, _ in seen['gallery']}
    for pid, cam in seen['query']:  # somebody else's camera saw everybody
        assert any(p == pid and c != cam for p, c in seen['gallery'])
    train = {j.options['person'] for j in jobs if j.split == 'train'}
    assert len(train) == market1501.SIZES[size][0]


def test_sizes():
    assert 9_000 <= len(WRITERS['luperson'].plan('small', 0)) <= 11_000
    assert 90_000 <= len(WRITERS['luperson'].plan('large', 0)) <= 110_000
    tiny = [len(w.plan('tiny', 0)) for w in WRITERS.values()]
    assert max(tiny) <= 600  # at 100 a second, six seconds a format


def test_colour_alone_does_not_tell_people_apart(tmp_path):
    """Mean colour must find few of the matches another camera took."""
    writer = WRITERS['market1501']
    jobs = writer.plan('tiny', 0)
    jobs = [j for j in jobs if j.split == 'test']
    color, who, cam = [], [], []
    for job in jobs:
        data = next(iter(writer.render(job, 0)[0].values()))
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        color.append(image.mean((0, 1)))
        who.append(job.options['person'])
        cam.append(job.options['cam'])
    color, who, cam = (np.array(v) for v in (color, who, cam))
    far = np.linalg.norm(color[:, None] - color[None], axis=-1)
    far[cam[:, None] == cam[None]] = np.inf
    assert (who[far.argmin(1)] == who).mean() < .35
