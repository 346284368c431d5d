"""Lists of one's own: tables from any program, JSON, and their mistakes."""
import json

import pytest

from saip_mm.tasks.attributes.list_file import read_list


def written(tmp_path, text, name='list.csv', encoding='utf-8'):
    (tmp_path / name).write_bytes(text.encode(encoding))
    return str(tmp_path / name)


@pytest.mark.parametrize('text, encoding', [
    ('image,hat,bag\na b.jpg,1,0\nc/d.jpg,,1\n', 'utf-8'),
    ('image;hat;bag\r\na b.jpg;1;0\r\nc/d.jpg;-1;1\r\n', 'utf-8-sig'),
    ('image\that\tbag\na b.jpg\t1.0\t0\n\nc/d.jpg\t\t 1\n', 'utf-16'),
    ('"image","hat","bag"\n"a b.jpg","1","0"\nc/d.jpg,"",1', 'utf-8'),
    ('image,hat,bag\ra b.jpg,1,0\rc/d.jpg,,1\r', 'utf-8'),
])
def test_tables(tmp_path, text, encoding):
    table = read_list(written(tmp_path, text, encoding=encoding), 'images')
    assert table.names == ('hat', 'bag') and table.pids is None
    assert table.images == ['images/a b.jpg', 'images/c/d.jpg']
    assert table.labels.tolist() == [[1, 0], [-1, 1]]


def test_json(tmp_path):
    content = dict(
        metainfo=dict(classes=['hat', 'bag']),
        data_list=[
            dict(img_path='a.jpg', gt_label=[1]),
            dict(img_path='b.jpg', gt_label=[]),
            dict(img_path='c.jpg', gt_score=[-1, 1])
        ])
    path = written(tmp_path, json.dumps(content), 'list.json')
    table = read_list(path)
    assert table.images == ['a.jpg', 'b.jpg', 'c.jpg']
    assert table.labels.tolist() == [[0, 1], [0, 0], [-1, 1]]


@pytest.mark.parametrize('text, said', [
    ('', 'lists no pictures with attributes: a table as text'),
    ('image,hat\n', 'lists no pictures'),
    ('a.jpg\nb.jpg\n', 'lists no pictures'),
    ('a.jpg,1,0\nb.jpg,0,1\n', "first line names no columns but has '1'"),
    ('image,hat,hat\na.jpg,1,0\n', "first line, names 'hat' twice"),
    ('image,hat,\na.jpg,1,0\n', "first line, holds '', no name"),
    ('image,hat,bag\na.jpg,1\n', 'line 2 has 2 cells, the first line names 3'),
    ('image,hat\n\n,1\n', 'line 3 has 2 cells, the first empty'),
    ('image,hat\na.jpg,yes\n', "line 2 has 'yes' for an attribute: write 1"),
    ('image,hat\na.jpg,0\nb.jpg,2\n', "'hat' has value 2.0 in row 3"),
    ('image,hat\na.jpg,nan\n', "'hat' has value nan in row 2"),
    ('image,hat\n\n\na.jpg,0\n\nb.jpg,5\n', "'hat' has value 5.0 in row 6"),
    ('image,hat\n"a.jpg,1\n' + 20_000 * 'b.jpg,1\n',
     'field larger than field limit (131072): has a quotation mark its'),
])
def test_mistakes_in_tables(tmp_path, text, said):
    with pytest.raises(ValueError, match='list.csv.*') as error:
        read_list(written(tmp_path, text))
    assert said in str(error.value)


@pytest.mark.parametrize('content, said', [
    ([], 'list indices must be'),
    (dict(metainfo={}), "has no 'classes'"),
    (dict(metainfo=dict(classes=['hat']), data_list=[]), 'is empty'),
    (dict(metainfo=dict(classes=['hat']), data_list=[{}]), "no 'img_path'"),
    (dict(
        metainfo=dict(classes=['hat']),
        data_list=[dict(img_path='a.jpg', gt_label=[1])
                   ]), 'gt_label of a.jpg has 1, attributes are 0 to 0'),
    (dict(
        metainfo=dict(classes=['hat']),
        data_list=[dict(img_path='a.jpg', gt_score=[1, 0])
                   ]), 'gt_score of a.jpg has 2 values for 1'),
    (dict(
        metainfo=dict(classes=['hat']),
        data_list=[dict(img_path='a.jpg', gt_score=[7])]), 'has value 7'),
    *[(dict(
        metainfo=dict(classes=['hat']),
        data_list=[dict(dict(img_path='a.jpg'), **entry)]), said)
      for entry, said in (
          (dict(), 'a.jpg has no list gt_label, but None'),
          (dict(gt_label=0), 'a.jpg has no list gt_label, but 0'),
          (dict(gt_label=[True]), 'gt_label of a.jpg has True'),
          (dict(gt_score='1'), "a.jpg has no list gt_score, but '1'"),
          (dict(gt_score=[[1]]), 'gt_score of a.jpg is [[1]], it must be'),
          (dict(gt_score=['1']), "gt_score of a.jpg is ['1'], it must be"),
          (dict(img_path=3, gt_label=[]), 'img_path 3 must be the path'),
      )],
    (dict(metainfo=dict(classes=3), data_list=[{}]), "has no 'img_path'"),
    (dict(metainfo=dict(classes=3), data_list=[]), 'classes, is 3: name the'),
])
def test_mistakes_in_json(tmp_path, content, said):
    with pytest.raises(ValueError) as error:
        read_list(written(tmp_path, json.dumps(content), 'list.json'))
    assert said in str(error.value) and 'list.json' in str(error.value)


def test_missing_list(tmp_path):
    with pytest.raises(FileNotFoundError, match='0 or 1 for each attribute'):
        read_list(str(tmp_path / 'gone.csv'))
