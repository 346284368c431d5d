"""Keypoints found so far: a run over a million pictures may be cut."""
import json
import os
import os.path as osp
from hashlib import blake2b
from typing import Callable, Iterable, Iterator, Optional, Sequence

import numpy as np
from mmengine.logging import print_log

from ..keypoint_file import SHAPE

DTYPE = np.dtype('<f4')
ROW = DTYPE.itemsize * SHAPE[0] * SHAPE[1]  # bytes
Points = Iterable[Optional[np.ndarray]]


class KeypointJournal:
    """A file beside the one to be made, which grows with each picture.

    Its first line says whose keypoints they are, then come the rows, float32.

    Args:
        out (str): ``.npy`` to be made; the journal is ``<out>.unfinished``.
        keys (Sequence[str]): Of the pictures, in their order.
        **by: What finds the keypoints, plain values: with another model
            nothing goes on.

    Raises:
        ValueError: If there is a journal of other pictures or another model.
    """

    def __init__(self, out: str, keys: Sequence[str], **by) -> None:
        self.path = f'{osp.expanduser(out)}.unfinished'
        digest = blake2b(digest_size=16)
        for key in keys:
            digest.update(key.encode('utf-8', 'surrogateescape') + b'\n')
        self.by = dict(by, pictures=len(keys), keys=digest.hexdigest())
        self.head = json.dumps(self.by).encode() + b'\n'
        self.done = self._rows_there()

    def _rows_there(self) -> int:
        """Whole rows in the file."""
        if not osp.isfile(self.path):
            return 0
        with open(self.path, 'rb') as file:
            head = file.readline()
        if not head.endswith(b'\n'):  # cut while it began
            return 0
        if head != self.head:
            self._refuse(head)
        return (osp.getsize(self.path) - len(head)) // ROW

    def _refuse(self, head: bytes) -> None:
        """Say what is not as it was."""
        try:
            before = dict(json.loads(head))
        except ValueError:
            before = {}
        what = ', '.join(f'{name} {before.get(name)}, not {value}'
                         for name, value in self.by.items()
                         if before.get(name) != value)
        raise ValueError(f"'{self.path}' was begun with {what}: finish it "
                         'with that, or delete it to begin anew')

    def rows(self, find: Callable[[int], Points]) -> Iterator[np.ndarray]:
        """All rows, the ones there and those that are found now.

        Args:
            find (Callable): Keypoints from a place in the keys on: ``(17,
                3)`` each, or None where there are none.

        Yields:
            np.ndarray: ``(17, 3)`` float32; zeros where there are none.
        """
        if self.done:
            print_log(
                f"'{self.path}' has keypoints of {self.done} pictures: going "
                'on from there', 'current')
        with open(self.path, 'r+b' if self.done else 'wb') as file:
            if not self.done:
                file.write(self.head)
            file.seek(len(self.head))
            for _ in range(self.done):
                yield np.frombuffer(file.read(ROW), DTYPE).reshape(SHAPE)
            file.truncate()  # half a row
            for points in find(self.done):
                row = np.zeros(SHAPE, DTYPE)
                if points is not None:
                    row[:] = points
                file.write(row.tobytes())
                yield row

    def remove(self) -> None:
        """The keypoints are where they belong."""
        os.remove(self.path)
