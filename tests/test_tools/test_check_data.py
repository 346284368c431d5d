"""The command line that counts a data set."""
import pytest

from saip_mm.datasets.prepare.data_sets import DATA_SETS, DataSet
from ..test_datasets._images import write_tree
from .tool import run_tool

TOOL = 'check_data.py'


@pytest.mark.parametrize('published, code, said', [
    (2, None, 'verdict: complete'),
    (4_180_243, 1, 'verdict: less than was published; a copy made today'),
])
def test_exit_codes(tmp_path, monkeypatch, capsys, published, code, said):
    root = write_tree(tmp_path, ['a/1.jpg', 'b.jpg'])
    known = DATA_SETS['luperson']
    monkeypatch.setitem(
        DATA_SETS, 'luperson',
        DataSet(known.title, known.root, known.count, dict(pictures=published),
                known.if_less))
    if code is None:
        run_tool(TOOL, 'luperson', '--root', root)
    else:
        with pytest.raises(SystemExit) as end:
            run_tool(TOOL, 'luperson', '--root', root)
        assert end.value.code == code
    printed = capsys.readouterr().out
    assert f'  pictures            2  {published:>11,}' in printed
    assert said in printed


def test_what_cannot_be_used(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        run_tool(TOOL, 'market1501', '--root', tmp_path)
    assert end.value.code == 2
    printed = capsys.readouterr().out
    assert printed.count('error: Market1501: folder') == 3
    assert 'bounding_box_train' in printed
    assert 'verdict: not usable as it is' in printed
