"""The table that a comparison ends in."""
import glob
import os.path as osp
from typing import Dict, List, Optional, Sequence

import numpy as np
from mmengine.registry import init_default_scope

from mmpretrain.registry import DATASETS
from ...evaluation import chance_scores, extract_features, retrieval_scores
from ..knn_report import THUMBNAIL, thumbnails
from .plan import read_kept
from .rows import BACKBONES, EXPERT, PRETRAININGS, ROWS, TITLES, rows_named
from .scales import SMALL
from .settings import SIZE, retrieval_set

HEAD = ('pretraining', 'frozen', 'queries {}x{}'.format(*SMALL), "expert's",
        'fine-tuned', 'parts, mIoU', 'seconds')


def as_markdown(out: str, command: str = '') -> str:
    """What has been measured so far.

    Args:
        out (str): Folder of :func:`.runs.make_evidence`.
        command (str): That made it, to be named.

    Returns:
        str: A table a backbone, in the paper's order of rows, and what they
        stand on. Rank-1 / mAP in per cent; of several seeds the mean and, in
        brackets, the standard deviation.

    Raises:
        FileNotFoundError: If nothing has been measured in ``out``.
        ValueError: If a file of results is no JSON.
    """
    plan = _read(osp.join(out, 'plan.json'))
    if plan is None:
        raise FileNotFoundError(f'{out} holds no comparison (plan.json)')
    lines = _premises(plan, _machines(out), command)
    tables = [(b, rows_named(None, [b])) for b in BACKBONES]
    for backbone, names in [*tables, (EXPERT[1], [EXPERT])]:
        table = [
            row for name, _ in names
            for row in [_row(out, name, backbone, plan['budget'])] if row
        ]
        if table:
            lines += ['', f'## {TITLES[backbone]}', '', *_table(HEAD, table)]
    lines += ['', '## Without a network', '', *_baselines(plan['data'])]
    return '\n'.join(lines) + '\n'


def _machines(out: str) -> str:
    """What it was measured on, by the results."""
    found = (
        _read(path) for what in ('pretrain', 'search_*', 'parts_*')
        for path in glob.glob(osp.join(glob.escape(out), '*', f'{what}.json')))
    return '; '.join(sorted({scores['machine'] for scores in found}))


def _premises(plan: dict, machines: str, command: str) -> List[str]:
    data, budget = plan['data'], plan['budget']
    told = f' by `{command}`' if command else ''
    folders = ', '.join(
        osp.join(*source.split('/')[-2:]) for source in data['sources'])
    return [
        f'Made{told} on {machines}. Each pretraining from random '
        f'weights, epochs: {budget["epochs"]}, of {folders}, batch '
        f'{budget["batch_size"]}, seed {budget["pretrain_seed"]}. Search is '
        f'fine-tuned, epochs: {budget["search_epochs"]} (seeds '
        f'{", ".join(map(str, budget["seeds"]))}), parts, iterations: '
        f'{budget["part_iters"]} (seeds '
        f'{", ".join(map(str, budget["part_seeds"]))}). Rank-1 / mAP and mIoU '
        'in per cent; standard deviations in brackets. Persons are '
        f'{SIZE[0]}x{SIZE[1]}, and queries smaller where the table says so.'
    ]


def _row(out: str, name: str, backbone: str,
         budget: dict) -> Optional[Sequence[str]]:
    """Cells of a row, None if nothing of it has been measured."""
    folder = osp.join(out, f'{name}_{backbone}')
    frozen = _read(osp.join(folder, 'pretrain.json'))
    searches = _seeds(folder, 'search', budget['seeds'])
    parts = _seeds(folder, 'parts', budget['part_seeds'])
    if not (frozen or searches or parts):
        return None
    start = frozen or _any_start(out, backbone)
    if not PRETRAININGS[name].configs:
        shown = _pair(start, 'start_rank1', 'start_map')
        seconds = ''
    else:
        shown = _pair(frozen, 'rank1', 'map')
        seconds = frozen and frozen['seconds']
        seconds = f'{seconds:.0f}' if seconds else ''
    small = _pair(_read(osp.join(folder, 'scales.json')), 'rank1', 'map')
    average = _pair(frozen, 'expert_rank1', 'expert_map')
    found = _spread(searches, 'Rank-1', 'mAP')
    return (PRETRAININGS[name].title, shown, small, average, found,
            _spread(parts, 'mIoU'), seconds)


def _any_start(out: str, backbone: str) -> Optional[dict]:
    """A random start's scores: every pretraining of a backbone has one."""
    for name, row in ROWS.items():
        scores = row.configs and _read(
            osp.join(out, f'{name}_{backbone}', 'pretrain.json'))
        if scores:
            return scores
    return None


def _pair(scores: Optional[dict], *names: str) -> str:
    if not scores or names[0] not in scores:
        return ''
    return ' / '.join(f'{scores[name]:.1f}' for name in names)


def _spread(runs: List[dict], *names: str) -> str:
    if not runs:
        return ''
    values = {name: [run[name] for run in runs] for name in names}
    text = ' / '.join(f'{np.mean(values[name]):.1f}' for name in names)
    if len(runs) > 1:
        text += ' ({})'.format(' / '.join(f'{np.std(values[name], ddof=1):.1f}'
                                          for name in names))
    return text


def _baselines(data: dict) -> List[str]:
    init_default_scope('mmpretrain')  # of parts it is another
    query, gallery = (
        extract_features(
            DATASETS.build(retrieval_set(data['search'], split)), thumbnails)
        for split in ('query', 'gallery'))
    chance = chance_scores(*query[1:], *gallery[1:])[:2]
    pixels = retrieval_scores(*query, *gallery)
    rows = [('chance', *chance),
            (f'raw pixels, {THUMBNAIL[0]}x{THUMBNAIL[1]}', pixels.rank1,
             pixels.map)]
    return _table(('', 'rank-1 / mAP'),
                  [(name, f'{100 * rank1:.1f} / {100 * average:.1f}')
                   for name, rank1, average in rows])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> List[str]:
    lines = [head, ['---'] * len(head), *rows]
    return ['| ' + ' | '.join(line) + ' |' for line in lines]


def _seeds(folder: str, what: str, seeds: Sequence[int]) -> List[dict]:
    found = (_read(osp.join(folder, f'{what}_{seed}.json')) for seed in seeds)
    return [scores for scores in found if scores]


def _read(path: str) -> Optional[Dict]:
    return read_kept(path) if osp.isfile(path) else None
