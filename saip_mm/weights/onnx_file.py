"""ONNX programs: traced, opened, and compared with what they are of."""
import logging
import os.path as osp
import warnings
from contextlib import contextmanager
from importlib import import_module
from typing import Dict, Iterator, NamedTuple, Sequence, Union

import numpy as np
import torch
from torch import Tensor, nn

TOLERANCE = 1e-4  # of an output's largest value
PACKAGES = ('torch', 'onnx', 'onnxscript', 'onnxruntime')
# inputs that are counted by pictures or sentences
OF_PICTURES = ('images', 'ids', 'map_')
REMEDY = 'pip install "saip_mm[export]"'


class Deviation(NamedTuple):
    """How far two versions of an output are apart.

    Attributes:
        absolute (float): Largest difference.
        scale (float): Largest value of the first version.
    """
    absolute: float
    scale: float

    @property
    def relative(self) -> float:
        """``absolute`` by the scale; where all is 0, ``absolute``."""
        return self.absolute / (self.scale or 1.)


def needed(name: str):
    """Import what exports need and the rest of the package does not.

    Raises:
        ImportError: If it is not installed; says what to type.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ImportError(f'an ONNX export needs {error.name}, which is not '
                          f'installed: {REMEDY}') from error


def check_installed() -> None:
    """Ask for all that exports need, before any work.

    Raises:
        ImportError: As :func:`needed`.
    """
    for name in PACKAGES:
        needed(name)


@contextmanager
def quiet() -> Iterator[None]:
    """Without what libraries log, errors aside."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


class _Positional(nn.Module):
    """A network that any number of inputs are passed to by position."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor):
        return self.network(*inputs)


def trace_onnx(network: nn.Module, inputs: Dict[str, Tensor],
               outputs: Sequence[str]) -> bytes:
    """A network as an ONNX program, the first side of each input free.

    Args:
        network (nn.Module): Takes the inputs in their order, returns a
            tensor or a tuple. Its other sides become constants.
        inputs (dict[str, Tensor]): Examples by name, of 2 rows at least;
            those with equally many share their free side.
        outputs (Sequence[str]): Names of what it returns.

    Returns:
        bytes: The file's content.

    Raises:
        ValueError: If torch cannot export it so; says why.
    """
    for name in ('onnx', 'onnxscript'):
        needed(name)
    sides = {len(x): torch.export.Dim(f'n{len(x)}') for x in inputs.values()}
    shapes = tuple({0: sides[len(x)]} for x in inputs.values())
    try:
        with torch.no_grad(), quiet(), warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of their own parts, old names
            program = torch.export.export(
                _Positional(network),
                tuple(inputs.values()),
                dynamic_shapes=(shapes, ))
            program = torch.onnx.export(
                program, (),
                dynamo=True,
                input_names=list(inputs),
                output_names=list(outputs),
                verbose=False)
    except Exception as error:  # of torch's compiler, by the dozen
        raise ValueError(f'{type(network).__name__} cannot be exported: '
                         f'{_reason(error)}') from error
    return _renamed(program.model_proto).SerializeToString()


def _reason(error: BaseException) -> str:
    """First line of what came first."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _renamed(model):
    """Free sides by the input which they are counted by."""
    names = {}
    for value in model.graph.input:
        side = value.type.tensor_type.shape.dim[0].dim_param
        pictures = value.name.startswith(OF_PICTURES)
        names.setdefault(side, 'batch' if pictures else f'n_{value.name}')
    values = (*model.graph.input, *model.graph.output, *model.graph.value_info)
    for value in values:
        for side in value.type.tensor_type.shape.dim:
            if side.dim_param in names:
                side.dim_param = names[side.dim_param]
    return model


def open_onnx(file: Union[str, bytes], threads: int = 0):
    """A session of onnxruntime on the CPU.

    Args:
        file (str | bytes): Path, or content.
        threads (int): Defaults to 0, onnxruntime's choice.

    Raises:
        FileNotFoundError, ValueError: If there is no such file, or it is no
            ONNX program.
    """
    runtime = needed('onnxruntime')
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    if isinstance(file, str) and not osp.isfile(file):
        raise FileNotFoundError(f'{file} does not exist: check the path')
    try:
        return runtime.InferenceSession(
            file, options, providers=['CPUExecutionProvider'])
    except Exception as error:  # onnxruntime has a class for each
        name = file if isinstance(file, str) else 'the export'
        raise ValueError(f'{name} cannot be opened by onnxruntime: '
                         f'{str(error).splitlines()[0]}') from error


def deviations(network: nn.Module, content: bytes,
               batches: Sequence[Dict[str, Tensor]]) -> Dict[str, Deviation]:
    """Compare an ONNX program with the network that it was traced from.

    Args:
        network (nn.Module): As in :func:`trace_onnx`.
        content (bytes): Of that.
        batches (Sequence[dict[str, Tensor]]): Inputs by name.

    Returns:
        dict[str, Deviation]: By output, the worst of the batches.
    """
    session = open_onnx(content)
    names = [output.name for output in session.get_outputs()]
    found = dict.fromkeys(names, Deviation(0., 0.))
    for batch in batches:
        with torch.no_grad():
            wanted = network(*batch.values())
        wanted = (wanted, ) if isinstance(wanted, Tensor) else wanted
        given = session.run(names, {k: v.numpy() for k, v in batch.items()})
        for name, ours, theirs in zip(names, wanted, given):
            ours = ours.numpy()
            if ours.shape != theirs.shape:
                raise ValueError(f'output {name} is {theirs.shape} by '
                                 f'onnxruntime, {ours.shape} by torch')
            found[name] = Deviation(
                largest(ours - theirs, found[name].absolute),
                largest(ours, found[name].scale))
    return found


def largest(values: np.ndarray, before: float) -> float:
    """The largest absolute value, or the one before; NaN if there is one.

    Python's own ``max`` passes over NaN.
    """
    return float(np.max(np.abs(values), initial=before))


def check_deviations(found: Dict[str, Deviation], tolerance: float,
                     name: str) -> None:
    """Refuse an export that computes something else.

    Raises:
        ValueError: Names outputs and deviations.
    """
    if not all(np.isfinite(apart.scale) for apart in found.values()):
        raise ValueError(
            f'{name}: the network gives values that are not finite, the '
            'weights are of a run that had diverged. Nothing was written; '
            'take an earlier checkpoint')
    wrong = [
        f'{output} by {apart.absolute:.2g} where the largest value is '
        f'{apart.scale:.2g}' for output, apart in found.items()
        if not apart.relative <= tolerance
    ]
    if wrong:
        raise ValueError(
            f'{name}: onnxruntime differs from torch by more than '
            f'{tolerance:g}: {"; ".join(wrong)}. Nothing was written; other '
            'versions of torch and onnxruntime may agree, and --tolerance '
            'accepts more')
