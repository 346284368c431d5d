"""Eight-bit versions of exported files, with their measured errors."""
import os.path as osp
from typing import Dict, NamedTuple, Optional

import numpy as np

from saip_mm.weights.onnx_file import (check_onnx_path, described,
                                       read_sidecar, write_onnx)
from saip_mm.weights.onnx_int8 import (OutputError, output_errors,
                                       quantize_dynamic, quantize_static)
from .pictures import folder_pictures, picture_batches, rendered_pictures

RENDERED = 32  # persons, to measure with where no folder is given


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
        path (str): An exported file with its sidecar, in float.
        mode (str): 'dynamic', for matrix products, or 'static', for these
            and convolutions, by a calibration folder. Defaults to 'dynamic'.
        out (str, optional): File to write. Defaults to ``NAME.int8.onnx``.
        calibration (str, optional): Folder of pictures such as the network
            will get. Defaults to None.
        limit (int): Pictures used, at most. Defaults to 256.
        seed (int): Of the choice of pictures. Defaults to 0.

    Raises:
        FileNotFoundError, OSError: If a file cannot be read or written.
        ValueError: If the mode is unknown, a folder is missing, the file
            cannot be quantized so, or takes no pictures.
    """
    if mode not in ('dynamic', 'static'):
        raise ValueError(f"mode must be 'dynamic' or 'static', got {mode!r}")
    if mode == 'static' and calibration is None:
        raise ValueError('static quantization needs a calibration folder, of '
                         'pictures such as the network will get')
    out = check_onnx_path(out or path[:-len('.onnx')] + '.int8.onnx')
    sidecar, content = read_sidecar(path)
    if 'int8' in sidecar:
        raise ValueError(f'{path} is eight-bit already: name the float file')
    calibrating, measuring, of = _batches(path, sidecar, calibration, limit,
                                          seed)
    try:
        if mode == 'dynamic':
            made = quantize_dynamic(content)
        else:
            made = quantize_static(content, calibrating)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error
    errors = output_errors(content, made, measuring)
    count = sum(map(_length, measuring))
    meanings = {
        value['name']: value['meaning']
        for value in sidecar['inputs'] + sidecar['outputs']
    }
    sidecar = {
        key: value
        for key, value in sidecar.items()
        if key not in ('format', 'file', 'sha256', 'bytes', 'versions')
    }
    sidecar.update(
        described(made, meanings),
        int8=dict(
            mode=mode,
            pictures=count,
            of=of,
            calibrated_with=sum(map(_length, calibrating))
            if mode == 'static' else 0,
            errors={
                name: error._asdict()
                for name, error in errors.items()
            }))
    write_onnx(out, made, sidecar)
    return Quantized(out, errors, count, of)


def _length(batch: Dict[str, np.ndarray]) -> int:
    return len(next(iter(batch.values())))


def note_in_sidecar(path: str, **entries: dict) -> None:
    """Add entries to an eight-bit file's measurements.

    Args:
        path (str): The ONNX file.
        **entries (dict): Plain values by name.
    """
    sidecar, content = read_sidecar(path)
    for key in ('format', 'file', 'sha256', 'bytes', 'versions'):
        sidecar.pop(key)
    sidecar.setdefault('int8', {}).update(entries)
    write_onnx(path, content, sidecar)


def _batches(path: str, sidecar: dict, calibration: Optional[str], limit: int,
             seed: int) -> tuple:
    """Batches to calibrate with, batches to measure with, whose they are."""
    if [value['name'] for value in sidecar['inputs']] == ['ids']:
        if calibration is not None:
            raise ValueError(f'{path} takes sentences, no pictures: quantize '
                             'it dynamically, without a folder')
        return [], [dict(ids=_sentences(sidecar, seed))], 'random sentences'
    if sidecar['input'] is None:
        raise ValueError(
            f'{path} takes boxes and maps of another network: only what '
            'takes pictures or sentences can be made eight-bit')
    size = tuple(sidecar['size'])
    if calibration is None:
        pictures = rendered_pictures(size, min(RENDERED, limit), seed)
        return [], picture_batches(pictures, sidecar), 'rendered persons'
    pictures = folder_pictures(calibration, size, limit, seed)
    if len(pictures) < 2:
        raise ValueError(f"'{calibration}' holds one picture: some are for "
                         'calibration, others for measurement')
    half = len(pictures) // 2
    name = osp.basename(osp.abspath(calibration))
    return (picture_batches(pictures[:half], sidecar),
            picture_batches(pictures[half:], sidecar), f'half of {name}')


def _sentences(sidecar: dict, seed: int, count: int = 16) -> np.ndarray:
    """Random pieces of words, as many as captions have."""
    words = sidecar['tokenizer']
    rng = np.random.default_rng(seed)
    ids = np.zeros((count, words['context_length']), np.int64)
    longest = words['context_length'] - 2
    for row in ids:
        length = int(rng.integers(min(8, longest), min(40, longest) + 1))
        row[0], row[length + 1] = words['start'], words['end']
        row[1:length + 1] = rng.integers(1, words['mask'], length)
    return ids
