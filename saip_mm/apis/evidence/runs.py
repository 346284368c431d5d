"""The trainings behind a table, each done once and kept."""
import json
import os
import os.path as osp
import platform
import time
from importlib import import_module
from typing import Callable, Dict, Optional, Sequence, Tuple

import torch
from filelock import FileLock
from mmengine.config import Config

from ...engine.launch_options import tell
from ...weights import find_resume_file, publish_backbone, write_file
from ..knn_report import logged_scores, records
from ..training import train
from .plan import Budget, PersonData, check_budget, read_kept
from .rows import PRETRAININGS
from .scales import scores_across_scales
from .settings import (check_search, parts_settings, pretraining_settings,
                       search_settings)

Scores = Dict[str, float]


def make_evidence(rows: Sequence[Tuple[str, str]], data: PersonData,
                  budget: Budget, out: str) -> None:
    """Pretrain each row, and measure what it learned.

    What is done already is left as it is; a training that was cut goes on
    from its last checkpoint. So several processes may share ``out``, each
    with other rows.

    Args:
        rows (sequence[tuple[str, str]]): Row and backbone, see
            :func:`.rows.rows_named`.
        data (PersonData): What with.
        budget (Budget): How long.
        out (str): Folder, made if need be: ``<row>_<backbone>/`` has a
            folder a training and its ``.json``.

    Raises:
        FileNotFoundError, ValueError: If ``out`` was made with another budget
            or other data, or something could not be measured, a backbone or
            the names of persons or parts; before the first training.
        ModuleNotFoundError: Likewise, if parts are to be found without mmseg.
    """
    _check(rows, data, budget)
    _keep_plan(data, budget, out)
    for name, backbone in rows:
        folder = _folder(out, name, backbone)
        weights = None
        if PRETRAININGS[name].configs:
            weights = pretrained(name, backbone, data, budget, out)
            _measure_scales(folder, weights, data)
        for seed in budget.seeds:
            _once(
                osp.join(folder, f'search_{seed}'),
                search_settings(backbone, data, budget, weights, seed),
                lambda work: _last(work, 'reid/Rank-1', 'reid/mAP'))
        for seed in budget.part_seeds if data.parts else ():
            _once(
                osp.join(folder, f'parts_{seed}'),
                parts_settings(backbone, data, budget, weights, seed),
                lambda work: _last(work, 'mIoU'))


def _check(rows: Sequence[Tuple[str, str]], data: PersonData,
           budget: Budget) -> None:
    """Refuse at once what would end a row hours later."""
    check_budget(budget)
    if rows:
        check_search(data.search)
    for backbone in sorted({backbone for _, backbone in rows}):
        if budget.seeds:
            search_settings(backbone, data, budget, None, budget.seeds[0])
        if data.parts and budget.part_seeds:
            parts_settings(backbone, data, budget, None, budget.part_seeds[0])
            import_module('mmseg')


def pretrained(name: str, backbone: str, data: PersonData, budget: Budget,
               out: str) -> str:
    """Pretrain a row, and before it its expert, and publish its backbone.

    An expert serves several rows: of processes that want it one trains it,
    the others wait.

    Returns:
        str: The published file.
    """
    expert = None
    needed = PRETRAININGS[name].expert
    if needed:
        os.makedirs(_folder(out, *needed), exist_ok=True)
        with FileLock(osp.join(_folder(out, *needed), '.lock')):
            expert = pretrained(*needed, data, budget, out)
    folder = _folder(out, name, backbone)
    place = osp.join(folder, 'pretrain')
    settings = pretraining_settings(name, backbone, data, budget, expert)
    _once(place, settings, _frozen)
    kept = osp.join(folder, 'backbone.txt')
    published = _named_in(kept, folder)
    if published is None:
        published = publish_backbone(
            find_resume_file(place, place), folder,
            name=f'{name}_{backbone}').path
        write_file(kept, osp.basename(published).encode('utf-8'))
    return published


def _measure_scales(folder: str, weights: str, data: PersonData) -> None:
    """Keep the scores of a search across scales, if that was not done."""
    kept = osp.join(folder, 'scales.json')
    if not osp.isfile(kept):
        scores = scores_across_scales(weights, data.search)
        write_file(kept, json.dumps(scores, indent=1).encode('utf-8'))


def _named_in(kept: str, folder: str) -> Optional[str]:
    """The published file that a text names, None if either is not there."""
    if not osp.isfile(kept):
        return None
    with open(kept, encoding='utf-8') as file:
        path = osp.join(folder, file.read().strip())
    return path if osp.isfile(path) else None


def _folder(out: str, name: str, backbone: str) -> str:
    return osp.join(out, f'{name}_{backbone}')


def _frozen(work: str) -> Scores:
    """Frozen image tokens: of the start, the student, an averaged expert."""
    scores = logged_scores(work)
    first, last = scores[0], scores[-1]
    found = dict(
        start_rank1=first['knn/rank1'],
        start_map=first['knn/map'],
        rank1=last['knn/rank1'],
        map=last['knn/map'])
    if 'knn/expert_rank1' in last:
        found.update(
            expert_rank1=last['knn/expert_rank1'],
            expert_map=last['knn/expert_map'])
    return {key: 100 * value for key, value in found.items()}


def _last(work: str, *names: str) -> Scores:
    record = records(work, names[0])[-1]
    return {name.split('/')[-1]: record[name] for name in names}


def _once(work: str, settings: dict, read: Callable[[str], Scores]) -> None:
    """Train and keep the scores, if that was not done before."""
    kept = f'{work}.json'
    if osp.isfile(kept):
        return
    os.makedirs(work, exist_ok=True)
    config = osp.join(work, 'settings.py')
    write_file(config, Config(settings).pretty_text.encode('utf-8'))
    cut = osp.isfile(osp.join(work, 'last_checkpoint'))
    tell(f'{"go on with" if cut else "start"} {work}')
    start = time.monotonic()
    train(config, work_dir=work, resume='auto' if cut else None)
    seconds: Optional[float] = time.monotonic() - start
    if cut:
        seconds = None  # of the last part alone, which says nothing
    scores = dict(read(work), seconds=seconds, machine=_machine())
    write_file(kept, json.dumps(scores, indent=1).encode('utf-8'))


def _machine() -> str:
    device = (
        torch.cuda.get_device_name()
        if torch.cuda.is_available() else f'CPU ({platform.machine()}), '
        f'{torch.get_num_threads()} threads')
    return f'{device}, torch {torch.__version__}'


def _keep_plan(data: PersonData, budget: Budget, out: str) -> None:
    """Write what is compared, or see that it is the same as before."""
    path = osp.join(out, 'plan.json')
    plan = json.loads(
        json.dumps(dict(data=data._asdict(), budget=budget._asdict())))
    if not osp.isfile(path):
        os.makedirs(out, exist_ok=True)
        write_file(path, json.dumps(plan, indent=1).encode('utf-8'))
        return
    before = read_kept(path)
    for part, settings in plan.items():
        for key, value in settings.items():
            if before.get(part, {}).get(key) != value:
                raise ValueError(
                    f'{path} has {key} {before.get(part, {}).get(key)}, asked '
                    f'for is {value}: rows of one table have the same; choose '
                    'another --out')
