import codecs

import pytest

from saip_mm.datasets.text_files import read_json, read_text


@pytest.mark.parametrize('encoding', [
    'utf-8', 'utf-8-sig', 'utf-16', 'utf-32', 'utf-16-le', 'utf-16-be',
    'utf-32-le', 'utf-32-be'
])
def test_marks_tell_the_encoding(tmp_path, encoding):
    path = tmp_path / 'a.json'
    mark = dict([('utf-16-le', codecs.BOM_UTF16_LE),
                 ('utf-16-be', codecs.BOM_UTF16_BE),
                 ('utf-32-le', codecs.BOM_UTF32_LE),
                 ('utf-32-be', codecs.BOM_UTF32_BE)]).get(encoding, b'')
    path.write_bytes(mark + '["ä"]'.encode(encoding))
    assert read_text(str(path)) == '["ä"]'
    assert read_json(str(path)) == ['ä']


@pytest.mark.parametrize('content, error', [
    (b'', "a.json' is empty"),
    (b'[1', "a.json' is no JSON, or cut short: .*line 1"),
    (b'["\xff"]', "a.json' is no UTF-8 text .*at byte 2.*save it as UTF-8"),
    ('[1]'.encode('utf-16-le'), "a.json' holds zero bytes"),
    (codecs.BOM_UTF16_LE + b'[', "a.json' is no UTF-16 text"),
    (b'[' * 100_000, "a.json' is no JSON"),
])
def test_what_is_no_json_is_named(tmp_path, content, error):
    (tmp_path / 'a.json').write_bytes(content)
    with pytest.raises(ValueError, match=error):
        read_json(str(tmp_path / 'a.json'))


def test_a_missing_file_is_named_with_the_hint(tmp_path):
    with pytest.raises(FileNotFoundError, match="b' does not exist: make it"):
        read_text(str(tmp_path / 'b'), 'make it')
    with pytest.raises(FileNotFoundError, match="b' does not exist$"):
        read_json(str(tmp_path / 'b'))
