"""Market1501: person crops with identity and camera, for retrieval."""
import os
import os.path as osp
import re
from typing import Callable, NamedTuple, Sequence, Union

from mmengine.logging import print_log
from torch.utils.data import Dataset

from mmpretrain.registry import DATASETS, TRANSFORMS
from .sources import IMAGE_SUFFIXES
from .transforms import BrokenImageError

FOLDERS = dict(
    train='bounding_box_train', query='query', gallery='bounding_box_test')
ARCHIVE = 'Market-1501-v15.09.15'
LAYOUT = ('bounding_box_train/, query/ and bounding_box_test/ with files '
          'such as 0002_c1s1_000451_03.jpg')
NAME = re.compile(r'^(-?\d+)_c(\d+)')
JUNK, DISTRACTOR = -1, 0


class Record(NamedTuple):
    """A picture of the set.

    Attributes:
        img_path (str): Its file.
        pid (int): Identity; -1 junk, 0 distractor.
        camid (int): Camera, counted from 0.
    """
    img_path: str
    pid: int
    camid: int


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
class MarketDataset(Dataset):
    """One split of Market1501, or of data laid out like it.

    A sample is ``dict(inputs=uint8 tensor (3, h, w), pid=int, camid=int,
    img_path=str)``; ``pid`` is the raw identity, ``camid`` 0-based.

    Junk detections (identity -1) are left out everywhere. Distractors
    (identity 0) stay in the gallery, where they match nobody.

    Args:
        data_root (str): Folder with ``bounding_box_train``, ``query`` and
            ``bounding_box_test``, or the folder above the archive's own.
        split (str): 'train', 'query' or 'gallery'. Defaults to 'train'.
        pipeline (list): Transforms (configs or callables) from ``data``
            (bytes) to ``inputs``. Defaults to decoding and resizing to
            256x128.
        max_pid (int): Largest identity allowed. Defaults to 1501.
        num_cams (int): Cameras allowed: 1 to this. Defaults to 6.

    Raises:
        FileNotFoundError: If a folder is missing.
        ValueError: If a split is unknown, a name has another form, an
            identity or camera is out of range, or no image is left.

    Source:
        TransReID's reader (damo-cv/TransReID @ dec5504). It searches the
        whole path for the pattern, here the base name counts.
    """

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        pipeline: Sequence[Union[dict,
                                 Callable]] = (dict(type='DecodeImage'),
                                               dict(type='ResizePerson')),
        max_pid: int = 1501,
        num_cams: int = 6,
    ) -> None:
        if split not in FOLDERS:
            raise ValueError(f'split must be one of {sorted(FOLDERS)}, got '
                             f"'{split}'")
        self.split = split
        self.max_pid, self.num_cams = max_pid, num_cams
        self.records = self._read(self._folder(data_root, split))
        self.pipeline = [
            TRANSFORMS.build(t) if isinstance(t, dict) else t for t in pipeline
        ]

    @property
    def metainfo(self) -> dict:
        """``num_ids`` and ``num_cams``, both counted."""
        return dict(
            dataset_name='Market1501',
            num_ids=len({r.pid
                         for r in self.records}),
            num_cams=len({r.camid
                          for r in self.records}))

    @staticmethod
    def _folder(data_root: str, split: str) -> str:
        data_root = osp.expanduser(data_root)
        for root in (data_root, osp.join(data_root, ARCHIVE)):
            folder = osp.join(root, FOLDERS[split])
            if osp.isdir(folder):
                return folder
        raise FileNotFoundError(
            'Market1501: folder '
            f"'{osp.join(data_root, FOLDERS[split])}' not found. Expected "
            f'layout: {LAYOUT}')

    def _read(self, folder: str) -> list:
        # A Mac's '._*.jpg' hold no picture.
        found = [n for n in os.listdir(folder) if not n.startswith('.')]
        names = sorted(n for n in found if n.lower().endswith(IMAGE_SUFFIXES))
        wrong = [n for n in names if NAME.match(n) is None]
        if wrong:
            raise ValueError(
                f"cannot read identity and camera from '{wrong[0]}': "
                f"{len(wrong)} names in '{folder}' are not of the form "
                f'0002_c1s1_000451_03.jpg, first {wrong[:3]}')
        records = []
        for name in names:
            pid, cam = parse_name(name)
            if pid != JUNK:
                self._check(pid, cam, osp.join(folder, name))
                records.append(Record(osp.join(folder, name), pid, cam - 1))
        junk = len(names) - len(records)
        if not records:
            raise ValueError(f"'{folder}' holds no usable images "
                             f'({len(names)} files, {junk} junk)')
        print_log(f'Market1501 {self.split}: {len(records)} images, {junk} '
                  f'junk detections and {len(found) - len(names)} files of '
                  'other kinds left out')
        return records

    def _check(self, pid: int, cam: int, path: str) -> None:
        if not 0 <= pid <= self.max_pid:
            raise ValueError(f"identity {pid} in '{path}' is outside "
                             f'0..{self.max_pid}; own data: set max_pid')
        if not 1 <= cam <= self.num_cams:
            raise ValueError(f"camera {cam} in '{path}' is outside "
                             f'1..{self.num_cams}; own data: set num_cams')
        if pid == DISTRACTOR and self.split != 'gallery':
            raise ValueError(f"'{path}' has identity 0, a distractor, which "
                             'only the gallery may hold')

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> dict:
        record = self.records[index]
        with open(record.img_path, 'rb') as file:
            results = dict(record._asdict(), data=file.read())
        try:
            for transform in self.pipeline:
                results = transform(results)
        except BrokenImageError as error:
            # A labelled image is never replaced: scores would be of others.
            raise OSError(
                f"cannot decode '{record.img_path}': {error}") from error
        return results
