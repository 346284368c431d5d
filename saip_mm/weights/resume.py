import os.path as osp
from glob import escape, glob
from typing import Iterator, List, Optional, Sequence, Tuple

from .backbone import BACKBONES
from .read import meta_of, read_checkpoint, weights_of

# a published backbone has only the first two
TRAINING_KEYS = ('meta', 'state_dict', 'optimizer', 'message_hub')


class CheckpointError(RuntimeError):
    """A checkpoint cannot be read or resumed from; says what to do."""


def find_resume_file(resume: str, work_dir: str) -> Optional[str]:
    """Tell which file ``--resume`` means and make sure that it is usable.

    Args:
        resume (str): Path or URL of a checkpoint, a folder, or ``'auto'``:
            the work dir. Of a folder, the file that its ``last_checkpoint``
            names; if it has been moved, the file of this name in its new
            place.
        work_dir (str): Folder of the run.

    Returns:
        str, optional: The checkpoint; None if ``resume`` is ``'auto'`` and
        the folder has neither ``last_checkpoint`` nor checkpoints.

    Raises:
        CheckpointError: If the file is missing, damaged or not of a training
            run; or if a work dir has checkpoints and no ``last_checkpoint``.
            A run from the beginning would write over them.
    """
    if resume != 'auto' and not osp.isdir(resume):
        check_checkpoint(resume, TRAINING_KEYS)
        return resume
    folder = work_dir if resume == 'auto' else resume
    pointer = osp.join(folder, 'last_checkpoint')
    if not osp.isfile(pointer):
        return _without_pointer(folder, asked=resume != 'auto')
    with open(pointer) as file:
        path = file.read().strip()
    moved = osp.join(folder, osp.basename(path))
    if path and not osp.isfile(path) and '://' not in path:
        path = moved
    check_checkpoint(path or pointer, TRAINING_KEYS)
    return path


def _without_pointer(folder: str, asked: bool) -> Optional[str]:
    """What a folder without ``last_checkpoint`` gives: if one asked for it,
    its newest checkpoint."""
    usable, defects = _sort_out(_checkpoints(folder), TRAINING_KEYS)
    if asked and usable:
        return usable[0]
    if not usable and not defects and not asked:
        return None
    if not usable:
        found = '; '.join(defects) or 'there is no .pth in it'
        elsewhere = ' and take another --work-dir' * (not asked)
        raise CheckpointError(
            f'--resume: {folder} has no last_checkpoint, and nothing to go on '
            f'from: {found}. To start from the beginning, leave out --resume'
            f'{elsewhere}')
    raise CheckpointError(
        f'--resume: {folder} has no last_checkpoint, but checkpoints, which a '
        'run from the beginning would write over. The newest usable one is '
        f'{usable[0]}: go on from it by --resume {usable[0]}, or start from '
        'the beginning in another --work-dir')


def check_checkpoint(path: str, keys: Sequence[str] = ()) -> None:
    """Refuse a checkpoint that would fail halfway through loading.

    Args:
        path (str): File; a path with ``://`` (another storage) is not
            checked.
        keys (Sequence[str]): Entries that it must have.

    Raises:
        CheckpointError: Names the file, what is wrong, and the newest usable
            checkpoint of its folder.
    """
    if '://' in path:
        return
    problem = find_defect(path, keys)
    if problem is None:
        return
    others = (
        other for other in _checkpoints(osp.dirname(path))
        if osp.abspath(other) != osp.abspath(path))
    usable, _ = _sort_out(others, keys)
    remedy = (f'the newest usable one of its folder is {usable[0]}'
              if usable else 'there is no other usable .pth in its folder')
    raise CheckpointError(f'{problem}; {remedy}')


def find_defect(path: str, keys: Sequence[str] = ()) -> Optional[str]:
    """Say why a local checkpoint is unusable; None if it is not.

    Reads the file. Arguments: as in :func:`check_checkpoint`.
    """
    return _look_at(path, keys)[1]


def _checkpoints(folder: str) -> Iterator[str]:
    yield from glob(osp.join(escape(folder), '*.pth'))


def _sort_out(paths: Iterator[str],
              keys: Sequence[str]) -> Tuple[List[str], List[str]]:
    """Usable ones, the furthest in training first, and others' defects."""
    usable, defects = [], []
    for path in paths:
        progress, defect = _look_at(path, keys)
        if defect:
            defects.append(defect)
        else:
            usable.append((*progress, osp.getmtime(path), path))
    return [entry[-1] for entry in sorted(usable, reverse=True)], defects


def _look_at(path: str,
             keys: Sequence[str]) -> Tuple[Tuple[int, int], Optional[str]]:
    """Epochs and iterations a checkpoint has been trained for; its defect."""
    progress = (-1, -1)
    try:
        content = read_checkpoint(path)
    except Exception as error:  # whatever a file in pieces raises
        return progress, str(error) or f'{path}: {type(error).__name__}'
    missing = [key for key in keys if key not in content]
    if missing:
        return progress, (
            f'checkpoint {path} has no {", ".join(missing)}, so it is not a '
            f'state of training: {_how_to_start(content, path)}')
    meta = meta_of(content)
    progress = tuple(meta[key] if isinstance(meta.get(key), int) else -1
                     for key in ('epoch', 'iter'))
    return progress, None


def _how_to_start(content: dict, path: str) -> str:
    if any(k.startswith(BACKBONES['student']) for k in weights_of(content)):
        return f'to start from its weights, --cfg-options load_from={path}'
    return ('to start from this backbone, --cfg-options '
            f'model.backbone.init_cfg.checkpoint={path}, in pretraining '
            'model.encoder.backbone.init_cfg.checkpoint')
