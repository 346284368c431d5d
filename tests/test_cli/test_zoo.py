import argparse
import hashlib

import pytest

from saip_mm.cli import zoo as command
from saip_mm.weights.model_index import shipped_models

NAME = 'saip_vit-tiny_8xb256-amp-coslr-300e_lup1m'
DEIT = 'vit-tiny_3rdparty-deit_in1k'


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    (tmp_path / 'zoo').mkdir()
    monkeypatch.setenv('SAIP_MM_CACHE', str(tmp_path / 'cache'))
    monkeypatch.setenv('SAIP_MM_ZOO', str(tmp_path / 'zoo'))


@pytest.fixture
def say(capsys):
    """Run the command, give what it prints."""

    def run(*arguments):
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        command.run(parser.parse_args(arguments))
        return capsys.readouterr().out

    return run


@pytest.fixture
def published(tmp_path):
    digest = hashlib.sha256(b'weights').hexdigest()[:8]
    path = tmp_path / 'zoo' / f'{NAME}_20261128-{digest}.pth'
    path.write_bytes(b'weights')
    return path


def test_list(say, published):
    lines = say('list').splitlines()
    assert [line[15:] for line in lines] == sorted(shipped_models())
    assert {line[:15].strip()
            for line in lines} == {'here', 'published', 'not published'}
    assert say('list', '*vit-tiny_8xb256-amp*').startswith('not published')
    assert say('list', NAME) == f'here           {NAME}\n'
    own = say('list', '--published').splitlines()
    assert len(own) == 4 and any(DEIT in line for line in own)


def test_show(say, published):
    text = say('show', NAME)
    assert f'Here            {published}' in text
    assert 'Parameters      5511360' in text
    assert 'SHA-256         a1311bcf (its first' in say('show', DEIT)
    published.unlink()
    assert 'Train it: python' in say('show', NAME)


def test_fetch_prints_the_path(say, published):
    assert say('fetch', NAME) == f'{published}\n'


@pytest.mark.parametrize('arguments', [[], ['fetch'], ['show', 'a', 'b']])
def test_usage(say, arguments):
    with pytest.raises(SystemExit, match='2'):
        say(*arguments)


def test_names_are_checked(say):
    with pytest.raises(ValueError, match="no model 'saip' in the zoo"):
        say('fetch', 'saip')
