"""Which Python tools/setup_env.sh takes; nothing is installed."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / 'tools' / 'setup_env.sh'


@pytest.fixture
def choose(tmp_path):
    """Run its choice alone, with Pythons that only tell their version."""
    text = SCRIPT.read_text()
    functions = text[text.index('fail()'):text.index('# one number for')]

    def call(versions, **env):
        for name, version in versions.items():
            path = tmp_path / name
            # as the one-liner of the script: 0 if the version is one of three
            path.write_text(
                '#!/bin/sh\n'
                f'[ "$1" = --version ] && echo "Python {version}" && exit\n'
                f'case "$2" in *"({version.replace(".", ", ")})"*) exit 0;; '
                '*) exit 1;; esac\n')
            path.chmod(0o755)
        return subprocess.run([
            '/bin/bash', '-c', f'set -euo pipefail\n{functions}\nfind_python'
        ],
                              env=dict(
                                  PATH=f'{tmp_path}:{tools(tmp_path)}', **env),
                              capture_output=True,
                              text=True)

    return call


def tools(tmp_path):
    """A folder for PATH with what the script calls, and no Python."""
    folder = tmp_path / 'bin'
    if not folder.exists():
        folder.mkdir()
        os.symlink(shutil.which('head'), folder / 'head')
    return folder


@pytest.mark.parametrize(
    'versions, taken',
    [
        (dict(python3='3.11'), 'python3'),
        ({
            'python3': '3.13',
            'python3.10': '3.10'
        }, 'python3.10'),
        ({
            'python3': '3.9',
            'python3.10': '3.10',
            'python3.12': '3.12'
        }, 'python3.12'),
        # pyenv's shim of a version that is not chosen answers with an error
        ({
            'python3': '3.9',
            'python3.11': '3.11',
            'python3.12': 'none'
        }, 'python3.11'),
    ])
def test_newest_of_the_three_is_taken(choose, versions, taken):
    done = choose(versions)
    assert done.stdout.strip() == taken, done.stderr


def test_python_of_the_variable_comes_first(choose, tmp_path):
    pythons = {'python3': '3.9', 'mine': '3.10', 'python3.12': '3.12'}
    done = choose(pythons, PYTHON='mine')
    assert done.stdout.strip() == 'mine'
    done = choose(pythons, PYTHON='python3')
    assert done.returncode == 1
    assert 'PYTHON=python3 is no Python 3.10, 3.11 or 3.12 (Python 3.9)' in (
        done.stderr)


def test_no_python_is_an_error_that_says_which(choose):
    done = choose({'python3.11': 'none'})
    assert done.returncode == 1 and done.stdout == ''
    assert 'needs Python 3.10, 3.11 or 3.12' in done.stderr
