"""Unlabelled images of persons, for pretraining."""
import bisect
import logging
import os
from typing import Callable, List, Optional, Sequence, Union

import numpy as np
import torch
from mmengine.logging import print_log
from torch.utils.data import Dataset

from mmpretrain.registry import DATASETS, TRANSFORMS
from .sources import ImageSource, build_source
from .transforms import MAX_PIXELS, BrokenImageError, DecodeImage, decode_image

Sources = Union[str, dict, Sequence[Union[str, dict]]]

BROKEN = (BrokenImageError, OSError)
PROBES = 32  # images tried a source before training starts
MAX_REPLACED = 32  # broken images in a row
NO_KEYPOINTS = np.zeros((17, 3), np.float32)
BACKGROUND_SIZE = (512, 512)  # 20 % of it are 229x229 pixels


@DATASETS.register_module()
class PersonImages(Dataset):
    """Images without labels, in any mixture of sources.

    Sources are folders, lists, LMDBs and tar shards (:class:`ShardSource`,
    whose order :class:`ShardSampler` keeps together).

    An index carries its epoch: ``i = epoch * len(self) + index`` (what
    :class:`ResumableSampler` yields). A sample is a function of (seed,
    epoch, index) alone: neither the worker that makes it nor what it made
    before matters, so training resumes exactly.

    A broken image is replaced by another one of its source, drawn by the
    sample's own generator, and training goes on. It is logged once and
    counted in :attr:`num_broken`; the sample says so in ``replaced``.

    With ``background`` each sample also draws, by the same generator, a
    picture to stand behind its persons, each with equal probability.

    Args:
        sources (str | dict | list): Arguments of :func:`build_source`, or a
            folder, or a list of these: a mixture is their concatenation.
        pipeline (list): Transforms (configs or callables). They get
            ``data`` (bytes of the file), ``key`` (str) and ``rng``
            (np.random.Generator, the only randomness allowed),
            ``background_img`` (``(H, W, 3)`` uint8 RGB) with ``background``,
            and ``keypoints`` (``(17, 3)``, all 0 where there are none) if a
            source has a ``keypoints_file``.
        seed (int, optional): None takes the one of the sampler, which has
            the runner's; without a sampler that is 0. Defaults to None.
        background (str | dict | list, optional): Sources of the pictures
            behind the persons, as ``sources``; how they are cut
            ``PersonCrops`` says. Defaults to None: the next image of the
            batch stands behind, which costs no reading.

    Raises:
        FileNotFoundError: If a folder, list or LMDB is missing.
        ValueError: If a source is empty, or none of the images tried in it
            can be read.

    Example:
        >>> PersonImages(
        ...     sources=[
        ...         dict(data_root='data/luperson', ann_file='lup1m.txt'),
        ...         dict(data_root='data/hp1m_lmdb'),
        ...     ],
        ...     pipeline=[dict(type='DecodeImage'), dict(type='PersonCrops')
        ...               ],
        ...     background='data/imagenet/train')  # doctest: +SKIP
    """

    # mmengine hands it to the visualizer; there are no classes here.
    metainfo: dict = {}

    def __init__(self,
                 sources: Sources,
                 pipeline: Sequence[Union[dict, Callable]] = (),
                 seed: Optional[int] = None,
                 background: Optional[Sources] = None) -> None:
        if isinstance(sources, (str, os.PathLike, dict)):
            sources = [sources]
        if not sources:
            raise ValueError('PersonImages needs at least one source, got '
                             f'sources={sources!r}')
        self.sources: List[ImageSource] = [
            build_source(**(s if isinstance(s, dict) else {
                'data_root': os.fspath(s)
            })) for s in sources
        ]
        self.with_keypoints = any(s.keypoints for s in self.sources)
        self.ends = np.cumsum([len(s.keys) for s in self.sources]).tolist()
        self.pipeline = [
            TRANSFORMS.build(t) if isinstance(t, dict) else t for t in pipeline
        ]
        # The limit of the pipeline holds for all that is decoded.
        self.max_pixels = next(
            (t.max_pixels
             for t in self.pipeline if isinstance(t, DecodeImage)), MAX_PIXELS)
        self.background = None if background is None else PersonImages(
            background, [DecodeImage(BACKGROUND_SIZE, self.max_pixels)])
        if self.background and not self.background.random_access:
            raise ValueError(
                'background is drawn from all its pictures, each of which '
                'would fetch a whole shard: give its source a cache '
                "(cache='FOLDER'), or take another source")
        self.seed = seed
        for source in self.sources:
            self._probe(source)
        # One byte an image in shared memory: workers mark, all can count.
        self._broken = torch.zeros(len(self), dtype=torch.uint8)
        self._broken.share_memory_()

    def _probe(self, source: ImageSource) -> None:
        """Refuse a source of which nothing can be read."""
        count = min(PROBES, len(source.keys))
        for i in np.linspace(0, len(source.keys) - 1, count).astype(int):
            key = source.keys[i]
            try:
                decode_image(source.read(key), max_pixels=self.max_pixels)
                source.close()
                return
            except BROKEN as error:
                reason = f"'{key}': {error}"
        source.close()
        raise ValueError(
            f"none of {count} images tried in '{source.root}' can be read, "
            f'the last being {reason}. Check data_root, data_prefix and the '
            'list: together they must name image files')

    def __len__(self) -> int:
        return self.ends[-1]

    def __iter__(self):
        # Without it Python would count up through epoch after epoch.
        return (self[i] for i in range(len(self)))

    @property
    def num_broken(self) -> int:
        """Distinct broken images met so far, by all workers."""
        count = int(self._broken.sum())
        if self.background is not None:
            count += self.background.num_broken
        return count

    def key(self, index: int) -> str:
        """Key of an image within its source."""
        source, offset = self._locate(index)
        return source.keys[index - offset]

    @property
    def random_access(self) -> bool:
        """Whether images may be read in any order at no great cost."""
        return all(source.random_access for source in self.sources)

    def runs(self) -> np.ndarray:
        """How many images in a row are best read by one worker in one go.

        Returns:
            np.ndarray: ``(R, )`` int64; their sum is ``len(self)``.
        """
        return np.concatenate([source.runs() for source in self.sources])

    def _locate(self, index: int):
        which = bisect.bisect_right(self.ends, index)
        return self.sources[which], self.ends[which - 1] if which else 0

    def __getitem__(self, i: int) -> dict:
        epoch, index = divmod(int(i), len(self))
        if epoch < 0:
            raise IndexError(f'index {i} is negative')
        rng = np.random.default_rng((self.seed or 0, epoch, index))
        if self.background is None:
            return self._sample(index, rng)
        drawn = int(rng.integers(len(self.background)))
        behind = self.background._sample(drawn, rng)
        sample = self._sample(index, rng, background_img=behind['img'])
        sample['replaced'] += behind['replaced']
        return sample

    def _sample(self, index: int, rng: np.random.Generator, **extra) -> dict:
        """Load an image, or one that replaces it, with all draws by rng."""
        source, offset = self._locate(index)
        for replaced in range(MAX_REPLACED):
            key = source.keys[index - offset]
            try:
                if self.with_keypoints:
                    extra['keypoints'] = source.keypoints.of(
                        index - offset) if source.keypoints else NO_KEYPOINTS
                sample = self._load(source, key, rng, extra)
            except BROKEN as error:
                self._report(source, key, index, error)
                start, stop = source.around(index - offset)
                index = offset + start + int(rng.integers(stop - start))
                continue
            sample['replaced'] = replaced
            return sample
        raise RuntimeError(
            f"{MAX_REPLACED} images of '{source.root}' in a row cannot be "
            f"read, the last being '{key}'. Is the disk still there? "
            'build_image_list.py --screen leaves out broken images')

    def _load(self, source: ImageSource, key: str, rng: np.random.Generator,
              extra: dict) -> dict:
        results = dict(data=source.read(key), key=key, rng=rng, **extra)
        for transform in self.pipeline:
            results = transform(results)
        return results

    def _report(self, source: ImageSource, key: str, index: int,
                error: Exception) -> None:
        if self._broken[index]:
            return
        self._broken[index] = 1
        print_log(
            f"broken image '{key}' of '{source.root}' is replaced: {error}",
            logger='current',
            level=logging.WARNING)
