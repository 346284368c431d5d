"""Pictures for calibration and measurement, as an exported file takes them.
"""
import os.path as osp
from typing import Dict, Iterator, Sequence, Tuple

import numpy as np
from torch.utils.data import Subset

from saip_mm.datasets.picture_files import PictureFiles, Unreadable
from saip_mm.datasets.transforms import decode_image

BATCH = 8


class PictureBatches:
    """Inputs of an exported file, some pictures a batch.

    Pictures are decoded when they are asked for: as floats, a few hundred of
    a detector's are gigabytes.

    Args:
        pictures (Sequence): ``(3, H, W)`` uint8 RGB tensors or
            :class:`Unreadable`, as :class:`PictureFiles` gives them.
        sidecar (dict): Of the file.

    Raises:
        OSError: In use, if a picture cannot be read; names it.
    """

    def __init__(self, pictures: Sequence, sidecar: dict) -> None:
        self.pictures, self.sidecar = pictures, sidecar

    def __len__(self) -> int:
        return len(self.pictures)

    def __iter__(self) -> Iterator[Dict[str, np.ndarray]]:
        for start in range(0, len(self), BATCH):
            numbers = range(start, min(start + BATCH, len(self)))
            images = np.stack([self._picture(number) for number in numbers])
            yield dict(images=normalised(images, self.sidecar))

    def _picture(self, number: int) -> np.ndarray:
        found = self.pictures[number]
        if isinstance(found, Unreadable):
            raise OSError(f"cannot read picture '{found.path}': "
                          f'{found.reason}; mend it or take it away')
        return found.numpy()


def folder_pictures(folder: str,
                    size: Tuple[int, int],
                    limit: int,
                    seed: int = 0) -> Sequence:
    """Some of the pictures below a folder, in one size.

    Args:
        folder (str): Folder.
        size (tuple[int, int]): Height and width; proportions are not kept.
        limit (int): Pictures at most, drawn.
        seed (int): Of the draw. Defaults to 0.

    Returns:
        Sequence: Of them, for :class:`PictureBatches`.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If there is no picture in it.
    """
    if not osp.isdir(osp.expanduser(folder)):
        raise FileNotFoundError(f"'{folder}' is no folder: name one of "
                                'pictures such as the network will get')
    files = PictureFiles(folder, size)
    order = np.random.default_rng(seed).permutation(len(files))[:limit]
    return Subset(files, order.tolist())


def rendered_pictures(size: Tuple[int, int],
                      count: int,
                      seed: int = 0) -> Sequence:
    """Rendered persons, as :func:`folder_pictures` gives them."""
    from saip_mm.synthetic.writers import WRITERS
    writer = WRITERS['market1501']
    jobs = [job for job in writer.plan('small', seed) if job.split == 'test']
    order = np.random.default_rng(seed).permutation(len(jobs))[:count]
    found = []
    for index in order:
        files, _ = writer.render(jobs[int(index)], seed)
        found += [decode_image(data) for data in files.values()]
    return PictureFiles(found, size)


def normalised(pictures: np.ndarray, sidecar: dict) -> np.ndarray:
    """``(N, 3, H, W)`` uint8 RGB -> float32, as a sidecar says."""
    mean, std = (
        np.array(sidecar['input'][name], np.float32).reshape(3, 1, 1)
        for name in ('mean', 'std'))
    return (pictures.astype(np.float32) - mean) / std
