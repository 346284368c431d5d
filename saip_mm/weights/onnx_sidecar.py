"""What lies beside an ONNX file: names, contents, writing and reading.

An exported network is two files of one stem: ``NAME.onnx`` and ``NAME.json``,
its sidecar, which says how to feed it, what comes out, and by its hash which
file it is of.
"""
import hashlib
import json
import os
import os.path as osp
import platform
from typing import Dict, Sequence, Tuple, Union

from ..version import __version__
from .atomic import write_files
from .onnx_file import PACKAGES, needed, open_onnx

FORMAT = 'saip_mm edge 1'
# of the file itself, made anew whenever it is written
OF_THE_FILE = ('format', 'file', 'sha256', 'bytes', 'versions')
Written = Tuple[str, bytes, dict]  # path, program, sidecar


def sidecar_path(path: str) -> str:
    """Where the sidecar of an ONNX file lies."""
    return osp.splitext(path)[0] + '.json'


def check_onnx_path(path: Union[str, os.PathLike]) -> str:
    """Refuse a name that is no ONNX file's, before any work.

    Returns:
        str: With the home folder in place of ``~``.

    Raises:
        ValueError: Names it.
    """
    path = osp.expanduser(os.fspath(path))
    if not path.endswith('.onnx') or osp.basename(path) == '.onnx':
        raise ValueError(f'{path} is no name of an ONNX file: end it in .onnx')
    return path


def check_free(path: str) -> None:
    """Refuse to write a sidecar over a file that is none.

    Earlier exports are written over: they can be made again.

    Args:
        path (str): An ONNX file that is to be written.

    Raises:
        FileExistsError: Names what is in the way.
    """
    beside = sidecar_path(path)
    if osp.lexists(beside) and not _is_sidecar(beside):
        raise FileExistsError(
            f'{beside} exists and is no sidecar of an export: it is not '
            'written over, choose another name or move it away')


def _is_sidecar(path: str) -> bool:
    try:
        with open(path, encoding='utf-8') as file:
            content = json.load(file)
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get('format') == FORMAT


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
    """Of what an export depends on.

    As the modules say them: onnxruntime has several names as a package.
    """
    found = {name: str(needed(name).__version__) for name in PACKAGES}
    return dict(saip_mm=__version__, **found, python=platform.python_version())


def write_onnx(files: Sequence[Written]) -> None:
    """Write programs and their sidecars, all of them or none.

    The programs take their places first. A kill in that instant leaves
    programs without sidecar, or with one whose hash is another's, and
    :func:`read_sidecar` says so.

    Args:
        files (Sequence[tuple]): Path, which ends in ``.onnx``; the program's
            bytes; sidecar of plain values, to which name, hash and versions
            are added.

    Raises:
        OSError: If one cannot be written: nothing is, then.
    """
    programs = {path: content for path, content, _ in files}
    sidecars = {
        sidecar_path(path): _text(path, content, sidecar)
        for path, content, sidecar in files
    }
    write_files({**programs, **sidecars})


def _text(path: str, content: bytes, sidecar: dict) -> bytes:
    kept = {k: v for k, v in sidecar.items() if k not in OF_THE_FILE}
    whole = dict(
        format=FORMAT,
        file=osp.basename(path),
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        **kept,
        versions=versions())
    # what is no number in JSON must not get into it
    text = json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False)
    return f'{text}\n'.encode()


def read_sidecar(path: Union[str, os.PathLike]) -> Tuple[dict, bytes]:
    """What an exported file's sidecar says, and the file's content.

    Args:
        path (str | PathLike): The ``.onnx`` file.

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
    if hashlib.sha256(content).hexdigest() != sidecar.get('sha256'):
        raise ValueError(
            f'{beside} is of another file than {path} (their SHA-256 '
            'differs): the two come together, copy both or export again')
    return sidecar, content
