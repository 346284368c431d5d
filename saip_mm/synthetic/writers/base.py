"""What every writer of a data set's format provides."""
from abc import ABCMeta, abstractmethod
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from ..people.identity import SPLITS
from ..scene.camera import encode_jpeg
from ..scene.scene import Scene

SIZES = ('tiny', 'small', 'large')


class Job(NamedTuple):
    """One picture to render.

    ``stream``, ``split`` and ``index``, with the data set's seed, give its
    random generator: no other picture, and no worker, matters.
    """
    path: str  # below the format's folder, with '/'
    split: str
    index: int
    options: dict

    def generator(self, stream: int, seed: int) -> np.random.Generator:
        """The picture's own source of random numbers."""
        return np.random.default_rng(
            [stream, seed, SPLITS.index(self.split), self.index])


class Writer(metaclass=ABCMeta):
    """Lays scenes out as one data set does on disk.

    A subclass names itself, plans its pictures, renders one of them, and
    writes what needs all of them: lists, annotation files.

    Attributes:
        name (str): Of the format and of its folder.
        stream (int): Keeps random numbers of two formats apart.
    """
    name: str
    stream: int

    @abstractmethod
    def plan(self, size: str, seed: int) -> List[Job]:
        """List all pictures of a size, in a fixed order."""

    @abstractmethod
    def render(self, job: Job, seed: int) -> Tuple[Dict[str, bytes], Any]:
        """Render one picture.

        Returns:
            tuple: Files as ``{path: content}``, and what :meth:`finish`
            needs of it (plain types).
        """

    def finish(self, root: str, jobs: Sequence[Job],
               records: Sequence[Any]) -> List[str]:
        """Write what needs all pictures.

        Returns:
            list[str]: Paths written, below ``root``.
        """
        return []


def photograph_jpeg(scene: Scene) -> bytes:
    """Render, take and encode a scene's picture without labels."""
    image = scene.photograph(scene.render(with_ids=False))
    return encode_jpeg(image, scene.camera.quality)
