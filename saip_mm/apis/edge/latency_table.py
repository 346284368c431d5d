"""Latencies as tables, and the machine they were measured on."""
import csv
import io
import os
import os.path as osp
import platform
from typing import Dict, List, Sequence

from saip_mm.datasets.prepare.output import check_writable
from saip_mm.weights import write_files
from saip_mm.weights.onnx_sidecar import versions
from .latency import Latency


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


def check_table(out: str) -> str:
    """Refuse before the work a table that could not be written after it.

    Returns:
        str: With the home folder in place of ``~``.

    Raises:
        OSError: If its folder cannot be written to.
        ValueError: If its name does not end in ``.csv``.
    """
    if not out.endswith('.csv'):
        raise ValueError(f'{out} is no name of a table: end it in .csv')
    check_writable(out)
    return osp.expanduser(out)


def write_latency(rows: Sequence[Latency], out: str) -> List[str]:
    """Write ``.csv`` and, beside it, ``.md`` with the machine's name.

    Args:
        rows (Sequence[Latency]): Of :func:`benchmark_latency`.
        out (str): The ``.csv`` file.

    Returns:
        list[str]: Files written.

    Raises:
        OSError: If one cannot be written: neither is, then.
        ValueError: If the name ends otherwise.
    """
    out = check_table(out)
    beside = out[:-len('.csv')] + '.md'
    text = (f'Median and, in brackets, 90th percentile of a batch. '
            f'{machine_line()}.\n\n{latency_markdown(rows)}')
    write_files({out: latency_csv(rows).encode(), beside: text.encode()})
    return [out, beside]
