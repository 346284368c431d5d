"""From a config or a file of weights to ONNX files with their sidecars."""
import os.path as osp
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn

from saip_mm.engine.config_doors import check_folder
from saip_mm.weights.onnx_file import (TOLERANCE, Deviation, check_deviations,
                                       check_onnx_path, described, deviations,
                                       trace_onnx, write_onnx)
from .networks import BATCH, IMAGES, Part, parts_of
from .source import IMAGENET, Source, load_source

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
    those of this size. Each file is run beside torch on three batches before
    anything is written.

    Args:
        what (str | PathLike | Config): A config, a training checkpoint, or a
            published backbone; see :func:`~.source.load_source`.
        checkpoint (str, optional): Weights of a config.
        out (str, optional): File to write, ``.onnx``. Of several, the others
            have a word before that: ``NAME.boxes.onnx``. Defaults to the
            config's or file's name, in the current folder.
        size (Sequence[int], optional): Height and width of the input.
            Defaults to None, those of the config's tests, or 256x128.
        tracker (bool): One input, pictures normalised as ImageNet's, and one
            output, a vector of norm 1: what trackers expect. Defaults to
            False.
        tolerance (float): Largest deviation from torch, as a share of an
            output's largest value (of 1, where that is smaller). Defaults
            to 1e-4.
        options (dict, optional): Changes to the config.

    Returns:
        list[Exported]: The files written; detectors and search by text have
        several.

    Raises:
        FileNotFoundError, OSError: If a file cannot be read or written.
        ImportError: If onnx, onnxscript or onnxruntime are not installed.
        ValueError: If the model cannot be exported, or the export deviates:
            nothing is written then.
    """
    if out is not None:
        out = check_onnx_path(out)
        check_folder(osp.dirname(osp.abspath(out)), 'output folder')
    source = load_source(what, checkpoint, size, options)
    out = out or f'{source.name}.onnx'
    parts = parts_of(source.model, source.size, tracker)
    if tracker:
        parts = [_with_imagenet(parts[0], source)]
        source = source._replace(mean=IMAGENET[0], std=IMAGENET[1])
    made = [(_path(out, part), part, *_traced(part, tolerance))
            for part in parts]
    for path, part, content, found in made:
        write_onnx(path, content,
                   _sidecar(source, part, content, found, tracker, tolerance))
    return [Exported(path, found) for path, _, _, found in made]


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
             found: Dict[str,
                         Deviation], tracker: bool, tolerance: float) -> dict:
    images = part.meanings.get('images') == IMAGES
    return dict(
        model=type(source.model).__name__,
        part=part.suffix,
        tracker=tracker,
        size=list(source.size),
        input=dict(CHANNELS, mean=list(source.mean), std=list(source.std))
        if images else None,
        **described(content, part.meanings),
        caller=part.caller,
        **part.notes,
        classes=source.classes and list(source.classes),
        source=source.origin,
        check=dict(
            tolerance=tolerance,
            outputs={
                name:
                dict(
                    absolute=apart.absolute,
                    largest_value=apart.scale,
                    relative=apart.relative)
                for name, apart in found.items()
            }))
