"""Whether what was downloaded is CIHP: its index, counts and comparisons."""
import os.path as osp
from collections import Counter
from functools import partial
from typing import List, NamedTuple, Optional, Sequence

import numpy as np
from mmengine.fileio import get
from mmengine.utils import ProgressBar

from saip_mm.datasets.transforms.label_image import read_label
from .label_files import Split, find_root, read_maps
from .parts import NUM_PARTS, join_maps
from .person_index import build_index, map_pictures, read_names, write_index

FOLDERS = dict(train='Training', val='Validation')
# by the data set's authors; of the validation lists, by counting them
PUBLISHED = dict(
    train=dict(pictures=28280),
    val=dict(
        pictures=5000, persons=17520, instances=121374, fewest=2, most=12))
PERSONS_A_PICTURE = 3.4  # by the data set's authors, over all splits
SOURCE = '''Where to get CIHP: its authors' page www.sysu-hcp.net/lip, and the
Google Drive and Baidu folders that github.com/Engineering-Course/CIHP_PGN
names. Terms: pictures from the web, labelled for research; treat it as
non-commercial. As of November 2026; users report the page dead since 2022.'''


class SplitReport(NamedTuple):
    """What was found of a split.

    Attributes:
        name (str): 'train' or 'val'.
        index (str): Path of the index written.
        counts (dict): ``pictures``, ``persons``, ``instances`` (parts of
            persons), ``fewest`` and ``most`` persons of a picture.
        odd (Counter): See :func:`scan_picture`.
        wrong (list[str], optional): Files of instances that disagree with
            the two maps; None if they were not compared.
    """
    name: str
    index: str
    counts: dict
    odd: Counter
    wrong: Optional[List[str]]

    def lines(self) -> List[str]:
        """The counts, the published ones beside."""
        known, found = PUBLISHED[self.name], []
        for key, value in self.counts.items():
            beside = f' (published {known[key]})' if key in known else ''
            found.append(f'{value} {key}{beside}')
        mean = self.counts['persons'] / max(self.counts['pictures'], 1)
        return [
            f'{self.name}: ' + ', '.join(found),
            f'{self.name}: {mean:.2f} persons a picture (published '
            f'{PERSONS_A_PICTURE} over all); index {self.index}'
        ]


def split_of(root: str, name: str) -> Split:
    """Paths of 'train' or 'val' in CIHP's own layout."""
    folder = osp.join(root, FOLDERS[name])
    return Split(
        osp.join(root, f'annotations/cihp_{name}.json'),
        osp.join(folder, f'{name}_id.txt'), osp.join(folder, 'Images'),
        osp.join(folder, 'Category_ids'), osp.join(folder, 'Human_ids'))


def check_archive(root: str,
                  splits: Sequence[str] = ('train', 'val'),
                  compare: bool = False,
                  workers: int = 0,
                  progress: bool = True) -> List[SplitReport]:
    """Write the indices of CIHP and count what is in it.

    Args:
        root (str): Its folder; see :func:`find_root`.
        splits (Sequence[str]): Of 'train' and 'val'. Defaults to both.
        compare (bool): Whether the files of instances are compared with the
            two maps, which takes as long again. Defaults to False.
        workers (int): Processes; 0 reads in this one. Defaults to 0.
        progress (bool): Whether to show bars. Defaults to True.

    Returns:
        list[SplitReport]: One a split.

    Raises:
        FileNotFoundError: If a list or a file is missing.
        ValueError: As :func:`scan_picture`: picture and maps differ in size,
            a map is none, or holds a part that is none.
    """
    root = osp.expanduser(root)
    reports = []
    for name in splits:
        id_file = osp.join(FOLDERS[name], f'{name}_id.txt')
        split = split_of(find_root(root, id_file), name)
        pictures, odd = build_index(split, workers=workers, progress=progress)
        write_index(pictures, split.ann_file)
        persons = [len(picture.persons) for picture in pictures]
        counts = dict(
            pictures=len(pictures),
            persons=sum(persons),
            instances=odd['instances'],
            fewest=min(persons),
            most=max(persons))
        wrong = None
        if compare:
            wrong = compare_instances(split, workers, progress)
        reports.append(SplitReport(name, split.ann_file, counts, odd, wrong))
    return reports


def compare_instances(split: Split,
                      workers: int = 0,
                      progress: bool = False) -> List[str]:
    """Files of instances that disagree with the maps of parts and persons.

    Args:
        split (Split): Where the maps are; ``Instance_ids`` lies beside them.
        workers (int): Processes; 0 reads in this one. Defaults to 0.
        progress (bool): Whether to show a bar. Defaults to False.

    Returns:
        list[str]: Each with the reason: ``0000006.png: 12 pixels differ``.
    """
    names = read_names(split.id_file)
    bar = ProgressBar(len(names)) if progress else None
    wrong = []
    for complaints in map_pictures(
            partial(compare_picture, split=split), names, workers):
        wrong += complaints
        if bar is not None:
            bar.update()
    if bar is not None:
        print()
    return wrong


def compare_picture(name: str, split: Split) -> List[str]:
    """What of a picture's instances disagrees with its two maps."""
    paths = split.paths(name)
    joined = join_maps(*read_maps(paths['category_path'], paths['human_path']))
    stem = osp.join(osp.dirname(split.category), 'Instance_ids', name)
    wrong = []
    for ending, compare in (('.png', _compare_map), ('.txt', _compare_list)):
        path = stem + ending
        if not osp.isfile(path):
            wrong.append(f'{path}: missing')
            continue
        try:
            complaint = compare(path, joined)
        except ValueError as error:
            complaint = str(error)
        if complaint:
            wrong.append(f'{path}: {complaint}')
    return wrong


def _compare_map(path: str, joined: np.ndarray) -> str:
    instances = read_label(get(path), path)
    if instances.shape != joined.shape:
        return f'{instances.shape} in size, the maps {joined.shape}'
    number = int((instances != joined).sum())
    return f'{number} pixels differ' if number else ''


def _compare_list(path: str, joined: np.ndarray) -> str:
    with open(path, encoding='utf-8') as file:
        lines = [line.split() for line in file if line.strip()]
    try:
        listed = {tuple(map(int, line)) for line in lines}
    except ValueError:
        return 'not all lines are three numbers'
    values = [int(v) for v in np.unique(joined) if v]
    shown = {(v, v % NUM_PARTS, v // NUM_PARTS + 1) for v in values}
    differing = sorted(listed ^ shown)
    if not differing:
        return ''
    where = 'listed' if differing[0] in listed else 'in the maps'
    text = ' '.join(map(str, differing[0]))
    return f"'{text}' is {where} alone, {len(differing)} differ in all"
