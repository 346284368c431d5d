import json
import pickle

import pytest

from saip_mm.datasets import key_list, key_table
from saip_mm.datasets.key_list import read_keys
from saip_mm.datasets.text_files import read_json

KEYS = ['b/2.jpg', 'a/x y.jpg', 'é.jpg']


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(key_list, 'print_log',
                        lambda text, **kwargs: lines.append(text))
    return lines


@pytest.mark.parametrize('encoding', [
    'utf-8', 'utf-8-sig', 'utf-16', 'utf-32', 'utf-16-le+', 'utf-16-be+'])  # yapf: disable  # noqa: E501
@pytest.mark.parametrize('newline', ['\n', '\r\n'])
def test_text_of_any_editor(tmp_path, encoding, newline):
    path = tmp_path / 'l.txt'
    text = newline.join(KEYS) + newline
    if encoding.endswith('+'):
        encoding, text = encoding[:-1], '\ufeff' + text
    path.write_bytes(text.encode(encoding))
    assert list(read_keys(str(path))) == KEYS


@pytest.mark.parametrize('name,data,message', [
    ('l.txt', 'a.jpg\n'.encode('utf-16-le'), 'null bytes.*UTF-16.*UTF-8'),
    ('l.txt', b'\xff\xfea', 'no UTF-16 text'),
    ('l.txt', b'', 'names no image'),
    ('l.txt', b'\xef\xbb\xbf\n\n', 'names no image'),
    ('l.txt', b'._a.jpg\n', 'names no image'),
    ('l.csv', b'a', 'none of .txt, .pkl, .json'),
    ('l.json', b'', 'is empty'),
    ('l.json', b'{"data_list": [', 'no JSON'),
    ('l.json', b'[' * 100_000, 'no JSON'),
    ('l.json', b'\xe9', 'no UTF-8 text.*at byte 0.*save it as UTF-8'),
    ('l.json', b'[]', "no 'data_list'.*expected"),
    ('l.json', b'{"images": []}', "no 'data_list'"),
    ('l.json', b'{"data_list": 3}', "no 'data_list'"),
    ('l.json', b'{"data_list": []}', 'names no image'),
    ('l.json', b'{"data_list": [{"img_path": "a"}, {"path": "b"}]}',
     "entry 1 of data_list has no 'img_path'"),
    ('l.json', b'{"data_list": ["a"]}', "entry 0 .* no 'img_path'"),
    ('l.json', b'{"data_list": [{"img_path": null}]}', 'entry 0 is None'),
    ('l.pkl', [1, 2], 'entry 0 is 1; .*a str'),
    ('l.pkl', ['a', ('b', 0)], r"entry 1 is \('b', 0\); .*a str"),
    ('l.pkl', ['a', ''], 'entry 1 is ..;'),
    ('l.pkl', ['a\0b'], r'entry 0 is .a\\x00b.;.*null'),
    ('l.pkl', 7, 'holds a int, not a list'),
    ('l.pkl', 'abc', 'holds a str, not a list'),
    ('l.pkl', None, 'holds a NoneType'),
    ('l.pkl', dict(names=['a']), r"without 'keys' \(it has \['names'\]\)"),
    ('l.pkl', dict(keys=None), 'holds a NoneType'),
    ('l.pkl', [], 'names no image'),
])
def test_wrong_lists_are_named(tmp_path, name, data, message):
    path = tmp_path / name
    if name.endswith('.pkl'):
        data = pickle.dumps(data)
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message) as error:
        read_keys(str(path))
    assert str(path) in str(error.value)


def test_bytes_that_are_no_utf_8_stay(tmp_path):
    path = tmp_path / 'l.pkl'
    path.write_bytes(pickle.dumps([b'\xff.jpg', 'a']))
    key = read_keys(str(path))[0]
    assert key.encode('utf-8', 'surrogateescape') == b'\xff.jpg'


def test_a_macs_files_are_left_out_with_one_line(tmp_path, said, monkeypatch):
    names = ['a.jpg', '._a.jpg', 'd/._b.jpg', 'd/b._c.jpg', 'd\\._e.jpg', '._']
    (tmp_path / 'l.txt').write_text('\n'.join(names))
    (tmp_path / 'l.pkl').write_bytes(pickle.dumps(names))
    for step in (1 << 26, 3):  # parts of the text, and keys on their borders
        monkeypatch.setattr(key_table, 'STEP', step)
        for name in ('l.txt', 'l.pkl'):
            del said[:]
            path = str(tmp_path / name)
            assert list(read_keys(path)) == ['a.jpg', 'd/b._c.jpg']
            assert len(said) == 1 and f"'{path}': 4 of 6 names" in said[0]


def test_json_of_any_editor(tmp_path):
    path = tmp_path / 'a.json'
    for encoding in ('utf-8', 'utf-8-sig', 'utf-16'):
        path.write_text(json.dumps(['ü'], ensure_ascii=False), encoding)
        assert read_json(str(path)) == ['ü']
