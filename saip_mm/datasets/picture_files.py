"""Pictures as the user has them, all brought to one size."""
import os.path as osp
from pathlib import Path
from typing import Any, List, NamedTuple, Sequence, Union

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from .sources import FolderSource
from .transforms import BrokenImageError, DecodeImage, ResizePerson
from .transforms.decode import Size

Pictures = Union[str, Path, np.ndarray, Sequence[Union[str, Path, np.ndarray]]]
MIN_SIZE = (512, 256)  # of DecodeImage: decoded smaller only beyond this


class Unreadable(NamedTuple):
    """A picture that cannot be read.

    Attributes:
        path (str): Its file.
        reason (str): What is wrong with it.
    """
    path: str
    reason: str


class PictureFiles(Dataset):
    """Pictures of a folder, of a list of files, or arrays, at one size.

    An item is the picture as evaluation sees it, by ``DecodeImage`` and
    ``ResizePerson``: ``(3, h, w)`` uint8 RGB, EXIF rotation applied; or, where
    it cannot be read, an :class:`Unreadable`.

    Args:
        pictures (str | Path | np.ndarray | Sequence): A folder, of which all
            pictures are taken, those of its sub-folders too, sorted; a file;
            files; arrays ``(H, W, 3)`` uint8 RGB of any sizes, or one ``(N,
            H, W, 3)``.
        size (tuple[int, int]): Height and width in pixels. Defaults to
            (256, 128).

    Attributes:
        paths (list[str]): Of files; of arrays their number.

    Raises:
        FileNotFoundError: If there is no such file or folder.
        ValueError: If there are no pictures, or an array is none.

    Example:
        >>> pictures = PictureFiles(np.zeros((2, 80, 40, 3), np.uint8), (8, 4))
        >>> pictures.paths, pictures[1].shape
        (['0', '1'], torch.Size([3, 8, 4]))
    """

    def __init__(self, pictures: Pictures, size: Size = (256, 128)) -> None:
        self.arrays: Sequence[np.ndarray] = ()
        if isinstance(pictures, (str, Path)):
            self.paths = _found(osp.expanduser(pictures))
        elif isinstance(pictures, np.ndarray) or any(
                isinstance(picture, np.ndarray) for picture in pictures):
            self.arrays = pictures
            self.paths = [str(i) for i in range(len(pictures))]
            for number, picture in enumerate(pictures):
                _check_array(number, picture)
        else:
            self.paths = [osp.expanduser(path) for path in pictures]
        if not self.paths:
            raise ValueError('there are no pictures: the list is empty')
        self.decode = DecodeImage(
            tuple(max(pair) for pair in zip(MIN_SIZE, map(_double, size))))
        self.resize = ResizePerson(size)

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self):
        # without it Python would count up past the end
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Union[Tensor, Unreadable]:
        if len(self.arrays):
            image = np.ascontiguousarray(self.arrays[index])
            return self.resize(dict(img=image))['inputs']
        path = self.paths[index]
        try:
            image = self.decode(dict(img_path=path))
        except (BrokenImageError, OSError) as error:
            reason = getattr(error, 'strerror', None) or str(error)
            return Unreadable(path, reason)
        return self.resize(image)['inputs']


def _double(side: int) -> int:
    return 2 * side


def _found(place: str) -> List[str]:
    if osp.isfile(place):
        return [place]
    if not osp.exists(place):
        raise FileNotFoundError(f"'{place}' does not exist: name a picture, a "
                                'folder of pictures, or a list of them')
    return [osp.join(place, key) for key in FolderSource(place).keys]


def _check_array(number: int, picture: Any) -> None:
    if not (isinstance(picture, np.ndarray) and picture.dtype == np.uint8
            and picture.ndim == 3 and picture.shape[2] == 3
            and 0 not in picture.shape):
        what = (f'{picture.dtype} {picture.shape}' if isinstance(
            picture, np.ndarray) else f'a {type(picture).__name__}')
        raise ValueError(f'picture {number} is {what}: give uint8 RGB arrays '
                         '(H, W, 3), all arrays or all files')
