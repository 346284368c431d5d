import json

import pytest

from saip_mm.tasks.text_reid.caption_file import read_captions

GOOD = dict(split='train', captions=['a', 'b'], file_path='a/1.png', id=3)


def write(tmp_path, content):
    path = tmp_path / 'reid_raw.json'
    path.write_text(json.dumps(content), encoding='utf-8')
    return str(path)


def test_records(tmp_path):
    rows = [
        GOOD,
        dict(GOOD, split='TEST', processed_tokens=[['a']]),
        dict(split='val', captions=[], img_path='b.jpg', id=0)
    ]
    one, two, three = read_captions(write(tmp_path, rows))
    assert one == (0, 'train', 'a/1.png', 3, ('a', 'b'))
    assert (two.number, two.split) == (1, 'test')
    assert three == (2, 'val', 'b.jpg', 0, ())


def test_a_caption_without_its_list(tmp_path, log):
    rows = [dict(GOOD, captions='a man'), GOOD, dict(GOOD, captions='a dog')]
    records = read_captions(write(tmp_path, rows))
    assert records[0].captions == ('a man', )
    assert log.text.count('captions of 2 records are a string') == 1


@pytest.mark.parametrize('content, said', [
    ({}, 'must be a JSON list .* it holds nothing'),
    ({
        'a': 1
    }, 'must be a JSON list .* a dict'),
    ([GOOD, 3], 'record 1 is a int, no dict'),
    *[([GOOD, {
        k: v
        for k, v in GOOD.items() if k != key
    }], f"reid_raw.json record 1: key '{key}' is missing") for key in GOOD],
    ([dict(GOOD, split='dev')
      ], r"record 0: split 'dev' \(expected train, val, test\)"),
    ([dict(GOOD, id='3')], "record 0: id '3' must be a whole number"),
    ([dict(GOOD, id=-1)], 'record 0: id -1 must be a whole number'),
    ([dict(GOOD, captions=[3])], 'record 0: captions must be a list of sent'),
    ([dict(GOOD, captions=None)], 'record 0: captions must be a list of sent'),
    ([dict(GOOD, file_path='')], "record 0: file_path '' must be the path"),
])
def test_wrong_records_are_named(tmp_path, content, said):
    with pytest.raises(ValueError, match=said):
        read_captions(write(tmp_path, content))


def test_no_json(tmp_path):
    path = tmp_path / 'cut.json'
    path.write_text('[{"split": "tr')
    with pytest.raises(ValueError, match='cut.json. is no JSON, or cut short'):
        read_captions(str(path))
