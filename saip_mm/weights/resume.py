import os.path as osp
from glob import escape, glob
from typing import Optional, Sequence

from .backbone import BACKBONES
from .read import UnsafeCheckpointError, read_checkpoint, weights_of

# a published backbone has only the first two
TRAINING_KEYS = ('meta', 'state_dict', 'optimizer', 'message_hub')


class CheckpointError(RuntimeError):
    """A checkpoint cannot be read or resumed from; says what to do."""


def find_resume_file(resume: str, work_dir: str) -> Optional[str]:
    """Tell which file ``--resume`` means and make sure that it is usable.

    Args:
        resume (str): Path or URL of a checkpoint, or ``'auto'``: the one that
            ``last_checkpoint`` in ``work_dir`` names. If that work dir has
            been moved, the file of this name in its new place.
        work_dir (str): Folder of the run.

    Returns:
        str, optional: The checkpoint; None if ``resume`` is ``'auto'`` and
        the folder has no ``last_checkpoint``.

    Raises:
        CheckpointError: If the file is missing, damaged or not of a training
            run.
    """
    if resume != 'auto':
        check_checkpoint(resume, TRAINING_KEYS)
        return resume
    pointer = osp.join(work_dir, 'last_checkpoint')
    if not osp.isfile(pointer):
        return None
    with open(pointer) as file:
        path = file.read().strip()
    moved = osp.join(work_dir, osp.basename(path))
    if not osp.isfile(path) and osp.isfile(moved):
        path = moved
    check_checkpoint(path or pointer, TRAINING_KEYS)
    return path


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
    neighbours = glob(osp.join(escape(osp.dirname(path)), '*.pth'))
    neighbours.sort(key=osp.getmtime, reverse=True)
    usable = (
        other for other in neighbours
        if osp.abspath(other) != osp.abspath(path)
        and find_defect(other, keys) is None)
    other = next(usable, None)
    remedy = (f'the newest usable one of its folder is {other}'
              if other else 'there is no other usable .pth in its folder')
    raise CheckpointError(f'{problem}; {remedy}')


def find_defect(path: str, keys: Sequence[str] = ()) -> Optional[str]:
    """Say why a local checkpoint is unusable; None if it is not.

    Reads the file. Classes of other libraries in it are left to the loader.
    Arguments: as in :func:`check_checkpoint`.
    """
    try:
        content = read_checkpoint(path)
    except UnsafeCheckpointError:
        return None
    except (FileNotFoundError, ValueError) as error:
        return str(error)
    missing = [key for key in keys if key not in content]
    if missing:
        return (f'checkpoint {path} has no {", ".join(missing)}, so it is not '
                f'a state of training: {_how_to_start(content, path)}')
    return None


def _how_to_start(content: dict, path: str) -> str:
    if any(k.startswith(BACKBONES['student']) for k in weights_of(content)):
        return f'to start from its weights, --cfg-options load_from={path}'
    return ('to start from this backbone, --cfg-options '
            f'model.backbone.init_cfg.checkpoint={path}, in pretraining '
            'model.encoder.backbone.init_cfg.checkpoint')
