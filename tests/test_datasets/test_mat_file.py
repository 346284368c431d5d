import numpy as np
import pytest

from saip_mm.datasets.mat_file import cells, read_mat, write_mat


def saved(tmp_path, data, name='a.mat'):
    (tmp_path / name).write_bytes(data)
    return str(tmp_path / name)


CONTENT = dict(
    names=['a', 'Skirt&Dress', 'b c'],
    labels=np.eye(3, dtype=np.uint8),
    one=dict(deep=[dict(rows=np.array([[1], [2]], np.uint16))]))


def test_comes_back(tmp_path):
    content = read_mat(
        saved(tmp_path, write_mat(CONTENT)), ['names', 'labels', 'one'])
    assert cells(content['names'], 'f', 'names') == CONTENT['names']
    assert (content['labels'] == np.eye(3)).all()
    deep, = cells(content['one']['deep'][0, 0], 'f', 'deep')
    assert deep.ravel()[0]['rows'].ravel().tolist() == [1, 2]


def test_one_name_is_a_list_of_one(tmp_path):
    path = saved(tmp_path, write_mat(dict(names=['alone'])))
    assert cells(read_mat(path, ['names'])['names'], path,
                 'names') == ['alone']


def test_the_same_content_is_the_same_bytes():
    data = write_mat(CONTENT)
    assert data == write_mat(CONTENT) and b'20' not in data[:116]
    assert data.startswith(b'MATLAB 5.0 MAT-file')


@pytest.mark.parametrize('data, said', [
    (b'MATLAB 7.3 MAT-file, Platform', 'v7.3 file, which is HDF5: .* -v7'),
    (b'\x89HDF\r\n\x1a\n' + bytes(64), 'v7.3 file'),
    (b'', 'cannot be read as a MATLAB file'),
    (b'not of MATLAB' * 40, 'cannot be read as a MATLAB file'),
    (write_mat(CONTENT)[:200], 'cannot be read as a MATLAB file'),
])
def test_other_files(tmp_path, data, said):
    with pytest.raises(ValueError, match=f'a.mat.*{said}'):
        read_mat(saved(tmp_path, data), ['names'])


def test_what_is_missing_is_named(tmp_path):
    path = saved(tmp_path, write_mat(CONTENT))
    with pytest.raises(
            ValueError,
            match=r"a.mat: key 'other' not found "
            r'\(found: labels, names, one\)'):
        read_mat(path, ['names', 'other'])
    with pytest.raises(FileNotFoundError, match='gone.mat.*: look there'):
        read_mat(str(tmp_path / 'gone.mat'), [], 'look there')
    with pytest.raises(
            ValueError,
            match="f: 'labels' is no list of cells, "
            r'but uint8 of \(3, 3\)'):
        cells(CONTENT['labels'], 'f', 'labels')
