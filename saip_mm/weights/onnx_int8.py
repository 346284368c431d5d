"""Eight-bit versions of ONNX files, and how far their outputs are off."""
import os.path as osp
import tempfile
from contextlib import contextmanager
from typing import Collection, Dict, Iterator, List, NamedTuple, Optional

import numpy as np

from .onnx_file import largest, needed, open_onnx, quiet

Batch = Dict[str, np.ndarray]
PRODUCTS = ('MatMul', 'Gemm')
STATIC = ('Conv', *PRODUCTS)


class OutputError(NamedTuple):
    """How an eight-bit network's output differs from the float one's.

    Attributes:
        cosine (float): Mean over the pictures of the cosine between both.
        worst_cosine (float): The least.
        absolute (float): Largest difference of a number.
        largest_value (float): Of the float network's.
    """
    cosine: float
    worst_cosine: float
    absolute: float
    largest_value: float


def quantize_dynamic(content: bytes) -> bytes:
    """Matrix products with weights in eight bits, activations on the way.

    Needs no pictures. Convolutions stay in float.

    Args:
        content (bytes): A float ONNX program.

    Returns:
        bytes: The eight-bit one.

    Raises:
        ValueError: If it has no product with weights.
    """
    quantization = needed('onnxruntime.quantization')
    with _files(content) as (source, target):
        quantization.quantize_dynamic(
            source,
            target,
            op_types_to_quantize=list(PRODUCTS),
            per_channel=True,
            weight_type=quantization.QuantType.QInt8)
        made = _read(target)
    if not _operators(made) - _operators(content):
        raise ValueError(
            'it has no matrix products to be quantized dynamically (it is '
            'made of convolutions): take static quantization and give a '
            'folder of pictures for calibration')
    return made


def quantize_static(content: bytes, batches: Collection[Batch]) -> bytes:
    """Convolutions and matrix products in eight bits.

    Weights by output channel, symmetric; activations by the range that
    batches take, as quantize-dequantize pairs.

    Args:
        content (bytes): A float ONNX program.
        batches (Collection[dict[str, np.ndarray]]): Inputs by name.

    Returns:
        bytes: The eight-bit one.

    Raises:
        ValueError: If there are no batches.
    """
    if not len(batches):
        raise ValueError('no pictures to calibrate with')
    quantization = needed('onnxruntime.quantization')

    class Reader(quantization.CalibrationDataReader):
        """Hands out the batches once."""

        def __init__(self) -> None:
            self.left = iter(batches)

        def get_next(self) -> Optional[Batch]:
            return next(self.left, None)

    with _files(content) as (source, target):
        quantization.quantize_static(
            source,
            target,
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=list(STATIC),
            per_channel=True,
            activation_type=quantization.QuantType.QInt8,
            weight_type=quantization.QuantType.QInt8)
        return _read(target)


def output_errors(content: bytes, eight_bit: bytes,
                  batches: Collection[Batch]) -> Dict[str, OutputError]:
    """Compare both versions on pictures.

    Args:
        content (bytes): The float ONNX program.
        eight_bit (bytes): The other.
        batches (Collection[dict[str, np.ndarray]]): Inputs by name, others
            than those calibrated with.

    Returns:
        dict[str, OutputError]: By output.
    """
    sessions = open_onnx(content), open_onnx(eight_bit)
    names = [output.name for output in sessions[0].get_outputs()]
    cosines: Dict[str, List[np.ndarray]] = {name: [] for name in names}
    worst, scale = dict.fromkeys(names, 0.), dict.fromkeys(names, 0.)
    for batch in batches:
        pairs = zip(*(session.run(names, batch) for session in sessions))
        for name, (wanted, given) in zip(names, pairs):
            cosines[name].append(_cosines(wanted, given))
            worst[name] = largest(wanted - given, worst[name])
            scale[name] = largest(wanted, scale[name])
    found = {}
    for name in names:
        values = np.concatenate(cosines[name])
        found[name] = OutputError(
            float(values.mean()), float(values.min()), worst[name],
            scale[name])
    return found


def _cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``(B, ...)`` twice -> ``(B, )``; 1 where both are zero."""
    a, b = (x.reshape(len(x), -1).astype(np.float64) for x in (a, b))
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    same = (a == b).all(1)
    return np.where(same, 1., (a * b).sum(1) / np.maximum(norms, 1e-300))


@contextmanager
def _files(content: bytes) -> Iterator[tuple]:
    """A prepared program's file and a place for another, both taken away.

    onnxruntime works on files, wants shapes filled in and constants folded
    before, and logs what it does at each node.
    """
    shapes = needed('onnxruntime.quantization.shape_inference')
    with tempfile.TemporaryDirectory() as folder, quiet():
        given, source, target = (
            osp.join(folder, name)
            for name in ('given.onnx', 'source.onnx', 'target.onnx'))
        with open(given, 'wb') as file:
            file.write(_without_notes(content))
        # its symbolic shapes stop at operators which it does not know
        shapes.quant_pre_process(given, source, skip_symbolic_shape=True)
        yield source, target


def _without_notes(content: bytes) -> bytes:
    """A program without shapes of what is inside.

    They are inferred again; torch's have weights in them, which onnxruntime
    transposes under the same name and then finds to be of another shape.
    """
    model = needed('onnx').load_from_string(content)
    del model.graph.value_info[:]
    return model.SerializeToString()


def _read(path: str) -> bytes:
    with open(path, 'rb') as file:
        return file.read()


def _operators(content: bytes) -> set:
    model = needed('onnx').load_from_string(content)
    return {
        node.op_type
        for node in model.graph.node if 'Integer' in node.op_type
    }
