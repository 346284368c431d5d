"""Market1501: person crops with identity and camera, for retrieval."""
import os
import os.path as osp
import re
from typing import List

from mmengine.logging import print_log

from mmpretrain.registry import DATASETS
from ..sources import IMAGE_SUFFIXES
from .base import PersonRetrievalDataset

FOLDERS = dict(
    train='bounding_box_train', query='query', gallery='bounding_box_test')
ARCHIVE = 'Market-1501-v15.09.15'
LAYOUT = ('bounding_box_train/, query/ and bounding_box_test/ with files '
          'such as 0002_c1s1_000451_03.jpg')
NAME = re.compile(r'^(-?\d+)_c(\d+)')


def parse_name(name: str) -> tuple:
    """Read identity and camera from a file's name.

    Args:
        name (str): Base name.

    Returns:
        tuple[int, int]: Identity (-1 junk, 0 distractor) and camera,
        counted from 1.

    Raises:
        ValueError: If the name has another form.

    Example:
        >>> parse_name('0002_c1s1_000451_03.jpg'), parse_name('-1_c6s3.jpg')
        ((2, 1), (-1, 6))
    """
    match = NAME.match(name)
    if match is None:
        raise ValueError(f"cannot read identity and camera from '{name}'")
    return int(match[1]), int(match[2])


@DATASETS.register_module()
class MarketDataset(PersonRetrievalDataset):
    """One split of Market1501, or of data laid out like it.

    Identity 0 are distractors, which match nobody. ``data_root`` is the
    folder with ``bounding_box_train``, ``query`` and ``bounding_box_test``,
    or the one above the archive's own. ``max_pid`` defaults to 1501,
    ``num_cams`` to 6; for other arguments see
    :class:`PersonRetrievalDataset`.

    Raises:
        FileNotFoundError: If a folder is missing.
        ValueError: If a split is unknown, a name has another form, an
            identity or camera is out of range, or no image is left.

    Source:
        TransReID's reader (damo-cv/TransReID @ dec5504). It searches the
        whole path for the pattern, here the base name counts.
    """

    METAINFO = dict(dataset_name='Market1501')
    MAX_PID, NUM_CAMS, DISTRACTOR = 1501, 6, 0

    def load_data_list(self) -> List[dict]:
        """Read the names of one folder."""
        if self.ann_file:
            raise ValueError(
                f"ann_file '{self.ann_file}' has no use: identity and camera "
                'are read off the names of files. PersonRetrievalDataset '
                'reads lists')
        folder = self._folder()
        # A Mac's '._*.jpg' hold no picture.
        found = [n for n in os.listdir(folder) if not n.startswith('.')]
        names = sorted(n for n in found if n.lower().endswith(IMAGE_SUFFIXES))
        wrong = [n for n in names if NAME.match(n) is None]
        if wrong:
            raise ValueError(
                f"cannot read identity and camera from '{wrong[0]}': "
                f"{len(wrong)} names in '{folder}' are not of the form "
                f'0002_c1s1_000451_03.jpg, first {wrong[:3]}')
        if len(names) < len(found):
            print_log(
                f'{len(found) - len(names)} files of other kinds in '
                f"'{folder}' left out",
                logger='current')
        persons = [parse_name(name) for name in names]
        return [
            dict(img_path=osp.join(folder, name), pid=pid, camid=cam - 1)
            for name, (pid, cam) in zip(names, persons)
        ]

    def _folder(self) -> str:
        for root in (self.data_root, osp.join(self.data_root, ARCHIVE)):
            folder = osp.join(root, FOLDERS[self.split])
            if osp.isdir(folder):
                return folder
        raise FileNotFoundError(
            f'{self.METAINFO["dataset_name"]}: folder '
            f"'{osp.join(self.data_root, FOLDERS[self.split])}' not found. "
            f'Expected layout: {LAYOUT}')
