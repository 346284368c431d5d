from pathlib import Path

import pytest
import yaml

from saip_mm.weights import shipped
from saip_mm.weights.model_index import (parse_metafile, parse_yaml,
                                         read_models, shipped_models,
                                         shipped_root)

ROOT = Path(__file__).parents[2]


def said(key, value):
    return dict(Metadata={key: value})


def parse(**fields):
    return parse_metafile(dict(Models=[dict(fields)]), 'm.yml')['a']


def test_every_model_of_every_metafile_is_there():
    names = [
        model['Name'] for path in ROOT.glob('configs/*/metafile.yml')
        for model in yaml.safe_load(path.read_text())['Models']
    ]
    assert sorted(shipped_models()) == sorted(names)
    for row in shipped_models().values():
        assert Path(row.config).is_file()
        assert row.name == row.name.lower()  # mmpretrain looks them up so


def test_an_installed_package_has_its_table_inside(tmp_path, monkeypatch):
    inside, clone = tmp_path / '.mim', tmp_path / 'clone'
    monkeypatch.setattr(shipped, 'PLACES', (str(inside), str(clone)))
    assert shipped_root() is None
    for folder in (clone, inside):
        folder.mkdir()
        (folder / 'model-index.yml').write_text('Import: []')
        assert shipped_root() == str(folder)


def test_a_row():
    row = parse(
        Name='a',
        Weights='https://x.org/a_20261128-0123abcd.pth?key=1',
        Metadata={
            'SHA-256': '0123ABCD4567',
            'Bytes': 7
        },
        Mirrors='https://y.org/a.pth')
    assert (row.sha256, row.size) == ('0123ABCD4567', 7)
    assert row.mirrors == ('https://y.org/a.pth', )
    assert row.config is row.backbone is None


def test_a_name_with_a_hash_says_it():
    assert parse(Name='a', Weights='a_1-0123abcd.pth').sha256 == '0123abcd'
    assert parse(Name='a', Weights='a-0123abcg.pth').sha256 is None
    assert parse(Name='a').sha256 is parse(Name='a').weights is None


@pytest.mark.parametrize('fields, message', [
    (said('SHA-256',
          12345678), "SHA-256 of a is 12345678: 8 to 64 .* in quotes"),
    (said('SHA-256', float('inf')), 'SHA-256 of a is inf'),
    (said('SHA-256', '0123'), "SHA-256 of a is '0123'"),
    (said('SHA-256', 'x' * 64), 'SHA-256 of a is'),
    (said('Bytes', '7 MB'), "Bytes of a is '7 MB', no number"),
    (dict(Weights=['a.pth']), 'Weights of a is .*, no file or URL'),
    (dict(Mirrors=[3]), r'Mirrors of a is \[3\], no file or URL'),
    (dict(Mirrors=3), 'Mirrors of a is 3, no file or URL'),
    (dict(Config=['a.py']), r"Config of a is \['a.py'\], no file"),
    (dict(Metadata=['Epochs']), r"Metadata of a is \['Epochs'\], no table"),
    (dict(Name=None), "m.yml: a model has no 'Name'"),
    (dict(Name='../a'), "m.yml: '../a' is no model name"),
])
def test_rows_out_of_form(fields, message):
    with pytest.raises(ValueError, match=message):
        parse(**{'Name': 'a', **fields})


@pytest.mark.parametrize('content', [None, [], dict(Models=3), 'text'])
def test_no_metafile(content):
    with pytest.raises(ValueError, match="m.yml is no metafile: no list"):
        parse_metafile(content, 'm.yml')


def test_no_text(tmp_path):
    (tmp_path / 'm.yml').write_bytes(b'Models: \xff')
    with pytest.raises(ValueError, match='m.yml is no text in UTF-8'):
        read_models(str(tmp_path / 'm.yml'))


def test_no_yaml():
    with pytest.raises(ValueError, match='m.yml is no YAML'):
        parse_yaml('a: [', 'm.yml')
