"""Measure pretraining: workers, device part, training step, peak memory."""
import multiprocessing
import re
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from torch.utils.data import default_collate

from mmpretrain.registry import DATASETS
from ..engine.launch_options import adapt_to_device
from .config import load_config
from .inspect import build_model

YARDSTICKS = dict(views='reference_views.py', step='reference_step.py')
VIEW_PASSES = 5  # over 64 images, their median counts
NUMBER = re.compile(r'([\d.]+) images/s')
MEMORY = re.compile(r'peak (\d+) MiB')


def _median_seconds(work: Callable[[], None], repeats: int) -> float:
    work()  # warm up: caches, lazy imports
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _samples(config: Config, folder: Optional[str], count: int):
    """The data set of a config, or its pipeline over a folder of images."""
    settings = config.train_dataloader.dataset.copy()
    if folder:
        settings['sources'] = [dict(data_root=folder)]
    dataset = DATASETS.build(settings)
    order = np.random.default_rng(0).permutation(len(dataset))
    return dataset, [int(i) for i in np.resize(order, count)]


def time_views(config: Config, folder: Optional[str], batch: int,
               repeats: int) -> Dict[str, float]:
    """Seconds an image of the worker's and of the device's part, one thread.

    Args:
        config (Config): A pretraining config.
        folder (str, optional): Images to read instead of the config's.
        batch (int): Images a batch of the device part.
        repeats (int): The median of so many passes over 64 images.

    Returns:
        dict[str, float]: ``worker`` and ``device``, seconds an image.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    dataset, order = _samples(config, folder, 64)

    def decode_and_cut() -> None:
        for index in order:
            dataset[index]

    worker = _median_seconds(decode_and_cut, repeats) / len(order)
    preprocessor = build_model(config).data_preprocessor
    data = default_collate([dataset[i] for i in order[:batch]])
    device = _median_seconds(lambda: preprocessor(data, True), repeats) / batch
    return dict(worker=worker, device=device)


def time_steps(config: Config, folder: Optional[str], batch: int, steps: int,
               threads: int) -> Dict[str, float]:
    """Seconds a training step (views, losses, backward, optimiser, expert).

    Runs in a process of its own for the sake of the peak memory, and on the
    device at hand. Each step draws its own scales, from 0.56 to 2.25 times
    the anchor's pixels, so its time is the mean over ``steps`` of them; a
    median of few would be that of a few draws.

    Returns:
        dict[str, float]: ``step``, the mean in seconds, and ``peak``
        resident memory in MiB (on a GPU: allocated there).
    """
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    # in the precision that the runner would take here
    config.setdefault('launcher', 'none')
    adapt_to_device(config)
    model = build_model(config).to(device)
    wrapper = build_optim_wrapper(model, config.optim_wrapper)
    dataset, order = _samples(config, folder, batch)
    data = default_collate([dataset[i] for i in order])

    def step() -> None:
        model.train_step(data, wrapper)
        if model.expert is not None and model.expert.trainable_average:
            model.expert.update(model, momentum=0.996)
        if device == 'cuda':
            torch.cuda.synchronize()

    step()  # warm up
    start = time.perf_counter()
    for _ in range(steps):
        step()
    seconds = (time.perf_counter() - start) / steps
    if device == 'cuda':
        peak = torch.cuda.max_memory_allocated() / 2**20
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return dict(step=seconds, peak=peak)


def _in_new_process(work: Callable, *args) -> Dict[str, float]:
    """Run ``work(*args)`` in a fresh interpreter; what it returns."""
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        return pool.apply(_run, (work, *args))


def _run(work: Callable, config: str, options: Optional[dict], *args):
    return work(load_config(config, options), *args)


def _yardstick(folder: Optional[Path], name: str, *args) -> Dict[str, float]:
    """Run a reference script, if there is one, and read what it prints."""
    script = folder and folder / YARDSTICKS[name]
    if not script or not script.is_file():
        return {}
    out = subprocess.run(
        [sys.executable, str(script), *map(str, args)],
        capture_output=True,
        text=True,
        check=True).stdout
    memory = MEMORY.search(out)
    return {
        'rate': float(NUMBER.search(out).group(1)),
        **({
            'peak': float(memory.group(1))
        } if memory else {})
    }


def benchmark_pretrain(config: str,
                       images: Optional[str] = None,
                       batch: int = 8,
                       steps: int = 12,
                       threads: int = 2,
                       rounds: int = 3,
                       yardsticks: Optional[str] = None,
                       options: Optional[dict] = None) -> List[List[str]]:
    """Measure ours and the yardsticks by turns, medians over the rounds.

    Args:
        config (str): A pretraining config.
        images (str, optional): Folder to read; the config's data by default.
        batch (int): Images a step.
        steps (int): Training steps a round, which draw their scales: a few
            are no fair sample.
        threads (int): Threads of the training step.
        rounds (int): Turns; what slows the machine then hits both.
        yardsticks (str, optional): Folder with ``reference_views.py`` and
            ``reference_step.py``.
        options (dict, optional): Changes to the config.

    Returns:
        list[list[str]]: Rows of quantity, ours, yardstick, ratio.
    """
    folder = Path(yardsticks) if yardsticks else None
    found: Dict[str, List[float]] = {}

    def note(**values: float) -> None:
        for key, value in values.items():
            found.setdefault(key, []).append(value)

    for _ in range(rounds):
        views = _in_new_process(time_views, config, options, images, batch,
                                VIEW_PASSES)
        note(
            worker=1 / views['worker'],
            device=1 / views['device'],
            pipeline=1 / (views['worker'] + views['device']))
        step = _in_new_process(time_steps, config, options, images, batch,
                               steps, threads)
        note(step=batch / step['step'], peak=step['peak'])
        if images:
            note(
                **{
                    f'reference_{k}_views': v
                    for k, v in _yardstick(folder, 'views', images).items()
                })
        note(
            **{
                f'reference_{k}_step': v
                for k, v in
                _yardstick(folder, 'step', '--batch', batch, '--steps', steps,
                           '--threads', threads).items()
            })
    medians = {key: statistics.median(values) for key, values in found.items()}
    rows = []
    for label, ours, reference in (
        ('worker: decode and cut, images/s a core', 'worker',
         'reference_rate_views'),
        ('device part on one CPU thread, images/s', 'device', None),
        ('worker + device part, images/s a core', 'pipeline',
         'reference_rate_views'),
        (f'training step, batch {batch}, images/s', 'step',
         'reference_rate_step'),
        ('peak memory of the step, MiB', 'peak', 'reference_peak_step'),
    ):
        other = medians.get(reference)
        rows.append([
            label, f'{medians[ours]:.4g}', f'{other:.4g}' if other else '-',
            f'{medians[ours] / other:.2f}' if other else '-'
        ])
    return rows
