import csv
import io

import pytest
import torch
from torch import nn

pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')

from saip_mm.apis.edge import latency  # noqa: E402
from saip_mm.apis.edge.latency import Latency  # noqa: E402
from saip_mm.apis.edge.latency import benchmark_latency  # noqa: E402
from saip_mm.apis.edge.latency import cpu_name  # noqa: E402
from saip_mm.apis.edge.latency import flops_of  # noqa: E402
from saip_mm.apis.edge.latency import latency_csv  # noqa: E402
from saip_mm.apis.edge.latency import latency_markdown  # noqa: E402
from saip_mm.apis.edge.latency import machine_line  # noqa: E402
from saip_mm.apis.edge.latency import params_of  # noqa: E402
from saip_mm.apis.edge.latency import torch_threads  # noqa: E402
from saip_mm.apis.edge.latency import write_latency  # noqa: E402
from saip_mm.apis.edge.networks import Part  # noqa: E402
from ...test_models.tiny_saip import STARNET  # noqa: E402


class Network(nn.Module):
    """A convolution, and a layer that nothing reads."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.unused = nn.Linear(100, 100)

    def forward(self, images):
        return self.conv(images)


@pytest.fixture
def part():
    return Part('', Network(), dict(images=torch.ones(2, 3, 6, 4)), {}, '')


def test_parameters_that_an_output_depends_on(part):
    assert params_of(part) == pytest.approx((3 * 9 * 8 + 8) / 1e6)
    assert not any(p.requires_grad for p in part.network.parameters())


def test_a_multiply_add_is_two_operations_of_one_picture(part):
    assert flops_of(part) == pytest.approx(2 * 3 * 9 * 8 * 6 * 4 / 1e9)


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
    assert torch.__version__.split('+')[0] in machine_line()
    with pytest.raises(ValueError, match='end it in .csv'):
        write_latency(ROWS, str(tmp_path / 'a.txt'))


def test_threads_are_given_back():
    before = torch.get_num_threads()
    with pytest.raises(KeyError), torch_threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise KeyError
    assert torch.get_num_threads() == before


def test_numbers_must_be_positive():
    for wrong in (dict(batches=[0]), dict(threads=[]), dict(repeats=0)):
        with pytest.raises(ValueError, match='must be 1 or more'):
            benchmark_latency([], **wrong)


@pytest.mark.slow
def test_runtimes_take_turns(tmp_path, monkeypatch):
    monkeypatch.setattr(latency, 'WARM_UP', 1)
    config = tmp_path / 'mine.py'
    config.write_text(f'backbone = {STARNET!r}')
    rows = benchmark_latency([str(config)],
                             size=(64, 32),
                             batches=[1, 2],
                             threads=[1],
                             repeats=2,
                             int8=True)
    assert [(r.runtime, r.batch) for r in rows
            ] == [(runtime, batch) for batch in (1, 2)
                  for runtime in ('torch', 'onnxruntime', 'onnxruntime int8')]
    assert all(0 < r.median <= r.p90 for r in rows)
    assert rows[0].network == 'mine' and rows[0].size == '64x32'
