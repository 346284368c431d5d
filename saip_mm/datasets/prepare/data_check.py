"""What a user has downloaded of a data set, beside what was published."""
import os
import os.path as osp
from dataclasses import dataclass, field
from importlib import import_module
from typing import Dict, Iterable, List, Optional

from mmengine.utils import track_iter_progress

from ..transforms import BrokenImageError
from ..transforms.decode import is_truncated
from ..transforms.picture_header import Size, read_header
from .data_sets import DATA_SETS, DataSet

COMPLETE, LESS = 'complete', 'less than was published'
OTHER, BROKEN = 'other than published', 'not usable as it is'


@dataclass
class Counted:
    """What is there of a data set.

    Attributes:
        numbers (dict[str, int]): Counts by name, 'train pictures' say; in
            the order to be shown.
        problems (list[str]): What training or testing would stop at; each
            names a file.
        notes (list[str]): What is odd and does no harm.
    """
    numbers: Dict[str, int] = field(default_factory=dict)
    problems: List[str] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)


@dataclass
class Verdict:
    """A comparison.

    Attributes:
        word (str): 'complete', 'less than was published', 'other than
            published' or 'not usable as it is'.
        usable (bool): Whether a training would start: without problems.
        lines (list[str]): The report, to be printed.
    """
    word: str
    usable: bool
    lines: List[str]


def check_data_set(name: str,
                   root: Optional[str] = None,
                   read: bool = False) -> Verdict:
    """Count what is there of a data set and compare.

    Args:
        name (str): Of ``DATA_SETS``.
        root (str, optional): Its folder. Defaults to None: where the configs
            look for it.
        read (bool): Whether to open every picture and label, which takes
            minutes; else their presence and size in bytes is all. Defaults
            to False.

    Returns:
        Verdict: See there.

    Raises:
        ValueError: If there is no such data set.
        ImportError: If the library of its task is not installed; says how.
    """
    if name not in DATA_SETS:
        raise ValueError(f"'{name}' is no data set that can be counted; they "
                         f'are {", ".join(DATA_SETS)}')
    wanted = DATA_SETS[name]
    root = osp.expanduser(root or wanted.root)
    if not osp.isdir(root):
        counted = Counted(problems=[
            f"there is no folder '{root}': give --root, or see "
            'docs/data.md for where to ask for the data'
        ])
    else:
        counted = _counting_function(wanted)(root, read=read)
    return compare(wanted, root, counted)


def _counting_function(wanted: DataSet):
    module, function = wanted.count.split(':')
    try:
        return getattr(import_module(module), function)
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith('saip_mm'):
            raise
        raise ImportError(
            f'{wanted.title} is read by {module}, which needs {error.name}: '
            "install the extra of its task, pip install -e '.[all]' say"
        ) from error


def compare(wanted: DataSet, root: str, counted: Counted) -> Verdict:
    """Put what was counted beside what was published.

    Args:
        wanted (DataSet): What was published.
        root (str): Folder, to be named.
        counted (Counted): What is there.

    Returns:
        Verdict: 'complete' if each published number is met and nothing is
        wrong; less, if none is exceeded; else other.

    Example:
        >>> wanted = DataSet('A', 'data/a', '', {'pictures': 3})
        >>> compare(wanted, 'a', Counted({'pictures': 2})).word
        'less than was published'
    """
    published = wanted.published
    names = list(dict.fromkeys((*counted.numbers, *published)))
    steps = {
        name: counted.numbers.get(name, 0) - published[name]
        for name in published
    }
    word = COMPLETE
    if any(steps.values()):
        word = LESS if max(steps.values()) <= 0 else OTHER
    if counted.problems:
        word = BROKEN
    width = max((len(name) for name in names), default=0)
    lines = [f'{wanted.title}, {root}']
    if names:
        lines.append(f'  {"":{width}}  {"found":>11}  {"published":>11}')
    for name in names:
        found, told = counted.numbers.get(name), published.get(name)
        mark = '' if not steps.get(name) else f'  {steps[name]:+,}'
        lines.append(
            f'  {name:{width}}  {_shown(found)}  {_shown(told)}{mark}')
    lines += [f'note: {note}' for note in counted.notes]
    lines += [
        f'error: {" ".join(problem.split())}' for problem in counted.problems
    ]
    if any('data_root' in problem for problem in counted.problems):
        lines.append(f'note: data_root, a setting of the configs, is {root} '
                     'here, by --root')
    said = {LESS: wanted.if_less}.get(word, '')
    lines.append(f'verdict: {word}' + (f'; {said}' if said else ''))
    return Verdict(word, not counted.problems, lines)


def _shown(number: Optional[int]) -> str:
    return f'{"-":>11}' if number is None else f'{number:>11,}'


def count_files(paths: Iterable[str],
                what: str,
                counted: Counted,
                read: bool = False,
                sizes: Optional[Iterable[Optional[Size]]] = None) -> int:
    """Count pictures that are there; others become problems.

    Args:
        paths (Iterable[str]): Their files.
        what (str): Whose they are, 'pictures of annotation_val.odgt' say.
        counted (Counted): Gets a problem for each kind of fault: the number
            of files, and the first.
        read (bool): Whether to read them: for what is cut short, is no
            picture, or has another size. Defaults to False.
        sizes (Iterable, optional): Height and width that their annotations
            say, in the order of the paths, None where nothing is said.
            Defaults to None. A turned picture may have them exchanged.

    Returns:
        int: How many are there and have a fault in none of these ways.
    """
    paths = list(paths)
    sizes = list(sizes) if sizes is not None else [None] * len(paths)
    faults: Dict[str, List[str]] = {}
    steps = zip(paths, sizes)
    if read and paths:
        steps = track_iter_progress((steps, len(paths)))
    for path, size in steps:
        fault = _fault(path, size, read)
        if fault:
            faults.setdefault(fault, []).append(path)
    for fault, files in faults.items():
        counted.problems.append(f'{len(files):,} of {len(paths):,} {what} '
                                f'{fault}, first {files[0]}')
    return len(paths) - sum(map(len, faults.values()))


def _fault(path: str, size: Optional[Size], read: bool) -> Optional[str]:
    try:
        if not os.stat(path).st_size:
            return 'are empty (0 bytes): copy them again'
        if not read:
            return None
        with open(path, 'rb') as file:
            data = file.read()
        header = read_header(data)
    except BrokenImageError:
        return 'are no pictures'
    except OSError:
        return 'are missing or cannot be read'
    if is_truncated(data):
        return 'are cut short: copy them again'
    if size and header.size not in (tuple(size), tuple(size)[::-1]):
        return 'have another size than their annotations say'
    return None
