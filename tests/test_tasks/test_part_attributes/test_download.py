import pytest

from ...test_tools.tool import run_tool
from .fashion_files import changed, write_fashion

pytest.importorskip('mmdet')

from saip_mm.tasks.part_attributes.download import count_download  # noqa: E402

TOOL = 'check_fashionpedia.py'


def counts(root):
    counted = count_download(root)
    return counted, {row.what: row[1:] for row in counted.rows}


def test_counts_beside_the_published(tmp_path):
    counted, found = counts(write_fashion(tmp_path))
    assert found['pictures in train/'] == (3, 45_623)
    assert found['pictures in test/'] == (3, 3_202)
    assert found['val: pictures'] == (3, 1_158)
    assert found['train: garments and parts'] == (6, None)
    assert found['train: of these, with attributes'] == (4, None)
    assert found['train: categories shown'] == (6, 46)
    assert found['train: attributes named'] == (8, 294)
    assert counted.problems == []
    assert '45623' in counted.table()


def test_what_is_missing(tmp_path):
    root = write_fashion(tmp_path, **changed(3, iscrowd=1))
    (tmp_path / 'test/8.jpg').unlink()
    (tmp_path / 'instances_attributes_train2020.json').unlink()
    counted, found = counts(root)
    assert found['val: of these, crowds'] == (1, None)
    assert 'train: pictures' not in found
    first, second = counted.problems
    assert 'instances_attributes_train2020.json' in first
    assert second == ('1 of 3 pictures of instances_attributes_val2020.json '
                      'are not in test/, first 8.jpg')


def test_tool(tmp_path, capsys):
    root = write_fashion(tmp_path / 'whole', **changed(2, attribute_ids=[1]))
    run_tool(TOOL, root)
    printed = capsys.readouterr().out
    assert '45623' in printed and 'fashionpedia.github.io' in printed
    assert 'have attributes although their categories have none' in printed
    with pytest.raises(SystemExit, match="error: '.*none' is no folder"):
        run_tool(TOOL, tmp_path / 'none')
    (tmp_path / 'whole/train/7.jpg').unlink()
    with pytest.raises(SystemExit, match='error: 1 problems: 1 of 3 pictures'):
        run_tool(TOOL, root)
