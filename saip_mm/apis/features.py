"""Features of any pictures, by any backbone."""
import os.path as osp
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Union

import numpy as np
import torch
from mmengine.device import get_device
from torch import Tensor

from ..datasets.picture_files import PictureFiles, Pictures, Unreadable
from ..datasets.prepare.output import check_writable
from ..engine.hooks.retrieval_monitor import evaluating
from ..models.encoders import named_outputs, output_shapes
from .array_file import memory_or_file
from .encoders import ReadyEncoder, Size, normalised, ready_encoder
from .picture_batches import picture_batches, tell_skipped

DTYPES = ('float32', 'float16')
OUTPUTS = ('image', )


class Features(NamedTuple):
    """What a backbone gives of N pictures.

    Attributes:
        arrays (dict[str, np.ndarray]): ``(N, ...)`` by the name of the
            output.
        paths (np.ndarray): ``(N, )`` str; of arrays their number.
        skipped (list[Unreadable]): Pictures left out of both.
        size (tuple[int, int]): Height and width the pictures were brought
            to, in pixels.
    """
    arrays: Dict[str, np.ndarray]
    paths: np.ndarray
    skipped: List[Unreadable]
    size: Size


def extract_features(model: Any,
                     pictures: Pictures,
                     outputs: Sequence[str] = OUTPUTS,
                     out: Union[str, Path, None] = None,
                     size: Optional[Size] = None,
                     batch_size: int = 64,
                     num_workers: int = 0,
                     device: Optional[str] = None,
                     which: Optional[str] = None,
                     skip_unreadable: bool = False,
                     dtype: str = 'float32',
                     progress: bool = True) -> Features:
    """Compute what a backbone gives of pictures.

    Of a picture it is what ``PersonEncoder`` gives in eval mode, hence what
    the k-NN monitor compares: neither the other pictures nor their order
    enter, and the size of the batch by rounding alone.

    Args:
        model (str | Path | nn.Module): See :func:`ready_encoder`: a file, an
            encoder, a backbone.
        pictures (str | Path | np.ndarray | Sequence): See
            :class:`PictureFiles`: a folder, files, or arrays.
        outputs (Sequence[str]): 'image' (the whole picture), 'inner' and
            'final' (patch tokens, row by row), 'stage1', 'stage2' ... (maps
            of the backbone), see :func:`named_outputs`. Defaults to the
            image token.
        out (str | Path, optional): ``.npz`` file to write, with ``paths``
            (str), ``size`` and an array an output; memory does not grow with
            the number of pictures then. Defaults to None, no file.
        size (tuple[int, int], optional): Height and width to bring pictures
            to, in pixels. Defaults to None, those of the training as far as
            they are known, else 256x128.
        batch_size (int): Pictures at a time. Defaults to 64.
        num_workers (int): Processes that read pictures. Defaults to 0, this
            one.
        device (str, optional): Such as 'cpu' or 'cuda:1'. Defaults to None:
            for a file the GPU, if there is one, for a module where it is.
        which (str, optional): 'student' or 'expert' of a file of both.
            Defaults to None, see :func:`ready_encoder`.
        skip_unreadable (bool): Leave out pictures that cannot be read, and
            count them, instead of stopping at the first. Defaults to False.
        dtype (str): 'float32' or 'float16', of the arrays. Defaults to
            'float32'.
        progress (bool): Whether to draw a progress bar. Defaults to True.

    Returns:
        Features: Arrays and paths; with ``out`` mapped from the file.

    Raises:
        FileNotFoundError: If the model or the pictures are missing.
        OSError: If a picture cannot be read; names it. If the file cannot be
            written.
        ValueError: If the model is none that is known, an output or a size is
            none of its, no picture can be read, or a value is not finite.

    Example:
        >>> found = extract_features('saip_vit.pth', 'pictures/',
        ...                          out='x.npz')  # doctest: +SKIP
        >>> found.arrays['image'].shape, found.paths[0]  # doctest: +SKIP
        ((176, 192), 'pictures/0001.jpg')
    """
    out = _checked(out, outputs, batch_size, dtype)
    ready = ready_encoder(model, which)
    size = tuple(size or ready.size)
    files = PictureFiles(pictures, size)
    if device is None and isinstance(model, (str, Path)):
        device = get_device()
    if device is not None:
        ready.encoder.to(device)
    skipped: List[Unreadable] = []
    paths: List[str] = []
    with evaluating(ready.encoder):
        shapes = output_shapes(ready.encoder, size, outputs)
        with memory_or_file(out, len(files), shapes, dtype) as rows:
            for images, read in picture_batches(files, batch_size, num_workers,
                                                skipped, skip_unreadable,
                                                progress):
                if read:
                    rows.append(_encode(ready, images, outputs, read, dtype))
                    paths += read
            if not paths:
                raise ValueError(f'none of {len(skipped)} pictures can be '
                                 f"read, the last being '{skipped[-1].path}' "
                                 f'({skipped[-1].reason})')
            arrays = rows.finish(paths=np.array(paths), size=np.array(size))
    tell_skipped(skipped)
    paths = arrays.pop('paths')
    arrays.pop('size')
    return Features(arrays, paths, skipped, size)


def _checked(out: Union[str, Path, None], outputs: Sequence[str],
             batch_size: int, dtype: str) -> Optional[str]:
    """Refuse before the work what would be refused after it."""
    if isinstance(outputs, str) or not outputs:
        raise ValueError("outputs is a list of names such as ['image'], got "
                         f'{outputs!r}')
    if batch_size < 1:
        raise ValueError(f'batch_size must be at least 1, got {batch_size}')
    if dtype not in DTYPES:
        raise ValueError(f"dtype '{dtype}' is unknown: choose among {DTYPES}")
    if out is None:
        return None
    out = osp.expanduser(str(out))
    if not out.endswith('.npz'):
        raise ValueError(f"'{out}' is no file of arrays: end its name in .npz")
    check_writable(out)
    return out


@torch.no_grad()
def _encode(ready: ReadyEncoder, images: Tensor, outputs: Sequence[str],
            paths: List[str], dtype: str) -> Dict[str, np.ndarray]:
    found = named_outputs(ready.encoder, normalised(ready, images), outputs)
    for name, values in found.items():
        found[name] = values = values.to(getattr(torch, dtype))
        finite = values.isfinite().flatten(1).all(1)
        if not finite.all():
            path = paths[int((~finite).nonzero()[0, 0])]
            raise ValueError(f"'{name}' of '{path}' is not finite in {dtype}: "
                             'the weights are of a run that had diverged, or '
                             'the values too large for float16')
    return {name: values.cpu().numpy() for name, values in found.items()}
