"""Eight-bit versions of exported files, with their measured errors."""
import os.path as osp
from typing import Any, Dict, NamedTuple, Optional

import numpy as np
from torch.utils.data import Subset

from saip_mm.datasets.prepare.output import check_writable
from saip_mm.weights.onnx_file import check_installed
from saip_mm.weights.onnx_int8 import (OutputError, output_errors,
                                       quantize_dynamic, quantize_static)
from saip_mm.weights.onnx_sidecar import (check_free, check_onnx_path,
                                          described, read_sidecar, write_onnx)
from .pictures import PictureBatches, folder_pictures, rendered_pictures

MODES = ('dynamic', 'static')
RENDERED = 32  # persons, to measure with where no folder is given
SENTENCES = 16  # random ones, to measure with


class Quantized(NamedTuple):
    """A written eight-bit file.

    Attributes:
        path (str): Of the ONNX file; its sidecar lies beside it.
        errors (dict[str, OutputError]): By output.
        pictures (int): On so many.
        of (str): Whose pictures.
    """
    path: str
    errors: Dict[str, OutputError]
    pictures: int
    of: str


class Data(NamedTuple):
    """What to calibrate with, and what to measure with.

    Attributes:
        calibrating, measuring (Sequence): Iterated, batches of inputs; their
            length is the number of pictures or sentences.
        of (str): Whose they are.
    """
    calibrating: Any
    measuring: Any
    of: str


def quantize_onnx(path: str,
                  mode: str = 'dynamic',
                  out: Optional[str] = None,
                  calibration: Optional[str] = None,
                  limit: int = 256,
                  seed: int = 0) -> Quantized:
    """Make an exported file eight-bit, and measure what that costs.

    Of a folder's pictures one half calibrates, the error is measured on the
    other. Without a folder it is measured on rendered persons.

    Args:
        path (str | PathLike): An exported file with its sidecar, in float.
        mode (str): 'dynamic', for matrix products, or 'static', for these
            and convolutions, by a calibration folder. Defaults to 'dynamic'.
        out (str | PathLike, optional): File to write. Defaults to
            ``NAME.int8.onnx``.
        calibration (str, optional): Folder of pictures such as the network
            will get. Defaults to None.
        limit (int): Pictures used, at most. Defaults to 256.
        seed (int): Of the choice of pictures. Defaults to 0.

    Raises:
        FileNotFoundError, OSError: If a file cannot be read or written.
        ImportError: If onnx or onnxruntime are not installed.
        ValueError: If the mode is unknown, a folder is missing, the file
            cannot be quantized so, or takes no pictures.
    """
    check_installed()
    _check_mode(mode, calibration)
    if limit < 2:
        raise ValueError(f'limit must be 2 or more, got {limit}')
    path = check_onnx_path(path)
    out = check_onnx_path(out or path[:-len('.onnx')] + '.int8.onnx')
    if osp.realpath(out) == osp.realpath(path):
        raise ValueError(f'{out} is the float file itself: give the '
                         'eight-bit one another name')
    check_writable(out)
    check_free(out)
    sidecar, content = read_sidecar(path)
    if 'int8' in sidecar:
        raise ValueError(f'{path} is eight-bit already: name the float file')
    data = _data(path, sidecar, calibration, limit, seed)
    made, errors = _made(path, content, mode, data)
    meanings = {
        value['name']: value['meaning']
        for value in sidecar['inputs'] + sidecar['outputs']
    }
    sidecar.update(
        described(made, meanings),
        int8=dict(
            mode=mode,
            pictures=len(data.measuring),
            of=data.of,
            calibrated_with=len(data.calibrating) if mode == 'static' else 0,
            errors={
                k: error._asdict()
                for k, error in errors.items()
            }))
    write_onnx([(out, made, sidecar)])
    return Quantized(out, errors, len(data.measuring), data.of)


def _check_mode(mode: str, calibration: Optional[str]) -> None:
    if mode not in MODES:
        raise ValueError(f"mode must be 'dynamic' or 'static', got {mode!r}")
    if mode == 'static' and calibration is None:
        raise ValueError('static quantization needs a calibration folder, of '
                         'pictures such as the network will get')


def _made(path: str, content: bytes, mode: str, data: Data) -> tuple:
    """The eight-bit program and its errors."""
    try:
        if mode == 'dynamic':
            made = quantize_dynamic(content)
        else:
            made = quantize_static(content, data.calibrating)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error
    errors = output_errors(content, made, data.measuring)
    for name, error in errors.items():
        if not np.isfinite(error).all():
            raise ValueError(f'{path}: in eight bits {name} has values that '
                             'are not finite: leave it in float')
    return made, errors


def note_in_sidecar(path: str, **entries: dict) -> None:
    """Add entries to an eight-bit file's measurements.

    Args:
        path (str | PathLike): The ONNX file.
        **entries (dict): Plain values by name.

    Raises:
        ValueError: If it is a file in float.
    """
    sidecar, content = read_sidecar(path)
    if 'int8' not in sidecar:
        raise ValueError(f'{path} is in float: name the eight-bit file')
    sidecar['int8'].update(entries)
    write_onnx([(check_onnx_path(path), content, sidecar)])


def takes(sidecar: dict) -> str:
    """What a file is fed with: 'pictures', 'sentences' or 'boxes'."""
    names = [value['name'] for value in sidecar['inputs']]
    return dict(
        images='pictures', ids='sentences').get(
            names[0], 'boxes') if len(names) == 1 else 'boxes'


def _data(path: str, sidecar: dict, calibration: Optional[str], limit: int,
          seed: int) -> Data:
    kind = takes(sidecar)
    if kind == 'sentences':
        if calibration is not None:
            raise ValueError(f'{path} takes sentences, no pictures: quantize '
                             'it dynamically, without a folder')
        return Data([], Sentences(sidecar, seed), 'random sentences')
    if kind == 'boxes':
        raise ValueError(
            f'{path} takes boxes and maps of another network: only what '
            'takes pictures or sentences can be made eight-bit')
    size = tuple(sidecar['size'])
    if calibration is None:
        pictures = rendered_pictures(size, min(RENDERED, limit), seed)
        return Data([], PictureBatches(pictures, sidecar), 'rendered persons')
    pictures = folder_pictures(calibration, size, limit, seed)
    if len(pictures) < 2:
        raise ValueError(f"'{calibration}' holds one picture: some are for "
                         'calibration, others for measurement')
    half = len(pictures) // 2
    name = osp.basename(osp.abspath(calibration))
    first, second = (
        PictureBatches(Subset(pictures, list(numbers)), sidecar)
        for numbers in (range(half), range(half, len(pictures))))
    return Data(first, second, f'half of {name}')


class Sentences:
    """Random pieces of words, as many as captions have, in one batch.

    Args:
        sidecar (dict): With its tokenizer.
        seed (int): Of the draw.
    """

    def __init__(self, sidecar: dict, seed: int) -> None:
        words = sidecar['tokenizer']
        rng = np.random.default_rng(seed)
        self.ids = np.zeros((SENTENCES, words['context_length']), np.int64)
        longest = words['context_length'] - 2
        for row in self.ids:
            length = int(rng.integers(min(8, longest), min(40, longest) + 1))
            row[0], row[length + 1] = words['start'], words['end']
            row[1:length + 1] = rng.integers(1, words['mask'], length)

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self):
        yield dict(ids=self.ids)
