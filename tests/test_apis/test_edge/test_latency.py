import pytest
import torch
from torch import nn

pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')

from saip_mm.apis.edge import latency  # noqa: E402
from saip_mm.apis.edge.latency import benchmark_latency  # noqa: E402
from saip_mm.apis.edge.latency import flops_of  # noqa: E402
from saip_mm.apis.edge.latency import params_of  # noqa: E402
from saip_mm.apis.edge.latency import torch_threads  # noqa: E402
from saip_mm.apis.edge.parts import Part  # noqa: E402
from saip_mm.models.ops.fused_attention import fused_attention  # noqa: E402
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


class Attention(nn.Module):
    """Of a picture's pixels to each other, in one head."""

    def forward(self, images):
        tokens = images.flatten(2).transpose(1, 2)[:, None]
        return fused_attention(tokens, tokens, tokens)


def test_attention_is_counted_as_its_two_products():
    """torch's counter knows no fused attention of a CPU."""
    part = Part('', Attention(), dict(images=torch.ones(2, 8, 6, 4)), {}, '')
    tokens = 6 * 4
    assert flops_of(part) == pytest.approx(2 * 2 * tokens**2 * 8 / 1e9)


def test_a_runtime_rests_and_wakes_before_it_is_measured(monkeypatch):
    told, clock = [], iter(range(100))
    monkeypatch.setattr(latency.time, 'sleep',
                        lambda seconds: told.append(f'{seconds} s'))
    monkeypatch.setattr(latency.time, 'perf_counter', lambda: next(clock))
    assert latency._round(lambda: told.append('run'), 2) == [1, 1]
    assert told == ['0.1 s', 'run', 'run', 'run']


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
    monkeypatch.setattr(latency, 'REST', 0)
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
