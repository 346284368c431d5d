"""Shuffle pictures which lie together in shards, and share them out."""
from itertools import chain, islice
from typing import Iterator, Optional, Sized

import numpy as np

from mmpretrain.registry import DATA_SAMPLERS
from .samplers import ResumableSampler


@DATA_SAMPLERS.register_module()
class ShardSampler(ResumableSampler):
    """Shuffle shard by shard, share among ranks and workers, resume exactly.

    1. The data set's runs (shards; a single picture of a folder or an LMDB)
       are put into a random order, end to end: a line of all pictures.
    2. The line is cut into equal parts, one a rank, and each of those into
       ``streams``, one a worker. No picture is in two parts; a shard can be,
       at a cut.
    3. A stream goes along its part: ``mix`` runs at a time are opened and
       their pictures shuffled together.
    4. Batches are dealt in turn: the first from the first stream, and so on.
       A loader deals its batches to its workers in the same way, so that,
       with as many workers as streams, each reads its own shards.

    All of it follows from seed and epoch, not from who reads, and takes no
    more memory than the numbers of ``mix`` runs. An interrupted run goes on
    with the very next batch: nothing is read again but the shards that were
    open. What is left over after the last whole batch of each rank sits out
    this epoch, and others sit out the next one.

    Shards should be mixed when they are packed, as ``pack_shards.py`` does:
    a batch is of ``mix`` shards.

    Args:
        dataset (Sized): The data set, with ``runs()`` if any lie together.
        batch_size (int): That of the loader. Another one is no error, but
            then a batch is of several streams, and every worker opens all of
            their shards.
        streams (int): Of each rank; ``num_workers`` or a multiple of it.
            Defaults to 8.
        mix (int): Runs that are shuffled together. Defaults to 4.
        shuffle (bool): Defaults to True.
        seed (int, optional): The same on all ranks. None draws one and
            shares it. Defaults to None.

    Raises:
        ValueError: If a number is below 1.

    Example:
        >>> sampler = ShardSampler(range(9), 2, streams=2, shuffle=False)
        >>> list(sampler), len(sampler)
        ([0, 1, 4, 5, 2, 3, 6, 7], 8)
    """

    def __init__(self,
                 dataset: Sized,
                 batch_size: int,
                 streams: int = 8,
                 mix: int = 4,
                 shuffle: bool = True,
                 seed: Optional[int] = None) -> None:
        if min(batch_size, streams, mix) < 1:
            raise ValueError(f'ShardSampler takes numbers from 1 on, got '
                             f'batch_size={batch_size}, streams={streams}, '
                             f'mix={mix}')
        super().__init__(dataset, shuffle, seed)
        self.batch_size, self.streams, self.mix = batch_size, streams, mix
        count = len(dataset)
        self.runs = (
            dataset.runs() if hasattr(dataset, 'runs') else np.ones(
                count, np.int64))
        whole = count // self.world_size // batch_size
        if whole:  # else too few for a batch each: some are repeated
            self.num_samples = whole * batch_size
        self.epochs_before = 0

    def __iter__(self) -> Iterator[int]:
        skipped, self._skipped = self._skipped, 0
        epoch = self.epochs_before + self.epoch
        line = _Line(self.runs, self.mix, self.seed if self.shuffle else None,
                     epoch)
        offset = epoch * len(self.dataset)
        return (offset + index for index in self._deal(line, skipped))

    def _deal(self, line: '_Line', skipped: int) -> Iterator[int]:
        """A batch of each stream in turn, from the one to go on with."""
        size = self.batch_size
        batches = -(-self.num_samples // size)
        begun, within = divmod(skipped, size)
        start = self.rank * self.num_samples
        end = start + self.num_samples
        parts = []
        for stream in range(self.streams):
            mine = len(range(stream, batches, self.streams))
            done = len(range(stream, begun, self.streams))
            parts.append(
                line.walk(start, min(start + mine * size, end), done * size,
                          1 + stream % self.mix))
            start += mine * size
        turns = (parts[i % self.streams] for i in range(begun, batches))
        return islice(
            chain.from_iterable(islice(part, size) for part in turns), within,
            None)

    def skip(self, num_samples: int) -> None:
        """Leave out what an interrupted run has consumed.

        Args:
            num_samples (int): Samples of *this rank*: iterations x batch
                size. More than an epoch, which loops that count iterations
                ask for, are whole epochs and the beginning of another.

        Raises:
            ValueError: If it is negative.
        """
        if num_samples < 0:
            raise ValueError(f'cannot skip {num_samples} samples')
        # at an epoch's very end its rest is empty, as loops expect
        self.epochs_before = max(0, (num_samples - 1) // self.num_samples)
        self._skipped = num_samples - self.epochs_before * self.num_samples


class _Line:
    """All pictures of an epoch, run by run.

    Args:
        runs (np.ndarray): ``(R, )`` int64, lengths of the runs.
        mix (int): Runs to shuffle together.
        seed (int, optional): None leaves all in order.
        epoch (int): 0-based.
    """

    def __init__(self, runs: np.ndarray, mix: int, seed: Optional[int],
                 epoch: int) -> None:
        starts = np.cumsum(runs) - runs
        if seed is not None:
            order = np.random.default_rng((seed, epoch)).permutation(len(runs))
            runs, starts = runs[order], starts[order]
        self.starts, self.ends = starts, np.cumsum(runs)  # in data, in line
        self.begins = self.ends - runs
        self.mix, self.seed, self.epoch = mix, seed, epoch

    def walk(self, start: int, stop: int, skipped: int,
             first: int) -> Iterator[int]:
        """Pictures between two places, ``mix`` runs at a time.

        Args:
            start (int): First place in the line.
            stop (int): Behind the last; beyond the line it begins again.
            skipped (int): How many to leave out, without a look at them.
            first (int): Runs of the first time: streams that begin with
                different ones do not all open new shards at once.

        Yields:
            int: Number in the data set.
        """
        count = int(self.ends[-1])
        while start < stop:
            at = start % count
            run = int(np.searchsorted(self.ends, at, 'right'))
            last = min(run + first, len(self.ends)) - 1
            end = min(int(self.ends[last]), at + stop - start)
            if skipped < end - at:
                yield from self._mixed(at, end)[skipped:].tolist()
            skipped = max(0, skipped - (end - at))
            start += end - at
            first = self.mix

    def _mixed(self, at: int, end: int) -> np.ndarray:
        """Pictures at places of the line, shuffled."""
        places = np.arange(at, end)
        runs = np.searchsorted(self.ends, places, 'right')
        numbers = self.starts[runs] + places - self.begins[runs]
        if self.seed is not None:
            rng = np.random.default_rng((self.seed, self.epoch, at))
            numbers = rng.permutation(numbers)
        return numbers
