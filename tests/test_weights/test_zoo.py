"""Weights by name: which file, from where, and what is said without one."""
import hashlib
import re
import shutil
from pathlib import Path

import pytest
import torch
from mmengine.runner.checkpoint import CheckpointLoader

from saip_mm.weights import transfer, zoo, zoo_base
from saip_mm.weights.model_index import ModelRow, shipped_models
from saip_mm.weights.transfer import DownloadError, NoRoomError
from ..web import serving

NAME = 'saip_vit-tiny_8xb256-amp-coslr-300e_lup1m'
OTHERS = ('vit-tiny_3rdparty-deit_in1k', 'starnet-s3_3rdparty-official_in1k',
          'tinyvit-5m_3rdparty-official_in1k')
ONE = torch.ones(1)


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, 'WAIT', 0.)
    monkeypatch.setenv('SAIP_MM_CACHE', str(tmp_path / 'cache'))
    monkeypatch.delenv('SAIP_MM_ZOO', raising=False)


@pytest.fixture
def web():
    with serving() as web:
        yield web


@pytest.fixture
def published(tmp_path):
    """A file as publishing names it, and its name."""
    folder = tmp_path / 'zoo'
    folder.mkdir()
    torch.save(dict(meta=dict(epoch=3), state_dict=dict(a=ONE)), folder / 'a')
    digest = hashlib.sha256((folder / 'a').read_bytes()).hexdigest()
    path = folder / f'{NAME}_20261128-{digest[:8]}.pth'
    shutil.move(folder / 'a', path)
    return path


def put_in_table(monkeypatch, row):
    monkeypatch.setattr(zoo, 'shipped_models', lambda: {row.name: row})


def load(name):
    return CheckpointLoader.load_checkpoint(f'saip://{name}')


def check(checkpoint):
    assert dict(checkpoint['state_dict']) == dict(a=ONE)


def test_without_weights_the_message_trains_them(monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    with pytest.raises(zoo.NotPublishedError) as error:
        load(NAME)
    text = str(error.value)
    assert f'no weights of {NAME} are published' in text
    # from the clone, or from what an editable install links to it
    assert re.search(
        r'python \S*tools/train.py \S*configs/saip/vit_tiny.py \(its recipe: '
        r'bash \S*tools/dist_train.sh \S*configs/saip/vit_tiny.py 8\)', text)
    assert 'saip-mm pretrain FOLDER --backbone vit_tiny' in text
    assert f'with SAIP_MM_ZOO=FOLDER saip://{NAME} is that file' in text
    for tool in ('train.py', 'dist_train.sh', 'publish_model.py'):
        assert (Path('tools') / tool).is_file()


def test_every_model_without_weights_says_how_to_train_it(monkeypatch):
    monkeypatch.chdir('/')
    for row in shipped_models().values():
        if row.name in OTHERS:
            assert row.weights
            continue
        assert not row.weights
        text = zoo.how_to_get(row)
        train, config = text.split('Train it: python ')[1].split()[:2]
        assert Path(train).is_file() and Path(config.rstrip('.')).is_file()
        assert ('pretrain FOLDER' in text) == (
            row.name in (f'saip_{b}_8xb256-amp-coslr-300e_lup1m'
                         for b in ('vit-tiny', 'starnet-s3', 'tinyvit-5m')))


def test_a_model_of_a_base_may_have_any_config(published, monkeypatch):
    (published.parent / 'metafile.yml').write_text(
        'Models: [{Name: mine, Config: recipes/mine.py}, {Name: bare}]')
    monkeypatch.setenv('SAIP_MM_ZOO', str(published.parent))
    with pytest.raises(zoo.NotPublishedError, match='is recipes/mine.py:'):
        load('mine')
    with pytest.raises(zoo.NotPublishedError, match='nor a config'):
        load('bare')


def test_an_unknown_name_lists_those_alike(monkeypatch):
    with pytest.raises(
            ValueError,
            match=f"no model '.*' in the zoo, but .*"
            f'{NAME}.*saip-mm zoo list.*SAIP_MM_ZOO'):
        load(NAME.replace('300e', '30e'))
    for name in ('', '../x', '..'):
        with pytest.raises(ValueError, match='no model'):
            load(name)


@pytest.mark.parametrize('form', ['{}', 'file://{}'])
def test_a_folder_of_published_files_is_a_base(published, monkeypatch, form):
    """Used where they lie: nothing is copied."""
    monkeypatch.setenv('SAIP_MM_ZOO', form.format(published.parent))
    check(load(NAME))
    assert zoo.fetch(NAME) == str(published)
    assert not Path(zoo_base.cache_folder()).exists()


def test_the_newest_file_counts_and_of_a_pair_the_pth(published, monkeypatch):
    monkeypatch.setenv('SAIP_MM_ZOO', str(published.parent))
    for name in ('20261127-ffffffff.pth', '20261128-ffffffff.safetensors',
                 '20261128.pth', '20261129-ffffffff.yml'):
        (published.parent / f'{NAME}_{name}').write_bytes(b'')
    (published.parent / f'{NAME}_b_20261130-ffffffff.pth').write_bytes(b'')
    assert zoo.fetch(NAME) == str(published)


def test_a_damaged_file_in_a_base_is_refused(published, monkeypatch):
    monkeypatch.setenv('SAIP_MM_ZOO', str(published.parent))
    published.write_bytes(published.read_bytes() + b'?')
    with pytest.raises(
            DownloadError,
            match=f'cannot get the weights of {NAME}: {published} has SHA-256'
    ):
        load(NAME)


@pytest.mark.parametrize('base, message', [
    ('/nowhere/at/all', "SAIP_MM_ZOO='/nowhere/at/all' is no folder"),
    ('s3://bucket', "SAIP_MM_ZOO='s3://bucket' is no folder"),
])
def test_a_base_that_is_none(monkeypatch, base, message):
    monkeypatch.setenv('SAIP_MM_ZOO', base)
    with pytest.raises(ValueError, match=message):
        load(NAME)


def metafile(published, **fields):
    fields = dict(dict(Name='mine', Weights=published.name), **fields)
    lines = '\n    '.join(f'{k}: {v!r}' for k, v in fields.items())
    return f'Models:\n  - {lines}\n'


def test_a_base_may_have_a_metafile(published, monkeypatch):
    monkeypatch.setenv('SAIP_MM_ZOO', str(published.parent))
    (published.parent / 'metafile.yml').write_text(metafile(published))
    check(load('mine'))
    rows = zoo.list_models()
    assert set(rows) == {*shipped_models(), 'mine'}
    assert zoo.state_of(rows['mine']) == zoo.state_of(rows[NAME]) == 'here'
    (published.parent / 'metafile.yml').write_text(
        metafile(published, Metadata={'SHA-256': '0' * 64}))
    with pytest.raises(DownloadError, match='not 00000000'):
        load('mine')


def test_an_address_is_a_base(published, monkeypatch, web, log):
    """Its metafile is asked for until a name is known, files once."""
    monkeypatch.setenv('SAIP_MM_ZOO', f'{web.address}/zoo/')
    web.files['/zoo/metafile.yml'] = metafile(published).encode()
    web.files[f'/zoo/{published.name}'] = published.read_bytes()
    for _ in range(2):
        check(load('mine'))
    assert [path for path, _ in web.asked
            ] == ['/zoo/metafile.yml', f'/zoo/{published.name}']
    kept = Path(zoo_base.cache_folder()) / 'mine' / published.name
    assert kept.read_bytes() == published.read_bytes()


def test_without_a_network_the_cache_serves(published, monkeypatch, log):
    with serving() as web:
        monkeypatch.setenv('SAIP_MM_ZOO', web.address)
        web.files['/metafile.yml'] = metafile(published).encode()
        web.files[f'/{published.name}'] = published.read_bytes()
        zoo.fetch('mine')
    check(load('mine'))
    assert zoo.state_of(zoo.list_models()['mine']) == 'here'
    assert 'what it said last counts' in log.text
    shutil.rmtree(Path(zoo_base.cache_folder()) / 'mine')
    with pytest.raises(
            DownloadError,
            match='refused.*Without a network, copy .*.pth to a folder and '
            'set SAIP_MM_ZOO to it'):
        load('mine')


def test_a_base_without_a_metafile(monkeypatch, web, log):
    monkeypatch.setenv('SAIP_MM_ZOO', web.address)
    with pytest.raises(zoo.NotPublishedError):
        load(NAME)
    with pytest.raises(ValueError, match="no model 'mine'"):
        load('mine')
    web.files['/metafile.yml'] = b'<html>'
    with pytest.raises(ValueError, match='metafile.yml is no metafile'):
        load('mine')


def test_mirrors_are_tried_in_turn(published, monkeypatch, web):
    content = published.read_bytes()
    web.files[f'/b/{published.name}'] = content[:-1] + b'?'
    web.files[f'/c/{published.name}'] = content
    a, b, c = (f'{web.address}/{x}/{published.name}' for x in 'abc')
    row = ModelRow('a', None, a, (b, c), published.name[-12:-4])
    put_in_table(monkeypatch, row)
    check(load('a'))
    assert [path[:3] for path, _ in web.asked] == ['/a/', '/b/', '/c/']
    kept = Path(zoo_base.cache_folder()) / 'a'
    shutil.rmtree(kept)
    del web.files[f'/c/{published.name}']
    with pytest.raises(DownloadError, match='says 404.*SHA-256.*says 404'):
        load('a')
    assert {p.suffix for p in kept.iterdir()} == {'.lock'}


def test_the_base_comes_before_the_published_address(published, monkeypatch,
                                                     web):
    monkeypatch.setenv('SAIP_MM_ZOO', str(published.parent))
    put_in_table(monkeypatch,
                 ModelRow('a', None, f'{web.address}/x/{published.name}'))
    check(load('a'))
    assert not web.asked


def test_no_space_names_the_folder_and_tries_no_mirror(monkeypatch, web):
    web.files = {'/a.pth': b'x' * 1000, '/b/a.pth': b'x' * 1000}
    put_in_table(
        monkeypatch,
        ModelRow('a', None, f'{web.address}/a.pth',
                 (f'{web.address}/b/a.pth', )))
    usage = shutil.disk_usage('.')._replace(free=10)
    monkeypatch.setattr(transfer.shutil, 'disk_usage', lambda folder: usage)
    with pytest.raises(
            NoRoomError, match=r'cannot write .*\(SAIP_MM_CACHE names it\)'):
        load('a')
    assert len(web.asked) == 1


def test_a_hub_is_a_mirror(monkeypatch, web, published):
    monkeypatch.setattr('huggingface_hub.constants.ENDPOINT', web.address)
    row = shipped_models()[OTHERS[1]]
    found = zoo._web_address(row.mirrors[0])
    assert found.endswith('/timm/starnet_s3.in1k/resolve/main/'
                          'model.safetensors')


def test_what_is_unreadable_and_has_no_hash_leaves_the_cache(monkeypatch, web):
    web.files['/a.pth'] = b'no weights at all'
    row = ModelRow('a', None, f'{web.address}/a.pth')
    put_in_table(monkeypatch, row)
    with pytest.raises(ValueError, match='taken out of the cache: try again'):
        load('a')
    assert zoo.kept_file(row) is None


def test_cache_folder(monkeypatch, tmp_path):
    monkeypatch.delenv('SAIP_MM_CACHE')
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.delenv('XDG_CACHE_HOME', raising=False)
    assert zoo_base.cache_folder() == str(tmp_path / '.cache' / 'saip_mm')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'x'))
    assert zoo_base.cache_folder() == str(tmp_path / 'x' / 'saip_mm')


def test_third_parties_say_source_and_licence():
    for name in OTHERS:
        text = '\n'.join(zoo.describe(zoo.find_model(name)))
        assert 'License' in text and 'Source          https://github' in text
        assert 'Training Data   ImageNet-1K' in text
    assert 'a1311bcf (its first digits)' in '\n'.join(
        zoo.describe(zoo.find_model(OTHERS[0])))
    assert 'no weights of' in zoo.describe(zoo.find_model(NAME))[-1]
