import pytest

from saip_mm.datasets import labelled_files


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b'x')
    return str(root)


def test_a_suffix_stands_for_its_format(tmp_path):
    names = ['a.jpg', 'b.JPG', 'c.jpeg', 'd.jfif', 'sub/e.Jpeg']
    folder = touch(tmp_path, *names, 'f.png', '._a.jpg', '._f.png', 'Thumbs')
    found = labelled_files.find_files(folder, '.jpg')
    assert found.files == {
        name.rsplit('.')[0]: f'{folder}/{name}'
        for name in names
    }
    assert sorted(found.left_out) == ['._a.jpg', '._f.png', 'Thumbs', 'f.png']
    assert labelled_files.describe_left_out(found.left_out).startswith(
        '4 files (._* 2, without suffix 1, .png 1), first ._a.jpg')
    assert sorted(labelled_files.find_files(
        folder, ('.png', '.jpg')).files) == ['a', 'b', 'c', 'd', 'f', 'sub/e']


def test_two_files_of_one_id(tmp_path):
    folder = touch(tmp_path, 'a.jpg', 'a.JPEG', 'a.png')
    found = labelled_files.find_files(folder, '.jpg')  # as written
    assert found.files == dict(a=f'{folder}/a.jpg')
    assert sorted(found.left_out) == ['a.JPEG', 'a.png']
    with pytest.raises(ValueError, match='a.jpg and a.png: which one is a'):
        labelled_files.find_files(folder, ('.jpg', '.png'))
    with pytest.raises(ValueError, match='which one is a'):
        labelled_files.find_files(
            touch(tmp_path / 'b', 'a.jfif', 'a.jpeg'), '.jpg')


def test_pictures_and_labels_in_one_folder(tmp_path):
    folder = touch(tmp_path, 'a.png', 'a_label.png', 'b.png', 'b_label.PNG')
    assert set(labelled_files.find_files(folder, '.png',
                                         '_label.png').files) == {'a', 'b'}
    assert set(labelled_files.find_files(folder,
                                         '_label.png').files) == {'a', 'b'}


def test_links_in_a_circle_end(tmp_path):
    folder = touch(tmp_path, 'sub/a.jpg')
    (tmp_path / 'sub/back').symlink_to(tmp_path)
    assert set(labelled_files.find_files(folder, '.jpg').files) == {'sub/a'}


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16'])
@pytest.mark.parametrize('end', ['\n', '\r\n'])
def test_lists_of_any_editor(tmp_path, encoding, end):
    path = tmp_path / 'ids.txt'
    lines = ['1_ä', ' 2 2 ', '', '1_ä', '3\t']
    path.write_bytes(end.join(lines).encode(encoding))
    assert labelled_files.read_ids(str(path)) == ([(1, '1_ä'), (2, '2 2'),
                                                   (5, '3')], 1)


@pytest.mark.parametrize('content, error', [
    (b'', r'ids.txt is empty: write one id a line'),
    (b'\n \r\n', 'ids.txt is empty'),
    (b'\xef\xbb\xbf', 'ids.txt is empty'),
    ('1\n'.encode('utf-16-le'), 'holds zero bytes, as UTF-16'),
    ('1\nä\n'.encode('latin-1'), r'is no UTF-8 text .*at byte 2\); save it'),
    (b'1\n2.JPEG\n', r'line 2\): 2.JPEG, but ids carry no extension'),
    (b'1.png', r'line 1\): 1.png, but ids carry no'),
])
def test_lists_that_are_none(tmp_path, content, error):
    (tmp_path / 'ids.txt').write_bytes(content)
    with pytest.raises(ValueError, match=error):
        labelled_files.read_ids(str(tmp_path / 'ids.txt'))
