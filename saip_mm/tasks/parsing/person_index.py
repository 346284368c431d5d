"""The index of a split: a file of its pictures, persons and their boxes."""
import json
import logging
import os.path as osp
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Iterator, List, Sequence, Tuple

from mmengine.dist import barrier, get_rank
from mmengine.logging import print_log
from mmengine.utils import ProgressBar

from saip_mm.datasets.labelled_files import read_ids
from saip_mm.datasets.text_files import read_json
from saip_mm.weights import write_file
from .label_files import LAYOUT, Split
from .parts import NUM_PARTS
from .picture_scan import Person, Picture, describe_odd, scan_picture

CHUNK = 32  # pictures a worker reads at a time
TOOL = 'tools/dataset_converters/cihp.py'


def read_names(id_file: str) -> List[str]:
    """Ids of a split, checked to be numbers that differ.

    Raises:
        FileNotFoundError: If there is no list.
        ValueError: If it holds none, or an id is no number or stands for
            the same number as another.
    """
    if not osp.isfile(id_file):
        raise FileNotFoundError(f'there is no {id_file}: set id_file and '
                                f'data_root. {LAYOUT}')
    numbers = {}
    for line, name in read_ids(id_file)[0]:
        if not name.isdecimal():
            raise ValueError(f'{id_file} line {line}: id {name!r} is no '
                             'number; pictures are called 0000006.jpg')
        other = numbers.setdefault(int(name), name)
        if other != name:
            raise ValueError(f'{id_file} line {line}: {name} is the same '
                             f'number as {other}')
    return list(numbers.values())


def build_index(split: Split,
                num_parts: int = NUM_PARTS,
                parts_of: str = 'CIHP',
                workers: int = 0,
                progress: bool = False) -> Tuple[List[Picture], Counter]:
    """Read the maps of all pictures, in the order of the list of ids.

    Args:
        split (Split): Where they are.
        num_parts (int): See :func:`read_maps`.
        parts_of (str): See :func:`read_maps`.
        workers (int): Processes; 0 reads in this one. Defaults to 0.
        progress (bool): Whether to show a bar. Defaults to False.

    Returns:
        tuple[list[Picture], Counter]: Pictures, and the sums of what
        :func:`scan_picture` counts.

    Raises:
        FileNotFoundError, ValueError: As :func:`scan_picture`.
    """
    names = read_names(split.id_file)
    scan = partial(
        scan_picture, split=split, num_parts=num_parts, parts_of=parts_of)
    bar = ProgressBar(len(names)) if progress else None
    pictures, total = [], Counter()
    for picture, found in map_pictures(scan, names, workers):
        pictures.append(picture)
        total.update(found)
        if bar is not None:
            bar.update()
    if bar is not None:
        print()
    return pictures, total


def map_pictures(function, names: Sequence[str], workers: int) -> Iterator:
    """Apply a function to each, in order, by processes if there are two."""
    if workers < 2:
        yield from map(function, names)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(function, names, chunksize=CHUNK)


def write_index(pictures: Sequence[Picture], path: str) -> None:
    """Write COCO's form of the index, whole or not at all."""
    images = [
        dict(
            id=picture.id,
            file_name=f'{picture.name}.jpg',
            width=picture.width,
            height=picture.height) for picture in pictures
    ]
    persons = [(picture.id, person) for picture in pictures
               for person in picture.persons]
    annotations = [
        dict(
            id=number,
            image_id=image,
            category_id=1,
            human_id=person.human_id,
            bbox=person.bbox,
            area=person.area,
            iscrowd=0) for number, (image, person) in enumerate(persons, 1)
    ]
    content = dict(
        images=images,
        categories=[dict(id=1, name='person')],
        annotations=annotations)
    write_file(path, json.dumps(content).encode())


def read_index(path: str, names: Sequence[str]) -> List[Picture]:
    """Read what :func:`write_index` wrote.

    Args:
        path (str): The index.
        names (Sequence[str]): Ids that it must hold, and no others.

    Returns:
        list[Picture]: In its order.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such index, or one of other pictures.
    """
    rebuild = f'delete it to rebuild, or run {TOOL}'
    try:
        content = read_json(path, f'run {TOOL}')
        pictures = {
            image['id']:
            Picture(
                int(image['id']),
                osp.splitext(image['file_name'])[0], int(image['height']),
                int(image['width']), [])
            for image in content['images']
        }
        for ann in content['annotations']:
            x, y, w, h = map(int, ann['bbox'])
            pictures[ann['image_id']].persons.append(
                Person(int(ann['human_id']), [x, y, w, h], int(ann['area'])))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f'{path} is no index of persons ({error!r}): '
                         f'{rebuild}') from error
    found = [picture.name for picture in pictures.values()]
    differing = sorted(set(found) ^ set(names))
    if differing:
        raise ValueError(
            f'{path} lists {len(found)} pictures and the list of ids '
            f'{len(names)}; {differing[0]} is in one of them alone: {rebuild}')
    return list(pictures.values())


def load_index(split: Split,
               num_parts: int = NUM_PARTS,
               parts_of: str = 'CIHP') -> List[Picture]:
    """Read the index, after making it if it is not there.

    In distributed runs the first process makes it, and all must call. Where
    it cannot be written, all processes read the maps each time.

    Args:
        split (Split): Where the pictures are.
        num_parts (int): See :func:`read_maps`.
        parts_of (str): See :func:`read_maps`.

    Returns:
        list[Picture]: In the order of the index.

    Raises:
        FileNotFoundError, ValueError: As :func:`read_index` and
            :func:`build_index`.
    """
    names, path = read_names(split.id_file), split.ann_file
    exists = osp.isfile(path)
    barrier()  # nobody looks after the first process has written
    pictures = None
    if not exists and get_rank() == 0:
        print_log(
            f'Read the maps of {len(names)} pictures for {path}; {TOOL} '
            'does it with several processes', 'current')
        pictures, found = build_index(split, num_parts, parts_of)
        if describe_odd(found):
            print_log(f'{path}: {describe_odd(found)}', 'current',
                      logging.WARNING)
        try:
            write_index(pictures, path)
        except OSError as error:  # a read-only folder
            print_log(
                f'Cannot keep {path}: {error}. It will be made again each '
                'time: set ann_file to a path that can be written', 'current',
                logging.WARNING)
    barrier()
    if osp.isfile(path):
        return read_index(path, names)
    return pictures or build_index(split, num_parts, parts_of)[0]
