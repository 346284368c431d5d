"""Pictures in batches, and what could not be read."""
from typing import Iterator, List, Tuple

import torch
from mmengine.logging import print_log
from mmengine.utils import ProgressBar
from torch import Tensor
from torch.utils.data import DataLoader

from ..datasets.picture_files import PictureFiles, Unreadable

TOLD = 3  # skipped pictures that are named in the log


def picture_batches(files: PictureFiles, batch_size: int, num_workers: int,
                    skipped: List[Unreadable], skip: bool,
                    progress: bool) -> Iterator[Tuple[Tensor, List[str]]]:
    """Read pictures, a batch at a time.

    Args:
        files (PictureFiles): Which.
        batch_size (int): Pictures at a time.
        num_workers (int): Processes that read; 0 for this one.
        skipped (list[Unreadable]): Gets those that cannot be read.
        skip (bool): Whether to go on without them.
        progress (bool): Whether to draw a progress bar.

    Yields:
        tuple[Tensor | None, list[str]]: ``(B, 3, h, w)`` uint8 RGB and paths,
        without unreadable ones; None if there are none but those.

    Raises:
        OSError: If a picture cannot be read, unless ``skip``; names it.
    """
    loader = DataLoader(
        files,
        batch_size,
        num_workers=num_workers,
        collate_fn=list,
        generator=torch.Generator())
    bar = ProgressBar(len(files)) if progress else None
    start = 0
    for batch in loader:
        paths, images = [], []
        for path, picture in zip(files.paths[start:start + len(batch)], batch):
            if not isinstance(picture, Unreadable):
                paths.append(path)
                images.append(picture)
            elif skip:
                skipped.append(picture)
            else:
                raise OSError(
                    f"cannot read picture '{picture.path}': {picture.reason}; "
                    'mend it or take it away, or leave out what cannot be '
                    'read (skip_unreadable, --skip-unreadable)')
        start += len(batch)
        yield torch.stack(images) if images else None, paths
        if bar:
            bar.update(len(batch))
    if bar:
        bar.file.write('\n')


def tell_skipped(skipped: List[Unreadable]) -> None:
    """Log how many pictures were left out, and name the first."""
    if skipped:
        named = '; '.join(f"'{s.path}': {s.reason}" for s in skipped[:TOLD])
        more = '; ...' * (len(skipped) > TOLD)
        print_log(
            f'{len(skipped)} pictures cannot be read and are left out: '
            f'{named}{more}', 'current')
