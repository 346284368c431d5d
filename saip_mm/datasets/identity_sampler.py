"""Batches of P persons with K pictures each."""
from typing import Iterator, List

import numpy as np
from mmengine.dist import get_dist_info
from mmengine.logging import print_log
from torch.utils.data import BatchSampler, Sampler

from mmpretrain.registry import DATA_SAMPLERS
from .samplers import ResumableSampler


@DATA_SAMPLERS.register_module()
class IdentityBatchSampler(BatchSampler):
    """Batches of P persons with K pictures each, for a triplet loss.

    K is ``num_instances``, and P what makes up the batch. Pictures of a
    person stand together. An epoch, :func:`plan_epoch`, is drawn from seed +
    epoch: its length differs a little from epoch to epoch, ``len()`` is exact
    for the running one, no batch is short, and what is left over takes part
    in another epoch.

    All ranks draw the same plan for the batches of all ranks together, of
    which each takes its own persons. So no person is on two ranks at once,
    and the number of processes changes nothing of what the batches are.

    Args:
        sampler (Sampler): Gives data set, seed and epoch, not the order:
            ``ResumableSampler``, with which all of a sample follows from
            seed and epoch, or mmengine's ``DefaultSampler``. Entries of its
            data set have ``gt_label``.
        batch_size (int): P x K of this rank.
        num_instances (int): K. Defaults to 4.

    Raises:
        ValueError: If the batch is not P x K with both at least 2 (P over all
            ranks), there are fewer than P identities, or the sampler has no
            epochs.

    Source:
        The law of TransReID's sampler on one GPU (damo-cv/TransReID @
        dec5504). With several its ranks draw apart.

    Example:
        >>> train_dataloader = dict(
        ...     batch_size=64,  # 16 x 4
        ...     sampler=dict(type='ResumableSampler'),
        ...     batch_sampler=dict(type='IdentityBatchSampler'))
    """

    def __init__(self,
                 sampler: Sampler,
                 batch_size: int,
                 num_instances: int = 4) -> None:
        if not hasattr(sampler, 'epoch'):
            raise ValueError(
                f'{type(sampler).__name__} counts no epochs: set '
                "train_dataloader.sampler.type='ResumableSampler'")
        self.rank, self.world_size = get_dist_info()
        people = batch_size // num_instances
        total = self.world_size * people
        if (num_instances < 2 or total < 2 or not people
                or batch_size % num_instances):
            raise ValueError(
                f'train_dataloader.batch_size={batch_size} on '
                f'{self.world_size} processes is no P x K of at least 2 '
                f'persons with num_instances={num_instances} (at least 2) '
                'pictures each: make it a multiple of num_instances')
        super().__init__(sampler, batch_size, drop_last=True)
        self.num_ids, self.num_instances = people, num_instances
        dataset = sampler.dataset
        labels = np.array([
            dataset.get_data_info(i)['gt_label'] for i in range(len(dataset))
        ])
        order = np.argsort(labels, kind='stable')
        counts = np.unique(labels, return_counts=True)[1]
        self.identities = np.split(order, counts.cumsum()[:-1])
        if len(counts) < total:
            raise ValueError(
                f'the training set has {len(counts)} identities, a batch '
                f'needs {total} (P): set train_dataloader.batch_size to at '
                f'most {len(counts) // self.world_size * num_instances}')
        few = int((counts < num_instances).sum())
        if few:
            print_log(
                f'{few} of {len(counts)} identities have fewer than '
                f'{num_instances} pictures: some are drawn more than once a '
                'batch', 'current')
        self._planned = None

    @property
    def plan(self) -> np.ndarray:
        """``(N, world * P, K)`` places in the data set, of this epoch."""
        epoch = self.sampler.epoch
        if self._planned is None or self._planned[0] != epoch:
            rng = np.random.default_rng(self.sampler.seed + epoch)
            self._planned = epoch, plan_epoch(self.identities,
                                              self.world_size * self.num_ids,
                                              self.num_instances, rng)
        return self._planned[1]

    def __iter__(self) -> Iterator[List[int]]:
        first = self.rank * self.num_ids
        offset = 0
        if isinstance(self.sampler, ResumableSampler):
            offset = self.sampler.epoch * len(self.sampler.dataset)
        for batch in self.plan[:, first:first + self.num_ids]:
            yield (batch.ravel() + offset).tolist()

    def __len__(self) -> int:
        """Batches of the running epoch, on each rank."""
        return len(self.plan)


def plan_epoch(identities: List[np.ndarray], num_ids: int, num_instances: int,
               rng: np.random.Generator) -> np.ndarray:
    """Draw the batches of an epoch.

    A person's pictures are shuffled and cut into groups of K; the rest sits
    out. Who has fewer than K gets one group, drawn with replacement. While P
    persons still have a group, P different ones are drawn, all equally
    likely, and give their next one.

    Args:
        identities (list[np.ndarray]): Places in the data set of each
            person's pictures, int.
        num_ids (int): P, at most the number of persons.
        num_instances (int): K.
        rng (Generator): Draws all.

    Returns:
        np.ndarray: ``(N, P, K)`` int64, at least one batch.
    """
    groups = []
    for places in identities:
        if len(places) < num_instances:
            chosen = rng.choice(places, num_instances)
        else:
            whole = len(places) // num_instances * num_instances
            chosen = rng.permutation(places)[:whole]
        groups.append(chosen.reshape(-1, num_instances))
    left = np.array([len(group) for group in groups])
    batches = []
    while (left > 0).sum() >= num_ids:
        people = rng.choice(np.flatnonzero(left), num_ids, replace=False)
        left[people] -= 1
        batches.append([groups[person][left[person]] for person in people])
    return np.array(batches, np.int64)
