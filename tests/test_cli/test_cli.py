"""``saip-mm`` itself: its commands, its errors."""
import importlib
import inspect
import sys
from types import ModuleType

import pytest

from saip_mm import cli
from saip_mm.cli import COMMANDS, main
from saip_mm.version import __version__
from saip_mm.weights import CheckpointError


@pytest.fixture
def command(monkeypatch):
    """A command ``fail`` whose ``run`` raises what a test puts there."""
    module = ModuleType('made_up_command', 'Fails.')
    module.HELP = 'fail'
    module.add_arguments = lambda parser: parser.add_argument('--word')

    def run(args):
        raise module.error

    module.run = run
    monkeypatch.setitem(sys.modules, 'made_up_command', module)
    monkeypatch.setitem(COMMANDS, 'fail', 'made_up_command')
    return module


@pytest.mark.parametrize('name', COMMANDS)
def test_a_command_is_three_names(name):
    module = importlib.import_module(COMMANDS[name])
    assert isinstance(module.HELP, str) and module.__doc__
    assert list(inspect.signature(
        module.add_arguments).parameters) == ['parser']
    assert list(inspect.signature(module.run).parameters) == ['args']


@pytest.mark.parametrize('name', COMMANDS)
def test_each_command_explains_itself(name, capsys):
    with pytest.raises(SystemExit) as end:
        main([name, '--help'])
    assert end.value.code == 0
    assert f'usage: saip-mm {name}' in capsys.readouterr().out


def test_the_list_of_commands(capsys):
    with pytest.raises(SystemExit) as end:
        main(['--help'])
    assert end.value.code == 0
    printed = capsys.readouterr().out
    for name in COMMANDS:
        assert f'\n    {name} ' in printed


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(['--version'])
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize('argv', [[], ['sing']])
def test_no_command_and_an_unknown_one(argv, capsys):
    with pytest.raises(SystemExit) as end:
        main(argv)
    assert end.value.code == 2
    assert 'COMMAND' in capsys.readouterr().err


def test_only_the_command_asked_for_is_imported(command, monkeypatch):
    monkeypatch.setitem(COMMANDS, 'broken', 'no_such_module')
    command.error = ValueError('enough')
    with pytest.raises(SystemExit, match='error: enough'):
        main(['fail', '--word', 'broken'])


@pytest.mark.parametrize('error', [
    ValueError('one\ntwo'),
    FileNotFoundError('one two'),
    CheckpointError('one  two')
])
def test_errors_of_users_are_a_line(command, error):
    command.error = error
    with pytest.raises(SystemExit) as end:
        main(['fail'])
    assert end.value.code == 'error: one two'
    with pytest.raises(type(error)):
        main(['--traceback', 'fail'])


def test_faults_of_the_program_keep_their_traceback(command):
    command.error = AttributeError('x')
    with pytest.raises(AttributeError):
        main(['fail'])


def test_it_is_a_module_too(monkeypatch):
    monkeypatch.setattr(cli, 'main', lambda: 1)
    module = importlib.import_module('saip_mm.__main__')
    assert callable(module.main)
