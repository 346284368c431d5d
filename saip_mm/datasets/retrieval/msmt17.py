"""MSMT17: person crops of 15 cameras, named in four lists."""
import os.path as osp
from typing import Dict, List, NamedTuple, Optional, Tuple

from mmengine.logging import print_log

from mmpretrain.registry import DATASETS
from ..text_files import read_text
from .market1501 import MarketDataset

LISTS = dict(
    train=('list_train.txt', 'list_val.txt'),
    query=('list_query.txt', ),
    gallery=('list_gallery.txt', ))
# version: folders of the pictures to train and to test
FOLDERS = dict(V1=('train', 'test'), V2=('mask_train_v2', 'mask_test_v2'))
LAYOUT = ('train/ and test/ (version 1), or mask_train_v2/ and mask_test_v2/ '
          '(version 2, faces blurred), beside list_train.txt, list_val.txt, '
          'list_query.txt and list_gallery.txt')
SAMPLES = 100  # of the pictures listed, looked for before training


class Listed(NamedTuple):
    """A line of a list: path, identity, and the line's number from 1."""
    path: str
    pid: int
    line: int


def parse_line(text: str) -> Tuple[str, int]:
    """Path and identity of a line.

    Raises:
        ValueError: If it is none.

    Example:
        >>> parse_line('0003/0003_012_14_0303noon_0015_0.jpg 3')
        ('0003/0003_012_14_0303noon_0015_0.jpg', 3)
    """
    path, number = text.rsplit(maxsplit=1)
    return path, int(number)


def camera_of(path: str) -> int:
    """Camera, counted from 1, of a picture's name: its third part.

    Raises:
        ValueError: If the name has another form.

    Example:
        >>> camera_of('0003/0003_012_14_0303noon_0015_0_ex.jpg')
        14
    """
    try:
        return int(osp.basename(path).split('_')[2])
    except (IndexError, ValueError):
        raise ValueError(
            f"cannot read the camera from '{path}': it is the third part of "
            'names such as 0000_000_01_0303morning_0015_0.jpg') from None


def read_list(path: str) -> List[Listed]:
    """Read one of the lists; blank lines are skipped.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a line is no path with an identity, or identities are
            not 0 to N - 1; names file and line.
    """
    name, found = osp.basename(path), []
    text = read_text(path, f'expected layout: {LAYOUT}')
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append(Listed(*parse_line(line.strip()), number))
        except ValueError:
            raise ValueError(f"{name} line {number}: expected '<path> <id>', "
                             f"got '{line}' ({path})") from None
    pids = {entry.pid for entry in found}
    missing = sorted(set(range(max(pids, default=-1) + 1)) - pids)
    if missing or min(pids, default=0) < 0:
        listed = ', '.join(map(str, missing[:5]))
        more = ', ...' if len(missing) > 5 else ''
        raise ValueError(f'{name}: identities are not 0..N-1 (missing: '
                         f'{listed or "none, but some are negative"}{more}) '
                         f'({path})')
    return found


@DATASETS.register_module()
class MSMT17Dataset(MarketDataset):
    """One split of MSMT17, version 1 or 2, or of data laid out like it.

    ``data_root`` has the folders of pictures and the lists, or the archive's
    own ``MSMT17_V1`` or ``MSMT17_V2``. Version 1 is taken where both lie;
    the log says which. Identities are those of the lists: those to train and
    those to test are numbered separately.

    Args:
        data_root (str): Folder of the set. Defaults to ''.
        split (str): 'train', 'query' or 'gallery'. Defaults to 'train'.
        use_val (bool): Whether 'train' has the pictures of ``list_val.txt``
            too, as results in the literature mostly do. Defaults to True.
        version (str, optional): 'V1' or 'V2', to insist on it. Defaults to
            None, the first that is there.
        layout (str): 'lists', or 'market' for copies renamed like
            Market1501: identity and camera are then read off the names.
            Defaults to 'lists'.
        check_files (bool): Whether a hundred of the pictures listed are
            looked for before training starts. Defaults to True.
        **kwargs: Of :class:`PersonRetrievalDataset`.

    Raises:
        FileNotFoundError: If a folder, a list or a picture is missing.
        ValueError: If an option is unknown, a list or a name has another
            form, or identities have gaps.

    Source:
        TransReID's reader (damo-cv/TransReID @ dec5504), which knows version
        1 alone.
    """

    METAINFO = dict(dataset_name='MSMT17')
    MAX_PID, NUM_CAMS, DISTRACTOR = None, 15, None

    def __init__(self,
                 data_root: str = '',
                 split: str = 'train',
                 use_val: bool = True,
                 version: Optional[str] = None,
                 layout: str = 'lists',
                 check_files: bool = True,
                 **kwargs) -> None:
        if version not in (None, *FOLDERS):
            raise ValueError(f"version must be one of {', '.join(FOLDERS)} or "
                             f'None, got {version!r}')
        if layout not in ('lists', 'market'):
            raise ValueError("layout must be 'lists' or 'market', got "
                             f'{layout!r}')
        self.use_val = use_val
        self.version = version
        self.layout = layout
        self.check_files = check_files
        super().__init__(data_root, split, **kwargs)

    def load_data_list(self) -> List[dict]:
        """Read the lists of one split."""
        if self.layout == 'market' or self.ann_file:  # which it refuses
            return super().load_data_list()
        root, version = self.find_version()
        folder = osp.join(root, FOLDERS[version][self.split != 'train'])
        print_log(f"MSMT17 {self.split}: version {version} in '{folder}'",
                  'current')
        infos = []
        for name in self.lists():
            listed = read_list(osp.join(root, name))
            if self.check_files:
                _look_for(listed[::max(1,
                                       len(listed) // SAMPLES)], folder, name)
            infos += [
                dict(
                    img_path=osp.join(folder, path),
                    pid=pid,
                    camid=camera_of(path) - 1) for path, pid, _ in listed
            ]
        return infos

    def lists(self) -> Tuple[str, ...]:
        """Names of the split's lists."""
        names = LISTS[self.split]
        return names if self.use_val else names[:1]

    def find_version(self) -> Tuple[str, str]:
        """Folder of the lists, and 'V1' or 'V2'.

        Raises:
            FileNotFoundError: If neither is there.
        """
        wanted: Dict[str, Tuple[str, str]] = {
            version: FOLDERS[version]
            for version in ([self.version] if self.version else FOLDERS)
        }
        for version, folders in wanted.items():
            for inner in ('', *(f'MSMT17_{v}' for v in FOLDERS)):
                root = osp.join(self.data_root, inner)
                folder = folders[self.split != 'train']
                if osp.isdir(osp.join(root, folder)):
                    return root, version
        folder = next(iter(wanted.values()))[self.split != 'train']
        raise FileNotFoundError(
            f"MSMT17: folder '{osp.join(self.data_root, folder)}' not found. "
            f'Expected layout: {LAYOUT}')


def _look_for(listed: List[Listed], folder: str, name: str) -> None:
    for entry in listed:
        path = osp.join(folder, entry.path)
        if not osp.isfile(path):
            raise FileNotFoundError(
                f"'{path}' does not exist, {name} line {entry.line} names it: "
                'is the copy complete? tools/dataset_converters/check_data.py '
                'msmt17 counts it')
