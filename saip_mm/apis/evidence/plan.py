"""Whose pictures the methods are compared on, and for how long."""
import os.path as osp
from typing import Any, NamedTuple, Optional, Tuple

from ...datasets.text_files import read_json
from ...engine.config_doors import expand_home


class Budget(NamedTuple):
    """What each method gets.

    Attributes:
        epochs (int): Of the pretraining, with pictures as often for all.
        batch_size (int): Pictures a step of the pretraining.
        search_epochs (int): Of fine-tuning for search, tests included.
        part_iters (int): Of fine-tuning for parts.
        pretrain_seed (int): Of the one pretraining a row.
        seeds (tuple[int, ...]): Of fine-tuning.
        part_seeds (tuple[int, ...]): Likewise, for parts.
    """
    epochs: int = 10
    batch_size: int = 26
    search_epochs: int = 20
    part_iters: int = 696
    pretrain_seed: int = 0
    seeds: Tuple[int, ...] = (0, 1, 2)
    part_seeds: Tuple[int, ...] = (0, )


def check_budget(budget: Budget) -> None:
    """Refuse lengths below 1 and seeds below 0.

    Raises:
        ValueError: Names the option and its value.
    """
    for name, value in budget._asdict().items():
        seeds = name.endswith(('seed', 'seeds'))
        least = 0 if seeds else 1
        for one in value if isinstance(value, tuple) else (value, ):
            if one < least:
                raise ValueError(f'--{name.replace("_", "-")} {one}: it must '
                                 f'be a whole number of at least {least}')


class PersonData(NamedTuple):
    """Folders of pictures.

    Attributes:
        sources (tuple[str, ...]): For pretraining, labels unused.
        search (str): Of Market1501's layout; test persons are in none of the
            sources.
        parts (str, optional): Of LIP's layout, with ``classes.txt`` inside or
            beside, a class a line, the background first.
    """
    sources: Tuple[str, ...]
    search: str
    parts: Optional[str] = None


def evidence_data(root: str, more: Tuple[str, ...] = ()) -> PersonData:
    """A folder with ``persons/``, ``parts/`` and ``reid/``.

    Args:
        root (str): That folder.
        more (tuple[str, ...]): Further folders to pretrain on.

    Raises:
        FileNotFoundError: If one of its folders, or one of ``more``, is not
            there.
    """
    root = osp.abspath(expand_home(root))
    search, parts = osp.join(root, 'reid'), osp.join(root, 'parts')
    sources = (osp.join(root, 'persons'), osp.join(parts, 'train_images'),
               osp.join(search, 'bounding_box_train'), *_absolute(more))
    return _present(PersonData(sources, search, parts))


def market_data(root: str,
                parts: Optional[str] = None,
                more: Tuple[str, ...] = ()) -> PersonData:
    """Market1501, or any folder of its layout.

    Args:
        root (str): That folder; ``bounding_box_train`` is pretrained on.
        parts (str, optional): See :class:`PersonData`.
        more (tuple[str, ...]): Further folders to pretrain on.

    Raises:
        FileNotFoundError: As in :func:`evidence_data`.
    """
    root = osp.abspath(expand_home(root))
    if parts is not None:
        parts, = _absolute((parts, ))
    sources = (osp.join(root, 'bounding_box_train'), *_absolute(more))
    return _present(PersonData(sources, root, parts))


def _absolute(folders: Tuple[str, ...]) -> Tuple[str, ...]:
    if '' in folders:
        raise FileNotFoundError("a folder is called '': name it, or leave out "
                                'its option')
    return tuple(osp.abspath(expand_home(folder)) for folder in folders)


def _present(data: PersonData) -> PersonData:
    wanted = [*data.sources]
    wanted += [
        osp.join(data.search, name)
        for name in ('bounding_box_train', 'query', 'bounding_box_test')
    ]
    if data.parts is not None:
        wanted += [
            osp.join(data.parts, name)
            for name in ('train_images', 'train_segmentations', 'train_id.txt',
                         'val_id.txt')
        ]
        wanted.append(classes_file(data.parts))
    for path in wanted:
        if not osp.exists(path):
            raise FileNotFoundError(
                f'there is no {path}: search data lie as Market1501 does, '
                'parts as LIP does, with classes.txt inside or beside')
    return data


def read_kept(path: str) -> Any:
    """What a comparison wrote, as JSON.

    Raises:
        ValueError: If it was cut short; says what to do.
    """
    try:
        return read_json(path)
    except ValueError as error:
        raise ValueError(f'{error}. Take the file away and start again: it is '
                         'written anew') from error


def classes_file(parts: str) -> str:
    """Where the names of a folder's parts stand: in it, or beside it."""
    inside = osp.join(parts, 'classes.txt')
    if osp.isfile(inside):
        return inside
    return osp.join(osp.dirname(parts), 'classes.txt')
