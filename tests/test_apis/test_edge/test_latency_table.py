import csv
import io

import pytest
import torch

pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')

from saip_mm.apis.edge.latency import Latency  # noqa: E402
from saip_mm.apis.edge.latency_table import check_table  # noqa: E402
from saip_mm.apis.edge.latency_table import cpu_name  # noqa: E402
from saip_mm.apis.edge.latency_table import latency_csv  # noqa: E402
from saip_mm.apis.edge.latency_table import latency_markdown  # noqa: E402
from saip_mm.apis.edge.latency_table import machine_line  # noqa: E402
from saip_mm.apis.edge.latency_table import write_latency  # noqa: E402

ROWS = [
    Latency('a', '8x4', 1.234567, 0.5, 'torch', 1, 2, 3.456, 4.567),
    Latency('a', '8x4', 1.234567, 0.5, 'onnxruntime', 1, 2, 1., 2.),
    Latency('a', '8x4', 1.234567, 0.5, 'torch', 8, 2, 30., 40.),
]


def test_tables():
    rows = list(csv.DictReader(io.StringIO(latency_csv(ROWS))))
    assert rows[0]['params'] == '1.235' and rows[1]['median'] == '1'
    lines = latency_markdown(ROWS).splitlines()
    assert lines[0].endswith('| torch, ms | onnxruntime, ms |')
    assert lines[2] == ('| a | 8x4 | 1.23 | 0.50 | 1 | 2 | 3.5 (4.6) | '
                        '1.0 (2.0) |')
    assert lines[3].endswith('| 8 | 2 | 30.0 (40.0) |  |')


def test_written_tables_name_the_machine(tmp_path):
    files = write_latency(ROWS, str(tmp_path / 'a.csv'))
    assert files == [str(tmp_path / 'a.csv'), str(tmp_path / 'a.md')]
    assert cpu_name() in (tmp_path / 'a.md').read_text()
    assert torch.__version__ in machine_line()


def test_tables_that_cannot_be_written_are_told_before(tmp_path):
    check_table(str(tmp_path / 'a.csv'))
    with pytest.raises(ValueError, match='end it in .csv'):
        check_table(str(tmp_path / 'a.txt'))
    (tmp_path / 'file').write_text('')
    with pytest.raises(OSError, match='cannot be a folder'):
        check_table(str(tmp_path / 'file' / 'a.csv'))
