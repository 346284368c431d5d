import os.path as osp
import runpy
import sys

import cv2
import pytest

from saip_mm.synthetic import contact_sheet
from saip_mm.synthetic.writers import luperson

ROOT = osp.abspath(osp.join(osp.dirname(__file__), *[osp.pardir] * 2))
TOOL = osp.join(ROOT, 'tools/dataset_converters/make_synthetic_people.py')


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, 'argv', [TOOL, *(str(a) for a in arguments)])
    runpy.run_path(TOOL, run_name='__main__')


def test_tool_writes_skips_and_previews(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(luperson.CROPS, 'tiny', 3)
    monkeypatch.setattr(contact_sheet.contact_sheet, '__defaults__',
                        (0, 1, 2, 64))
    sheet = tmp_path / 'sheet.png'
    command = (tmp_path / 'out', '--formats', 'luperson')
    run(monkeypatch, *command, '--preview', sheet)
    assert 'luperson: written, 3 pictures' in capsys.readouterr().out
    assert cv2.imread(str(sheet)).shape[2] == 3
    run(monkeypatch, *command)
    assert 'luperson: already complete' in capsys.readouterr().out
    with pytest.raises(SystemExit, match='error: .*remove it'):
        run(monkeypatch, *command, '--seed', 1)


def test_preview_of_unknown_type_is_refused(tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match='name it .png or .jpg'):
        run(monkeypatch, tmp_path / 'out', '--preview', tmp_path / 'a.txt')
    assert not (tmp_path / 'out').exists()
