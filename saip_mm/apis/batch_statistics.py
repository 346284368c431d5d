"""Running statistics of BatchNorm, measured on pictures as they are.

In training they are of all that a student sees: crops at several scales, of
changed colours. A picture as it is looks different, and eval mode normalises
it by those.
"""
from typing import Dict, List, Sequence, Union

import torch
from mmengine.device import get_device
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..datasets.picture_files import PictureFiles, Unreadable
from ..weights import Converted
from ..weights.publish import Statistics
from .encoders import Size, converted_encoder, normalised
from .picture_batches import picture_batches, tell_skipped

PICTURES = 2048
LEAST = 16  # pictures of a batch that counts


def measure_statistics(found: Converted,
                       pictures: Union[str, Sequence[str]],
                       count: int = PICTURES,
                       batch_size: int = 64,
                       skip_unreadable: bool = False,
                       progress: bool = True) -> Statistics:
    """Measure the BatchNorms of a backbone.

    Each normalises by the batch meanwhile, all else is in eval mode; mean and
    variance are the averages of those of the batches.

    Args:
        found (Converted): The backbone.
        pictures (str | Sequence[str]): A folder or files, see
            :class:`PictureFiles`. They need no labels, and should look like
            those that the backbone is for.
        count (int): Of more pictures so many are drawn, by seed 0. Defaults
            to 2048.
        batch_size (int): Pictures a batch, 16 or more. Defaults to 64.
        skip_unreadable (bool): Leave out pictures that cannot be read, and
            count them. Defaults to False.
        progress (bool): Whether to draw a progress bar. Defaults to True.

    Returns:
        Statistics: For :func:`~saip_mm.weights.publish_backbone`.

    Raises:
        FileNotFoundError: If there are no such pictures.
        OSError: If one cannot be read.
        ValueError: If the backbone has no BatchNorm, or there are fewer than
            16 pictures, or are to be.

    Source:
        "PreciseBN" of Wu and Johnson, Rethinking "Batch" in BatchNorm, 2021.
    """
    for name, value in (('count', count), ('batch_size', batch_size)):
        if value < LEAST:
            raise ValueError(f'{name} is {value}: a batch of fewer than '
                             f'{LEAST} pictures says little of the others')
    ready = converted_encoder(found, 'the backbone')
    norms = _norms(ready.encoder.backbone)
    if not norms:
        raise ValueError(f'{found.model["type"]} has no BatchNorm whose '
                         'statistics could be measured: publish it without '
                         'pictures')
    ready.encoder.to(get_device())
    files = _drawn(pictures, count, ready.size)
    skipped: List[Unreadable] = []
    seen = 0
    for norm in norms.values():  # all else stays in eval mode
        norm.reset_running_stats()
        norm.momentum = None  # the average over all batches
        norm.train()
    with torch.no_grad():
        for images, paths in picture_batches(files, batch_size, 0, skipped,
                                             skip_unreadable, progress):
            if len(paths) >= LEAST:  # the last one may be short
                ready.encoder(normalised(ready, images))
                seen += len(paths)
    tell_skipped(skipped)
    if not seen:
        raise ValueError(f'{len(files) - len(skipped)} pictures in '
                         f'{pictures}: at least {LEAST} are needed')
    return Statistics(_values(norms), seen)


def _norms(backbone: nn.Module) -> Dict[str, _BatchNorm]:
    return {
        name: module
        for name, module in backbone.named_modules()
        if isinstance(module, _BatchNorm)
    }


def _values(norms: Dict[str, _BatchNorm]) -> Dict[str, torch.Tensor]:
    return {
        f'{name}.{key}': getattr(norm, key).cpu()
        for name, norm in norms.items()
        for key in ('running_mean', 'running_var')
    }


def _drawn(pictures: Union[str, Sequence[str]], count: int,
           size: Size) -> PictureFiles:
    """So many of them, in an order that has nothing to do with their names."""
    files = PictureFiles(pictures, size)
    order = torch.randperm(
        len(files), generator=torch.Generator().manual_seed(0))
    files.paths = [files.paths[i] for i in order[:count].tolist()]
    return files
