import os

import pytest

from saip_mm.datasets.prepare.output import check_folder, check_writable


@pytest.fixture
def locked(tmp_path, monkeypatch):
    """A folder which nobody may write to, not even root."""
    (tmp_path / 'locked').mkdir()
    access = os.access

    def refuse(path, mode):
        named = str(path).endswith('locked')
        return not (named and mode & os.W_OK) and access(path, mode)

    monkeypatch.setattr(os, 'access', refuse)
    return tmp_path / 'locked'


def test_folders_are_made(tmp_path):
    check_folder(str(tmp_path / 'a' / 'b'))
    check_folder(str(tmp_path / 'a' / 'b'))
    assert (tmp_path / 'a' / 'b').is_dir()
    check_writable(str(tmp_path / 'c' / 'file.txt'))
    assert list((tmp_path / 'c').iterdir()) == []


def test_a_file_in_the_place_of_a_folder(tmp_path):
    (tmp_path / 'file').write_text('mine')
    for path in ('file', 'file/inner'):
        with pytest.raises(
                NotADirectoryError, match=f"{path}' cannot be a folder: a"):
            check_folder(str(tmp_path / path))
    with pytest.raises(NotADirectoryError, match="file' cannot be a folder"):
        check_writable(str(tmp_path / 'file' / 'l.txt'))
    assert (tmp_path / 'file').read_text() == 'mine'


def test_a_folder_in_the_place_of_a_file(tmp_path):
    with pytest.raises(IsADirectoryError, match='give its name as well'):
        check_writable(str(tmp_path))
    (tmp_path / 'old.txt').write_text('old')
    check_writable(str(tmp_path / 'old.txt'))


def test_rights_that_are_missing(locked):
    with pytest.raises(PermissionError, match="locked' cannot be written to"):
        check_folder(str(locked))
    with pytest.raises(PermissionError, match='change its rights'):
        check_writable(str(locked / 'l.txt'))


def test_folders_that_cannot_be_made(tmp_path):
    with pytest.raises(OSError, match='cannot make the folder .*too long'):
        check_folder(str(tmp_path / ('x' * 300)))


def test_where_the_home_is(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    check_writable('~/lists/l.txt')
    assert (tmp_path / 'lists').is_dir()
    monkeypatch.chdir(tmp_path)
    check_writable('l.txt')
