"""From a config or a file of weights to ONNX files with their sidecars."""
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn

from saip_mm.datasets.prepare.output import check_writable
from saip_mm.weights.onnx_file import (TOLERANCE, Deviation, check_deviations,
                                       check_installed, deviations, trace_onnx)
from saip_mm.weights.onnx_sidecar import (check_free, check_onnx_path,
                                          described, write_onnx)
from ..encoders import MEAN, STD
from .networks import parts_of
from .parts import BATCH, IMAGES, Part
from .source import Source, load_source

IMAGENET = MEAN, STD
CHANNELS = dict(
    channels='RGB',
    layout='NCHW',
    dtype='float32',
    range='(x - mean) / std, '
    'x from 0 to 255')


class Exported(NamedTuple):
    """A written file.

    Attributes:
        path (str): Of the ONNX file; its sidecar lies beside it.
        deviations (dict[str, Deviation]): From torch, by output.
    """
    path: str
    deviations: Dict[str, Deviation]


def export_onnx(what,
                checkpoint: Optional[str] = None,
                out: Optional[str] = None,
                size: Optional[Sequence[int]] = None,
                tracker: bool = False,
                tolerance: float = TOLERANCE,
                options: Optional[dict] = None) -> List[Exported]:
    """Export a backbone or a task's network for onnxruntime.

    Height and width are fixed, the number of pictures is free, positions are
    those of this size. Each file is run beside torch on batches of 1, 2 and 3
    (what takes boxes, of 2 pictures and of 3) before anything is written, and
    of several files all are or none.

    Args:
        what (str | PathLike | Config): A config, a training checkpoint, or a
            published backbone; see :func:`~.source.load_source`.
        checkpoint (str, optional): Weights of a config.
        out (str | PathLike, optional): File to write, ``.onnx``. Of several,
            the others have a word before that: ``NAME.boxes.onnx``. Earlier
            exports of the name are replaced. Defaults to the config's or
            file's name, in the current folder.
        size (Sequence[int], optional): Height and width of the input.
            Defaults to None: as :func:`~.source.load_source` finds it.
        tracker (bool): One input, pictures normalised as ImageNet's, and one
            output, a vector of norm 1: what trackers expect. Defaults to
            False.
        tolerance (float): Largest deviation from torch, as a share of an
            output's largest value. Defaults to 1e-4.
        options (dict, optional): Changes to the config.

    Returns:
        list[Exported]: The files written; detectors and search by text have
        several.

    Raises:
        FileNotFoundError, OSError: If a file cannot be read or written, or
            one that is no export is in the way.
        ImportError: If onnx, onnxscript or onnxruntime are not installed.
        ValueError: If the model cannot be exported, or the export deviates:
            nothing is written then.
    """
    check_installed()
    if out is not None:
        out = _ready(check_onnx_path(out))
    source = load_source(what, checkpoint, size, options)
    out = out or check_onnx_path(f'{source.name}.onnx')
    parts = parts_of(source.model, source.size, tracker)
    if tracker:
        parts = [_with_imagenet(parts[0], source)]
        source = source._replace(mean=MEAN, std=STD)
    paths = [_ready(_path(out, part)) for part in parts]
    files, exported = [], []
    for path, part in zip(paths, parts):
        content, found = _traced(part, tolerance)
        check = dict(tolerance=tolerance, outputs=_measured(found))
        sidecar = _sidecar(source, part, content, tracker)
        files.append((path, content, dict(sidecar, check=check)))
        exported.append(Exported(path, found))
    write_onnx(files)
    return exported


def _ready(path: str) -> str:
    """A file's name, asked before the work whether it can be written."""
    check_writable(path)
    check_free(path)
    return path


def _traced(part: Part,
            tolerance: float) -> Tuple[bytes, Dict[str, Deviation]]:
    """The program, found to be right."""
    # the example's boxes are in two pictures
    counts = (2, 3) if 'rois' in part.inputs else (1, 2, 3)
    batches = [{
        k: _rows(x, count)
        for k, x in part.inputs.items()
    } for count in counts]
    with torch.no_grad():
        part.network(*batches[0].values())  # fills caches with real values
    content = trace_onnx(part.network, part.inputs, part.outputs)
    found = deviations(part.network, content, batches)
    name = part.suffix or 'the export'
    check_deviations(found, tolerance, name)
    return content, found


def _rows(example: Tensor, batch: int) -> Tensor:
    """An example with so many pictures.

    Where the number of boxes is free as well, it differs from the example's.
    Wearers, three, stay.
    """
    if len(example) != BATCH:
        return example[:batch + 1] if len(example) > 3 else example
    if not example.is_floating_point():
        return example[[0, 1, 0][:batch]]
    generator = torch.Generator().manual_seed(batch)
    noise = torch.randn((batch, *example.shape[1:]), generator=generator)
    return noise * example.std() + example.mean()


def _path(out: str, part: Part) -> str:
    if not part.suffix:
        return out
    return f'{out[:-len(".onnx")]}.{part.suffix}.onnx'


class _Renormalised(nn.Module):
    """Pictures normalised as ImageNet's, to a network with other numbers."""

    def __init__(self, network: nn.Module, source: Source) -> None:
        super().__init__()
        self.network = network
        mean, std, own_mean, own_std = (
            torch.tensor(x).view(3, 1, 1)
            for x in (*IMAGENET, source.mean, source.std))
        self.register_buffer('factor', std / own_std)
        self.register_buffer('shift', (mean - own_mean) / own_std)

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images * self.factor + self.shift)


def _with_imagenet(part: Part, source: Source) -> Part:
    same = torch.allclose(
        torch.tensor([source.mean, source.std]), torch.tensor(IMAGENET))
    if same:
        return part
    return part._replace(network=_Renormalised(part.network, source))


def _sidecar(source: Source, part: Part, content: bytes,
             tracker: bool) -> dict:
    given = None
    if part.meanings.get('images') == IMAGES:
        given = dict(
            CHANNELS,
            mean=list(source.mean),
            std=list(source.std),
            fitted=source.fitted)
    return dict(
        model=type(source.model).__name__,
        part=part.suffix,
        tracker=tracker,
        size=list(source.size),
        input=given,
        **described(content, part.meanings),
        caller=part.caller,
        **part.notes,
        labels=source.labels,
        source=source.origin)


def _measured(found: Dict[str, Deviation]) -> Dict[str, dict]:
    return {
        name:
        dict(
            absolute=apart.absolute,
            largest_value=apart.scale,
            relative=apart.relative)
        for name, apart in found.items()
    }
