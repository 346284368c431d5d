"""What a training's k-NN monitor saw, beside what needs no training."""
import json
from pathlib import Path
from typing import Dict, List, Optional, Union

import torch.nn.functional as F
from mmengine.config import Config
from torch import Tensor

from mmpretrain.registry import DATASETS
from ..evaluation import chance_scores, extract_features, retrieval_scores
from .config import load_config

THUMBNAIL = (32, 16)  # height, width; a real set's whole pixels fill memory


def thumbnails(images: Tensor) -> Tensor:
    """Make pictures small, each of mean 0.

    Args:
        images (Tensor): ``(B, 3, H, W)`` uint8.

    Returns:
        Tensor: ``(B, 3 * 32 * 16)`` float.
    """
    small = F.adaptive_avg_pool2d(images.float(), THUMBNAIL).flatten(1)
    return small - small.mean(1, keepdim=True)


def records(work_dir: Union[str, Path], name: str) -> List[Dict[str, float]]:
    """What a work dir's last training logged together with a value.

    Args:
        work_dir (str | Path): Of any training here.
        name (str): Of the value, such as ``'knn/rank1'`` or ``'mIoU'``.

    Returns:
        list[dict]: Values by name, ``step`` among them; by step, across
        resumes.
    """
    found: List[Dict[str, float]] = []
    for path in sorted(Path(work_dir).glob('*/vis_data/scalars.json')):
        for line in path.read_text(encoding='utf-8').splitlines():
            try:
                record = json.loads(line)
            except ValueError:  # cut by a kill
                continue
            if name in record:
                # a new training begins at 0, a resumed one repeats steps
                found = [r for r in found if r['step'] < record['step']]
                found.append(record)
    return found


def logged_scores(work_dir: Union[str, Path]) -> List[Dict[str, float]]:
    """Read the k-NN scores of a work dir's last training.

    Args:
        work_dir (str | Path): Of a config with the k-NN monitor.

    Returns:
        list[dict]: ``step`` (iterations done), ``knn/rank1``, ``knn/map``
        and, of an averaged expert, ``knn/expert_rank1`` and
        ``knn/expert_map``; by step, across resumes.

    Raises:
        ValueError: If there are none.
    """
    scores = records(work_dir, 'knn/rank1')
    if not scores:
        raise ValueError(
            f"no k-NN scores in '{work_dir}' (*/vis_data/scalars.json): it is "
            'the work dir of no training with default_hooks.knn')
    return scores


def knn_report(config: Union[str, Path, Config],
               work_dir: Union[str, Path],
               options: Optional[dict] = None) -> str:
    """Say in a table how much better a training made the search.

    Args:
        config (str | Path | Config): With the k-NN monitor, and the sets it
            was trained with.
        work_dir (str | Path): The training's.
        options (dict, optional): Changes to the config, those of the
            training.

    Returns:
        str: Rank-1 and mAP, in per cent, of chance, of raw pixels
        (32x16), of the model before training and later.

    Raises:
        ValueError: If the config has no monitor, or the work dir no scores.
    """
    scores = logged_scores(work_dir)
    config = load_config(config, options)
    monitor = config.get('default_hooks', {}).get('knn')
    if not monitor:
        raise ValueError('the config has no k-NN monitor (default_hooks.knn)')
    query, gallery = (
        extract_features(DATASETS.build(monitor[name]), thumbnails)
        for name in ('query', 'gallery'))
    pixels = retrieval_scores(*query, *gallery)
    persons = len(query.pids.unique())
    rows = [('chance', *chance_scores(*query[1:], *gallery[1:])[:2]),
            (f'raw pixels, {THUMBNAIL[0]}x{THUMBNAIL[1]}', pixels.rank1,
             pixels.map)]
    for record in scores:
        step = record['step']
        name = f'after {step} iterations' if step else 'random start'
        rows.append((name, record['knn/rank1'], record['knn/map']))
    if 'knn/expert_rank1' in record:
        rows.append((f'expert after {step}', record['knn/expert_rank1'],
                     record['knn/expert_map']))
    head = (f'Search for {persons} persons: {pixels.queries} queries, '
            f'{len(gallery.pids)} gallery pictures')
    lines = [head, f"{'':24}{'rank-1, %':>10}{'mAP, %':>10}"]
    lines += [
        f'{name:24}{100 * rank1:10.1f}{100 * average:10.1f}'
        for name, rank1, average in rows
    ]
    return '\n'.join(lines)
