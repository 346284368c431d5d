import statistics
import subprocess

import pytest
import torch

from saip_mm.apis import benchmark
from saip_mm.apis.benchmark import benchmark_pretrain, time_steps, time_views
from saip_mm.apis.config import load_config


@pytest.fixture
def folder(config):
    """Of the pictures which the config reads."""
    return config.parent / 'persons'


@pytest.mark.slow
def test_benchmark_measures_and_compares(config, tmp_path):
    yard = tmp_path / 'yard'
    yard.mkdir()
    (yard /
     'reference_views.py').write_text('print("2.0 images/s on one core")')
    (yard / 'reference_step.py'
     ).write_text('print("step 1 s  0.5 images/s  peak 100 MiB")')
    rows = benchmark_pretrain(
        str(config),
        images=str(tmp_path / 'persons'),
        batch=2,
        steps=1,
        rounds=1,
        yardsticks=str(yard))
    assert [row[2] for row in rows] == ['2', '-', '2', '0.5', '100']
    for label, ours, other, ratio in rows:
        assert float(ours) > 0, label
        if ratio != '-':
            assert float(ratio) == pytest.approx(
                float(ours) / float(other), rel=0.02, abs=0.01)


def test_times_are_seconds_an_image(config, monkeypatch):
    """By a clock that runs a second a reading, in 64 images."""
    seconds, used = iter(range(1000)), []
    monkeypatch.setattr(torch, 'set_num_threads', used.append)
    monkeypatch.setattr(benchmark.time, 'perf_counter', lambda: next(seconds))
    found = time_views(load_config(str(config)), None, batch=2, repeats=3)
    assert found == dict(worker=1 / 64, device=1 / 2)
    found = time_steps(load_config(str(config)), None, 2, steps=4, threads=2)
    assert found['step'] == 1 / 4 and found['peak'] > 100  # MiB, with torch
    assert used == [1, 2]


def test_the_median_of_passes_counts_after_a_warm_up(monkeypatch):
    times = iter([0, 1, 10, 15, 20, 22])
    monkeypatch.setattr(benchmark.time, 'perf_counter', lambda: next(times))
    calls = []
    assert benchmark._median_seconds(lambda: calls.append(1), 3) == 2
    assert len(calls) == 4


def test_samples_are_repeated_where_there_are_few(config, folder):
    cfg = load_config(str(config))
    data, order = benchmark._samples(cfg, None, 7)
    assert sorted(order[:3]) == [0, 1, 2] and order[3:6] == order[:3]
    assert len(order) == 7
    (folder / '0.png').rename(folder.parent / '0.png')
    data, order = benchmark._samples(cfg, str(folder.parent), 5)
    assert len(data) == 3  # of the folder named, and those below it
    assert len(benchmark._samples(cfg, None, 5)[0]) == 2


def rows_of(monkeypatch, tmp_path, printed, rounds=3, **kwargs):
    """The table, of a worker and steps that take given seconds."""
    times = dict(
        time_views=iter([dict(worker=0.1 * k, device=0.2) for k in (1, 9, 2)]),
        time_steps=iter([dict(step=k, peak=300. + k) for k in (4, 2, 8)]))
    given = []

    def measured(work, *args):
        given.append(args)
        return next(times[work.__name__])

    monkeypatch.setattr(benchmark, '_in_new_process', measured)
    for name, text in printed.items():
        (tmp_path / f'reference_{name}.py'
         ).write_text(f'import sys\nprint({text!r}, sys.argv[1:])')
    rows = benchmark_pretrain('c.py', rounds=rounds, **kwargs)
    return {row[0].split(':')[0].split(',')[0]: row[1:] for row in rows}, given


def test_medians_over_the_rounds_and_their_ratios(monkeypatch, tmp_path):
    rows, given = rows_of(
        monkeypatch,
        tmp_path,
        dict(
            views='5.0 images/s on one core',
            step='1 s  0.5 images/s  peak 100 MiB'),
        images='here',
        yardsticks=str(tmp_path))
    assert given[0] == ('c.py', None, 'here', 8, 5)
    assert given[1] == ('c.py', None, 'here', 8, 12, 2)
    worker = statistics.median([10, 1 / 0.9, 5])
    assert rows['worker'] == [f'{worker:.4g}', '5', '1.00']
    pipeline = 1 / (0.2 + 0.2)
    assert rows['worker + device part'] == [f'{pipeline:.4g}', '5', '0.50']
    assert rows['device part on one CPU thread'] == ['5', '-', '-']
    assert rows['training step'] == ['2', '0.5', '4.00']
    assert rows['peak memory of the step'] == ['304', '100', '3.04']


def test_without_yardsticks_or_their_memory(monkeypatch, tmp_path):
    rows, _ = rows_of(monkeypatch, tmp_path, {}, yardsticks=str(tmp_path))
    assert all(row[1:] == ['-', '-'] for row in rows.values())
    rows, _ = rows_of(
        monkeypatch,
        tmp_path,
        dict(views='no number', step='0.25 images/s'),
        rounds=1,
        yardsticks=str(tmp_path))  # without images views are not compared
    assert rows['worker'][1:] == ['-', '-']
    assert rows['training step'] == ['2', '0.25', '8.00']
    assert rows['peak memory of the step'][1:] == ['-', '-']


def test_a_yardstick_that_fails_is_no_measurement(monkeypatch, tmp_path):
    (tmp_path / 'reference_step.py').write_text('print("2 images/s")\n1 / 0')
    with pytest.raises(subprocess.CalledProcessError):
        rows_of(monkeypatch, tmp_path, {}, yardsticks=str(tmp_path))
