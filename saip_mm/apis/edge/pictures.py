"""Pictures for calibration and measurement, as an exported file takes them.
"""
import os.path as osp
from typing import Dict, Iterator, List, Tuple

import numpy as np
from PIL import Image

from saip_mm.datasets.sources import walk_images
from saip_mm.datasets.transforms import BrokenImageError, decode_image

BATCH = 8


def folder_pictures(folder: str,
                    size: Tuple[int, int],
                    limit: int,
                    seed: int = 0) -> np.ndarray:
    """Some of the pictures below a folder, in one size.

    Args:
        folder (str): Folder.
        size (tuple[int, int]): Height and width; proportions are not kept.
        limit (int): Pictures at most, drawn.
        seed (int): Of the draw. Defaults to 0.

    Returns:
        np.ndarray: ``(N, 3, H, W)`` uint8, RGB.

    Raises:
        FileNotFoundError: If there is no picture.
        OSError: If one cannot be decoded; names it.
    """
    folder = osp.expanduser(folder)
    keys = list(walk_images(folder)) if osp.isdir(folder) else []
    if not keys:
        raise FileNotFoundError(f"'{folder}' holds no pictures")
    order = np.random.default_rng(seed).permutation(len(keys))[:limit]
    found = []
    for path in (osp.join(folder, keys[int(i)]) for i in order):
        with open(path, 'rb') as file:
            data = file.read()
        try:
            found.append(resized(decode_image(data), size))
        except BrokenImageError as error:
            raise OSError(f"cannot decode '{path}': {error}") from error
    return np.stack(found)


def rendered_pictures(size: Tuple[int, int],
                      count: int,
                      seed: int = 0) -> np.ndarray:
    """Rendered persons, as :func:`folder_pictures` gives them."""
    from saip_mm.synthetic.writers import WRITERS
    writer = WRITERS['market1501']
    jobs = [job for job in writer.plan('small', seed) if job.split == 'test']
    order = np.random.default_rng(seed).permutation(len(jobs))[:count]
    found = []
    for index in order:
        files, _ = writer.render(jobs[int(index)], seed)
        found += [resized(decode_image(data), size) for data in files.values()]
    return np.stack(found)


def resized(picture: np.ndarray, size: Tuple[int, int]) -> np.ndarray:
    """``(h, w, 3)`` uint8 -> ``(3, H, W)``, bilinear, smooth where it
    shrinks."""
    image = Image.fromarray(picture)
    image = image.resize((size[1], size[0]), Image.BILINEAR)
    return np.asarray(image).transpose(2, 0, 1)


def normalised(pictures: np.ndarray, sidecar: dict) -> np.ndarray:
    """``(N, 3, H, W)`` uint8 RGB -> float32, as a sidecar says."""
    mean, std = (
        np.array(sidecar['input'][name], np.float32).reshape(3, 1, 1)
        for name in ('mean', 'std'))
    return (pictures.astype(np.float32) - mean) / std


def picture_batches(pictures: np.ndarray,
                    sidecar: dict) -> List[Dict[str, np.ndarray]]:
    """Inputs of an exported file, some pictures a batch."""
    return list(_batches(pictures, sidecar))


def _batches(pictures: np.ndarray,
             sidecar: dict) -> Iterator[Dict[str, np.ndarray]]:
    for start in range(0, len(pictures), BATCH):
        yield dict(images=normalised(pictures[start:start + BATCH], sidecar))
