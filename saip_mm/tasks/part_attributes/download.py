"""What a download of Fashionpedia holds, beside what was published."""
import os
import os.path as osp
from collections import Counter
from typing import List, NamedTuple

from prettytable import PrettyTable

from .fashion_file import FashionFile, read_fashion

# folder of the pictures, annotations, pictures that were published (as
# others counted them; nobody has counted them here)
SPLITS = dict(
    train=('train', 'instances_attributes_train2020.json', 45_623),
    val=('test', 'instances_attributes_val2020.json', 1_158))
PICTURES = dict(train=45_623, test=1_158 + 2_044)  # val and test together
CATEGORIES, ATTRIBUTES = 46, 294
ORIGIN = '''Where from (2026-11-27): https://fashionpedia.github.io/home/ lists
train2020.zip and val_test2020.zip for the pictures. Its link to the
annotations is dead (github.com/cvdfoundation/fashionpedia, issue 11): ask the
authors. By that page annotations are under CC BY 4.0, pictures under the terms
of the sites they were taken from; read it before use.'''


class Row(NamedTuple):
    """A count: of what, found here, published (None: not known)."""
    what: str
    found: int
    published: object = None


class Download(NamedTuple):
    """Counts of a download.

    Attributes:
        rows (list[Row]): What was counted.
        problems (list[str]): What is missing or wrong; none if it can be
            trained on and evaluated.
        notes (list[str]): What is odd, and does not matter.
    """
    rows: List[Row]
    problems: List[str]
    notes: List[str]

    def table(self) -> str:
        """Counts as text, published ones beside."""
        table = PrettyTable(['', 'found', 'published'])
        table.align = 'r'
        table.align[''] = 'l'
        for row in self.rows:
            known = '' if row.published is None else row.published
            table.add_row([row.what, row.found, known])
        return str(table)


def count_download(root: str) -> Download:
    """Count pictures and annotations.

    Args:
        root (str): Folder of the data set; ``~`` is the user's.

    Returns:
        Download: Counts and problems. Files that are missing or malformed
        are problems, too.

    Raises:
        FileNotFoundError: If there is no such folder.
    """
    root = osp.expanduser(root)
    if not osp.isdir(root):
        raise FileNotFoundError(f"'{root}' is no folder")
    rows, problems, notes = [], [], []
    pictures = {
        folder: _pictures(osp.join(root, folder))
        for folder in PICTURES
    }
    for folder, published in PICTURES.items():
        rows.append(
            Row(f'pictures in {folder}/', len(pictures[folder]), published))
    for split, (folder, name, published) in SPLITS.items():
        try:
            file = read_fashion(osp.join(root, name))
        except (OSError, ValueError) as error:
            problems.append(str(error))
            continue
        rows += _rows(split, file, published)
        missing = [
            image['file_name'] for image in file.images
            if image['file_name'] not in pictures[folder]
        ]
        if missing:
            problems.append(
                f'{len(missing)} of {len(file.images)} pictures of {name} are '
                f'not in {folder}/, first {missing[0]}')
        notes += file.notes
    return Download(rows, problems, notes)


def _pictures(folder: str) -> set:
    if not osp.isdir(folder):
        return set()
    return {
        entry.name
        for entry in os.scandir(folder) if entry.name.endswith('.jpg')
    }


def _rows(split: str, file: FashionFile, published: int) -> List[Row]:
    garments = file.annotations
    shown = Counter(one['category_id'] for one in garments)
    named = {place for one in garments for place in one['attributes']}
    return [
        Row(f'{split}: pictures', len(file.images), published),
        Row(
            f'{split}: pictures without a garment',
            len({image['id']
                 for image in file.images} -
                {one['image_id']
                 for one in garments})),
        Row(f'{split}: garments and parts', len(garments)),
        Row(f'{split}: of these, crowds',
            sum(one['iscrowd'] for one in garments)),
        Row(f'{split}: of these, with attributes',
            sum(bool(one['attributes']) for one in garments)),
        Row(f'{split}: categories shown', len(shown), CATEGORIES),
        Row(f'{split}: attributes named', len(named), ATTRIBUTES),
    ]
