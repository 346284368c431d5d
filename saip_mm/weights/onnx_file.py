"""ONNX files: traced, compared with torch, written with what a caller needs.

An exported network is two files of one stem: ``NAME.onnx`` and ``NAME.json``,
its sidecar, which says how to feed it, what comes out, and by its hash which
file it is of.
"""
import hashlib
import json
import logging
import os.path as osp
import platform
import warnings
from contextlib import contextmanager
from importlib import import_module, metadata
from typing import Dict, Iterator, NamedTuple, Sequence, Tuple, Union

import numpy as np
import torch
from torch import Tensor, nn

from ..version import __version__
from .atomic import write_file

FORMAT = 'saip_mm edge 1'
TOLERANCE = 1e-4  # of an output's largest value, 1 at least
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
        """``absolute`` by the scale, or by 1 where that is larger."""
        return self.absolute / max(1., self.scale)


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
    found = {name: Deviation(0., 0.) for name in names}
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
                max(found[name].absolute, _largest(ours - theirs)),
                max(found[name].scale, _largest(ours)))
    return found


def _largest(values: np.ndarray) -> float:
    """NaN if one is: that is no match."""
    return float(np.abs(values).max()) if values.size else 0.


def check_deviations(found: Dict[str, Deviation], tolerance: float,
                     name: str) -> None:
    """Refuse an export that computes something else.

    Raises:
        ValueError: Names outputs and deviations.
    """
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


def described(content: bytes, meanings: Dict[str, str]) -> Dict[str, list]:
    """Inputs and outputs of a program, for its sidecar.

    Args:
        content (bytes): Of the file.
        meanings (dict[str, str]): What each is, by name.
    """
    session = open_onnx(content)
    return {
        kind: [
            dict(
                name=value.name,
                shape=list(value.shape),
                dtype=value.type[len('tensor('):-1],
                meaning=meanings.get(value.name, '')) for value in values
        ]
        for kind, values in (('inputs', session.get_inputs()),
                             ('outputs', session.get_outputs()))
    }


def versions() -> Dict[str, str]:
    """Of what an export depends on."""
    found = {name: metadata.version(name) for name in PACKAGES}
    return dict(saip_mm=__version__, **found, python=platform.python_version())


def sidecar_path(path: str) -> str:
    """Where the sidecar of an ONNX file lies."""
    return osp.splitext(path)[0] + '.json'


def check_onnx_path(path: str) -> str:
    """Refuse a name that is no ONNX file's, before any work.

    Returns:
        str: With the home folder in place of ``~``.

    Raises:
        ValueError: Names it.
    """
    if not path.endswith('.onnx') or osp.basename(path) == '.onnx':
        raise ValueError(f'{path} is no name of an ONNX file: end it in .onnx')
    return osp.expanduser(path)


def write_onnx(path: str, content: bytes, sidecar: dict) -> None:
    """Write program and sidecar, each whole or not at all.

    A kill between the two leaves a sidecar, if any, whose hash is that of
    another file, and :func:`read_sidecar` says so.

    Args:
        path (str): Ends in ``.onnx``.
        content (bytes): Of it.
        sidecar (dict): Plain values; name, hash and versions are added.
    """
    sidecar = dict(
        format=FORMAT,
        file=osp.basename(path),
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        **sidecar,
        versions=versions())
    write_file(path, content)
    text = json.dumps(sidecar, indent=2, ensure_ascii=False) + '\n'
    write_file(sidecar_path(path), text.encode())


def read_sidecar(path: str) -> Tuple[dict, bytes]:
    """What an exported file's sidecar says, and the file's content.

    Args:
        path (str): The ``.onnx`` file.

    Raises:
        FileNotFoundError: If one of the two is missing.
        ValueError: If the sidecar is of another file, or no sidecar.
    """
    path = check_onnx_path(path)
    beside = sidecar_path(path)
    for file in (path, beside):
        if not osp.isfile(file):
            raise FileNotFoundError(
                f'{file} does not exist: an export is two files, NAME.onnx '
                'and NAME.json')
    with open(beside, encoding='utf-8') as file:
        try:
            sidecar = json.load(file)
        except ValueError as error:
            raise ValueError(f'{beside} is no JSON ({error}): export '
                             'again') from error
    if not isinstance(sidecar, dict) or sidecar.get('format') != FORMAT:
        raise ValueError(f'{beside} is no sidecar of an export')
    with open(path, 'rb') as file:
        content = file.read()
    if hashlib.sha256(content).hexdigest() != sidecar['sha256']:
        raise ValueError(
            f'{beside} is of another file than {path} (their SHA-256 '
            'differs): the two come together, copy both or export again')
    return sidecar, content
