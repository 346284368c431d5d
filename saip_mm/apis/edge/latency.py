"""What networks cost on this machine's CPU: torch and onnxruntime by turns."""
import csv
import io
import os
import os.path as osp
import platform
import time
from contextlib import contextmanager
from typing import (Callable, Dict, Iterator, List, NamedTuple, Optional,
                    Sequence)

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from saip_mm.weights import write_file
from saip_mm.weights.onnx_file import open_onnx, trace_onnx, versions
from saip_mm.weights.onnx_int8 import quantize_static
from .networks import Part, parts_of
from .source import load_source

WARM_UP = 3


class Latency(NamedTuple):
    """A row of the table.

    Attributes:
        network (str): Name of config or file.
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
    search by text the picture's half. The runtimes take turns, batch by
    batch: what else this machine does hits all.

    Args:
        whats (Sequence[str]): Configs or files, as
            :func:`~.export.export_onnx` takes them. Latency is the same at
            the random start.
        size (Sequence[int], optional): Of all inputs. Defaults to None:
            each its own.
        batches (Sequence[int]): Pictures at a time. Defaults to (1, 8).
        threads (Sequence[int]): Defaults to (1, 2).
        repeats (int): Runs of each, after three to warm up. Defaults to 30.
        int8 (bool): Also the statically quantized network. Defaults to
            False.
        options (dict, optional): Changes to configs.

    Raises:
        ValueError: If a number is not above 0, or a network cannot be
            exported.
    """
    for name, values in dict(
            batches=batches, threads=threads, repeats=[repeats]).items():
        if not values or min(values) < 1:
            raise ValueError(f'{name} must be 1 or more, got {values}')
    rows = []
    for what in whats:
        source = load_source(what, size=size, options=options)
        part = parts_of(source.model, source.size)[0]
        head = (source.name, '{}x{}'.format(*source.size), params_of(part),
                flops_of(part))
        contents = {
            'onnxruntime': trace_onnx(part.network, part.inputs, part.outputs)
        }
        if int8:
            noise = {k: v.numpy() for k, v in part.inputs.items()}
            contents['onnxruntime int8'] = quantize_static(
                contents['onnxruntime'], [noise])
        for count in threads:
            for batch in batches:
                times = _times(part, contents, batch, count, repeats)
                rows += [
                    Latency(*head, runtime, batch, count,
                            1000 * float(np.median(values)),
                            1000 * float(np.quantile(values, 0.9)))
                    for runtime, values in times.items()
                ]
    return rows


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
    """Of one row of its inputs, in billions; a multiply-add counts twice.

    Convolutions, products of matrices and attention, as torch counts them.
    """
    one = [x[:1] for x in part.inputs.values()]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        part.network(*one)
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
        for turn in range(WARM_UP + repeats):
            for name, call in calls.items():
                start = time.perf_counter()
                call()
                if turn >= WARM_UP:
                    times[name].append(time.perf_counter() - start)
    return times


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


def cpu_name() -> str:
    """What the system calls the processor, and how many cores it shows."""
    name = platform.processor() or platform.machine()
    if osp.isfile('/proc/cpuinfo'):
        with open('/proc/cpuinfo', encoding='utf-8') as file:
            told = [line for line in file if line.startswith('model name')]
        if told:
            name = told[0].partition(':')[2].strip()
    return f'{name}, {os.cpu_count()} cores'


def machine_line() -> str:
    """CPU, other load and versions, for the head of a table."""
    known = versions()
    load = ''
    if hasattr(os, 'getloadavg'):
        load = f'; load of the last minute {os.getloadavg()[0]:.1f}'
    return (f'{cpu_name()}{load}; torch {known["torch"]}, onnxruntime '
            f'{known["onnxruntime"]}, float32 where nothing else is said')


def latency_csv(rows: Sequence[Latency]) -> str:
    """The rows as they are, a header first."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator='\n')
    table.writerow(Latency._fields)
    for row in rows:
        table.writerow([
            f'{value:.4g}' if isinstance(value, float) else value
            for value in row
        ])
    return text.getvalue()


def latency_markdown(rows: Sequence[Latency]) -> str:
    """A table with a line for each network, batch and number of threads."""
    runtimes = list(dict.fromkeys(row.runtime for row in rows))
    lines = [
        '| network | input | params, M | GFLOPs | batch | threads | ' +
        ' | '.join(f'{name}, ms' for name in runtimes) + ' |',
        '| --- | --- ' + '| ---: ' * (4 + len(runtimes)) + '|'
    ]
    cells: Dict[tuple, Dict[str, str]] = {}
    for row in rows:
        key = (row.network, row.size, f'{row.params:.2f}', f'{row.flops:.2f}',
               row.batch, row.threads)
        cells.setdefault(
            key, {})[row.runtime] = (f'{row.median:.1f} ({row.p90:.1f})')
    for key, found in cells.items():
        values = [*map(str, key), *(found.get(r, '') for r in runtimes)]
        lines.append(f'| {" | ".join(values)} |')
    return '\n'.join(lines) + '\n'


def write_latency(rows: Sequence[Latency], out: str) -> List[str]:
    """Write ``.csv`` and, beside it, ``.md`` with the machine's name.

    Args:
        rows (Sequence[Latency]): Of :func:`benchmark_latency`.
        out (str): The ``.csv`` file.

    Returns:
        list[str]: Files written.

    Raises:
        ValueError: If the name ends otherwise.
    """
    if not out.endswith('.csv'):
        raise ValueError(f'{out} is no name of a table: end it in .csv')
    beside = out[:-len('.csv')] + '.md'
    write_file(out, latency_csv(rows).encode())
    text = (f'Median and, in brackets, 90th percentile of a batch. '
            f'{machine_line()}.\n\n{latency_markdown(rows)}')
    write_file(beside, text.encode())
    return [out, beside]
