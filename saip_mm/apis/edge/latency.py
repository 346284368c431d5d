"""What networks cost on this machine's CPU: torch and onnxruntime by turns."""
import time
from contextlib import contextmanager
from typing import (Callable, Dict, Iterator, List, NamedTuple, Optional,
                    Sequence)

import numpy as np
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from saip_mm.weights.onnx_file import check_installed, open_onnx, trace_onnx
from saip_mm.weights.onnx_int8 import quantize_static
from .networks import parts_of
from .parts import Part
from .source import Source, load_source

WARM_UP = 3
ROUND = 5  # runs of a runtime in a row
REST = 0.1  # seconds between runtimes, see _round


class Latency(NamedTuple):
    """A row of the table.

    Attributes:
        network (str): Name of config or file, and which part of a network
            that is several files.
        size (str): Height and width of the input.
        params (float): Parameters, in millions.
        flops (float): Of one picture, in billions; a multiply-add is two.
        runtime (str): 'torch', 'onnxruntime' or 'onnxruntime int8'.
        batch, threads (int): As measured.
        median, p90 (float): Milliseconds a batch.
    """
    network: str
    size: str
    params: float
    flops: float
    runtime: str
    batch: int
    threads: int
    median: float
    p90: float


def benchmark_latency(whats: Sequence[str],
                      size: Optional[Sequence[int]] = None,
                      batches: Sequence[int] = (1, 8),
                      threads: Sequence[int] = (1, 2),
                      repeats: int = 30,
                      int8: bool = False,
                      options: Optional[dict] = None) -> List[Latency]:
    """Measure networks as they would be exported.

    Of a detector what is measured is the first file, up to proposals; of
    search by text the picture's half. The runtimes take turns, five runs
    each: what else this machine does hits all.

    Args:
        whats (Sequence[str]): Configs or files, as
            :func:`~.export.export_onnx` takes them. Latency is the same at
            the random start.
        size (Sequence[int], optional): Of all inputs. Defaults to None:
            each its own.
        batches (Sequence[int]): Pictures at a time. Defaults to (1, 8).
        threads (Sequence[int]): Defaults to (1, 2).
        repeats (int): Runs of each, after three to warm up and, in each
            turn, one more. Defaults to 30.
        int8 (bool): Also the statically quantized network. Defaults to
            False.
        options (dict, optional): Changes to configs.

    Raises:
        FileNotFoundError: If there is no such config or file.
        ImportError: If onnx, onnxscript or onnxruntime are not installed.
        ValueError: If a number is not above 0, or a network cannot be
            exported.
    """
    check_installed()
    for name, values in dict(
            batches=batches, threads=threads, repeats=[repeats]).items():
        if not values or min(values) < 1:
            raise ValueError(f'{name} must be 1 or more, got {values}')
    return [
        row for what in whats for row in _rows(
            load_source(what, size=size, options=options), batches, threads,
            repeats, int8)
    ]


def _rows(source: Source, batches: Sequence[int], threads: Sequence[int],
          repeats: int, int8: bool) -> Iterator[Latency]:
    part, *others = parts_of(source.model, source.size)
    name = source.name
    if others:
        name += f', {part.suffix or "first file"}'
    head = (name, '{}x{}'.format(*source.size), params_of(part),
            flops_of(part))
    contents = {
        'onnxruntime': trace_onnx(part.network, part.inputs, part.outputs)
    }
    if int8:
        noise = {k: v.numpy() for k, v in part.inputs.items()}
        contents['onnxruntime int8'] = quantize_static(contents['onnxruntime'],
                                                       [noise])
    for count in threads:
        for batch in batches:
            times = _times(part, contents, batch, count, repeats)
            for runtime, values in times.items():
                yield Latency(*head, runtime, batch, count,
                              1000 * float(np.median(values)),
                              1000 * float(np.quantile(values, 0.9)))


def params_of(part: Part) -> float:
    """Parameters that the part's program uses, in millions.

    What a part leaves out (classifiers for training, auxiliary heads) does
    not count: those that no output depends on.
    """
    for parameter in part.network.parameters():
        parameter.requires_grad_(parameter.is_floating_point())
    found = part.network(*(x[:1] for x in part.inputs.values()))
    found = (found, ) if isinstance(found, torch.Tensor) else found
    parameters = list(part.network.parameters())
    gradients = torch.autograd.grad(
        sum(output.float().sum() for output in found),
        parameters,
        allow_unused=True)
    for parameter in parameters:
        parameter.requires_grad_(False)
    return sum(p.numel()
               for p, g in zip(parameters, gradients) if g is not None) / 1e6


def flops_of(part: Part) -> float:
    """Of one row of its inputs, see :func:`count_flops`."""
    return count_flops(part.network, *(x[:1] for x in part.inputs.values()))


def count_flops(network: nn.Module, *inputs: torch.Tensor) -> float:
    """Of a call, in billions; a multiply-add counts twice.

    Convolutions, products of matrices and attention, as torch counts them.
    Attention is computed as two products for that: the CPU's fused kernel is
    unknown to torch's counter, and would be 0.
    """
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        network(*inputs)
    return counter.get_total_flops() / 1e9


def _times(part: Part, contents: Dict[str, bytes], batch: int, threads: int,
           repeats: int) -> Dict[str, List[float]]:
    """Seconds of each run, by runtime."""
    inputs = {
        k: x[:1].repeat(batch, *[1] * (x.dim() - 1))
        for k, x in part.inputs.items()
    }
    arrays = {k: x.numpy() for k, x in inputs.items()}
    calls = {'torch': _torch_call(part.network, list(inputs.values()))}
    for name, content in contents.items():
        session = open_onnx(content, threads)
        calls[name] = lambda session=session: session.run(None, arrays)
    times: Dict[str, List[float]] = {name: [] for name in calls}
    with torch_threads(threads):
        for call in calls.values():
            for _ in range(WARM_UP):
                call()
        for start in range(0, repeats, ROUND):
            count = min(ROUND, repeats - start)
            for name, call in calls.items():
                times[name] += _round(call, count)
    return times


def _round(call: Callable[[], None], count: int) -> List[float]:
    """Seconds of some runs in a row.

    The threads of the runtime before spin for a while after its last run, and
    would take this one's cores: they get time to fall asleep, and this
    runtime's get a run to wake up.
    """
    time.sleep(REST)
    call()
    found = []
    for _ in range(count):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return found


def _torch_call(network: nn.Module, inputs: list) -> Callable[[], None]:

    def call() -> None:
        with torch.inference_mode():
            network(*inputs)

    return call


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """So many threads for torch inside, as many as before behind."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
