"""A shuffling sampler that can begin in the middle of an epoch."""
from typing import Iterator, Optional, Sized

import torch
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from mmpretrain.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class ResumableSampler(Sampler):
    """Shuffle by (seed + epoch), share among the ranks, resume exactly.

    As mmengine's ``DefaultSampler`` (all ranks get equally many; the first
    of the shuffled indices are repeated where the number of ranks does not
    divide), but it yields ``epoch * len(dataset) + index``, from which
    :class:`PersonImages` knows the epoch, and it can skip what the running
    epoch has consumed already.

    Args:
        dataset (Sized): The data set. Where its ``seed`` is None it gets
            this sampler's, so that one seed rules order and crops.
        shuffle (bool): Defaults to True.
        seed (int, optional): The same on all ranks. None draws one and
            shares it. Defaults to None.

    Example:
        >>> sampler = ResumableSampler(range(3), shuffle=False, seed=0)
        >>> sampler.set_epoch(2)
        >>> sampler.skip(1)
        >>> list(sampler), list(sampler)
        ([7, 8], [6, 7, 8])
    """

    def __init__(self,
                 dataset: Sized,
                 shuffle: bool = True,
                 seed: Optional[int] = None) -> None:
        self.rank, self.world_size = get_dist_info()
        self.dataset = dataset
        self.shuffle = shuffle
        self.seed = sync_random_seed() if seed is None else seed
        if getattr(dataset, 'seed', 0) is None:
            dataset.seed = self.seed
        self.epoch = 0
        self.num_samples = -(-len(dataset) // self.world_size)
        self._skipped = 0

    def __iter__(self) -> Iterator[int]:
        if self.shuffle and not getattr(self.dataset, 'random_access', True):
            raise ValueError(
                f'{type(self).__name__} draws from all pictures, each of '
                'which would fetch a whole shard: set train_dataloader.'
                "sampler.type='ShardSampler', or give the source a cache "
                "(cache='FOLDER')")
        count = len(self.dataset)
        if self.shuffle:
            generator = torch.Generator()
            generator.manual_seed(self.seed + self.epoch)
            order = torch.randperm(count, generator=generator)
        else:
            order = torch.arange(count)
        total = self.num_samples * self.world_size
        mine = torch.arange(self.rank, total, self.world_size) % count
        order = order[mine[self._skipped:]] + self.epoch * count
        self._skipped = 0
        # Python integers one by one: a list of millions would cost more.
        return (int(i) for i in order)

    def __len__(self) -> int:
        """Samples a rank and epoch, whatever is skipped."""
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next pass.

        Args:
            epoch (int): 0-based.
        """
        self.epoch = epoch

    def skip(self, num_samples: int) -> None:
        """Leave out the beginning of the next pass, and of that one only.

        Args:
            num_samples (int): How many samples of *this rank* the
                interrupted epoch has consumed: iterations x batch size.

        Raises:
            ValueError: If the epoch is not that long.
        """
        if not 0 <= num_samples <= self.num_samples:
            raise ValueError(
                f'cannot skip {num_samples} samples: an epoch has '
                f'{self.num_samples} a rank. Has the data set or the number '
                'of processes changed since the checkpoint?')
        self._skipped = num_samples
