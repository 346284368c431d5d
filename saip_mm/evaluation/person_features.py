"""From a data set of persons to what a search needs."""
from typing import Callable, NamedTuple, Tuple

import torch
from mmengine.dataset import pseudo_collate
from mmengine.dist import all_gather_object, get_dist_info
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset


class PersonFeatures(NamedTuple):
    """A set of persons, as one side of :func:`retrieval_scores`.

    Attributes:
        features (Tensor): ``(N, D)`` float32.
        pids (Tensor): ``(N, )`` int64 identities.
        cams (Tensor): ``(N, )`` int64 cameras.
    """
    features: Tensor
    pids: Tensor
    cams: Tensor


def identities(batch: dict) -> Tuple[Tensor, Tensor]:
    """Read whose pictures these are.

    Args:
        batch (dict): ``data_samples``, with ``pid`` and ``camid`` each.

    Returns:
        tuple[Tensor, Tensor]: Identities and cameras, ``(B, )`` int64.

    Raises:
        ValueError: If a sample does not say.
    """
    try:
        who = [(s.pid, s.camid) for s in batch['data_samples']]
    except (AttributeError, KeyError) as error:
        raise ValueError(
            f'a sample does not say whose picture it is ({error}): end the '
            'pipeline in PackPerson, or name pid and camid in the meta_keys '
            'of PackInputs') from error
    return torch.tensor(who).unbind(1)


@torch.no_grad()
def extract_features(dataset: Dataset,
                     encode: Callable[[Tensor], Tensor],
                     batch_size: int = 256,
                     num_workers: int = 0) -> PersonFeatures:
    """Features of a whole set, each rank doing its share.

    Args:
        dataset (Dataset): Samples ``dict(inputs, data_samples)``, as those
            of ``PersonRetrievalDataset``; inputs uint8 ``(3, H, W)`` RGB,
            all of one size.
        encode (Callable): ``(B, 3, H, W)`` uint8 pictures on the CPU to
            ``(B, D)`` features, on any device.
        batch_size (int): Pictures a call of ``encode``. Defaults to 256.
        num_workers (int): Of each rank. Defaults to 0.

    Returns:
        PersonFeatures: In the order of the set, on the CPU, the same on
        every rank.

    Raises:
        ValueError: If the set is empty, or a sample lacks ``pid`` or
            ``camid``.
    """
    if not len(dataset):
        raise ValueError('a data set of persons is empty')
    rank, world_size = get_dist_info()
    share = Subset(dataset, range(rank, len(dataset), world_size))
    loader = DataLoader(
        share,
        batch_size,
        num_workers=num_workers,
        collate_fn=pseudo_collate,
        # else it draws the workers' seed from torch's own, of the training
        generator=torch.Generator())
    parts = [(encode(torch.stack(batch['inputs'])).float().cpu(),
              *identities(batch)) for batch in loader]
    # not tensors of one length: the last share may be shorter, or empty
    gathered = [p for shares in all_gather_object(parts) for p in shares]
    order = torch.cat([
        torch.arange(r, len(dataset), world_size) for r in range(world_size)
    ]).argsort()
    return PersonFeatures(*(torch.cat(column)[order]
                            for column in zip(*gathered)))
