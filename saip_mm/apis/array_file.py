"""``.npz`` files of arrays larger than memory: written by rows, mapped."""
import os
import os.path as osp
import shutil
import zipfile
from pathlib import Path
from typing import BinaryIO, Dict, Optional, Tuple, Union

import numpy as np
from numpy.lib import format as npy

from ..weights import replacing
from ..weights.atomic import partial_path, remove_leftovers

Shape = Tuple[int, ...]


class RowsInMemory:
    """Rows of several arrays, as they come.

    Args:
        count (int): Rows at most.
        shapes (dict[str, tuple[int, ...]]): Of a row, by array.
        dtype (str): Of all.
    """

    def __init__(self, count: int, shapes: Dict[str, Shape],
                 dtype: str) -> None:
        self.count = 0
        self.arrays = {
            name: np.empty((count, *shape), dtype)
            for name, shape in shapes.items()
        }

    def __enter__(self) -> 'RowsInMemory':
        return self

    def __exit__(self, *error) -> None:
        """Nothing to be put away."""

    def append(self, rows: Dict[str, np.ndarray]) -> None:
        """The same number of rows of each array."""
        for name, values in rows.items():
            self.arrays[name][self.count:self.count + len(values)] = values
        self.count += len(values)

    def finish(self, **others: np.ndarray) -> Dict[str, np.ndarray]:
        """The arrays so far, and others."""
        found = {name: a[:self.count] for name, a in self.arrays.items()}
        return dict(found, **others)


class RowsInFile:
    """As :class:`RowsInMemory`, in files beside the one to be written.

    Memory does not grow with the rows. The disk holds each array twice for a
    moment: they are put together at the end, since no array of a zip file can
    grow beside another.

    Args:
        out (str): ``.npz`` file.
        shapes (dict[str, tuple[int, ...]]): Of a row, by array.
        dtype (str): Of all.
    """

    def __init__(self, out: str, shapes: Dict[str, Shape], dtype: str) -> None:
        self.out, self.shapes = out, shapes
        self.dtype = np.dtype(dtype)
        self.count = 0
        self.folder: Optional[str] = None
        self.files: Dict[str, BinaryIO] = {}

    def __enter__(self) -> 'RowsInFile':
        remove_leftovers(*osp.split(osp.abspath(self.out)))
        self.folder = partial_path(self.out)
        os.makedirs(self.folder)
        for name in self.shapes:
            self.files[name] = open(osp.join(self.folder, name), 'w+b')
        return self

    def __exit__(self, *error) -> None:
        for file in self.files.values():
            file.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def append(self, rows: Dict[str, np.ndarray]) -> None:
        """The same number of rows of each array.

        Raises:
            OSError: If the disk is full; names the file to be written.
        """
        for name, values in rows.items():
            values = np.ascontiguousarray(values, self.dtype)
            try:
                self.files[name].write(values.data)
            except OSError as error:
                raise type(error)(
                    error.errno, f'cannot write {self.out} '
                    f'({error.strerror}, after {self.count} rows): nothing of '
                    'it was written; make room there or choose another '
                    'folder') from error
        self.count += len(values)

    def finish(self, **others: np.ndarray) -> Dict[str, np.ndarray]:
        """Write the file, whole or not at all, and map its arrays."""
        with replacing(self.out) as target, zipfile.ZipFile(
                target, 'w', zipfile.ZIP_STORED) as archive:
            for name, array in others.items():
                with archive.open(f'{name}.npy', 'w') as member:
                    npy.write_array(
                        member, np.asarray(array), allow_pickle=False)
            for name, shape in self.shapes.items():
                with archive.open(
                        f'{name}.npy', 'w', force_zip64=True) as member:
                    npy.write_array_header_1_0(
                        member,
                        dict(
                            descr=npy.dtype_to_descr(self.dtype),
                            fortran_order=False,
                            shape=(self.count, *shape)))
                    self.files[name].seek(0)
                    shutil.copyfileobj(self.files[name], member, 1 << 20)
                self.files[name].truncate(0)  # its room is needed
        return map_arrays(self.out)


def map_arrays(path: Union[str, Path]) -> Dict[str, np.ndarray]:
    """Arrays of an ``.npz`` file, mapped where they lie in it uncompressed.

    Args:
        path (str | Path): The file.

    Returns:
        dict[str, np.ndarray]: Read-only; compressed ones are read.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file, cut short, or holds objects.
    """
    path = str(path)
    if not osp.isfile(path):
        raise FileNotFoundError(f"'{path}' does not exist: check the path")
    found = {}
    try:
        with open(path, 'rb') as file, zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                name = info.filename
                name = name[:-4] if name.endswith('.npy') else name
                found[name] = _mapped(path, file, archive, info)
    except (zipfile.BadZipFile, ValueError, EOFError, KeyError) as error:
        raise ValueError(f"'{path}' is no .npz file of plain arrays, or cut "
                         f'short ({error}): make it again') from error
    return found


def _mapped(path: str, file: BinaryIO, archive: zipfile.ZipFile,
            info: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(info) as member:
        if info.compress_type != zipfile.ZIP_STORED:
            return npy.read_array(member, allow_pickle=False)
        version = npy.read_magic(member)
        read = (
            npy.read_array_header_1_0
            if version == (1, 0) else npy.read_array_header_2_0)
        shape, fortran, dtype = read(member)
        header = member.tell()
    if dtype.hasobject:
        raise ValueError('it holds Python objects')
    if 0 in shape or fortran or not shape:
        with archive.open(info) as member:
            return npy.read_array(member, allow_pickle=False)
    # the local header repeats the name, with extras of its own length
    file.seek(info.header_offset + 26)
    start = info.header_offset + 30 + sum(
        int.from_bytes(file.read(2), 'little') for _ in range(2))
    return np.memmap(path, dtype, 'r', start + header, shape)


def memory_or_file(out: Optional[str], count: int, shapes: Dict[str, Shape],
                   dtype: str) -> Union[RowsInMemory, RowsInFile]:
    """Where rows are gathered."""
    if out is None:
        return RowsInMemory(count, shapes, dtype)
    return RowsInFile(out, shapes, dtype)
