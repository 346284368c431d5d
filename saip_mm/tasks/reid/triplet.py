"""The hardest pairs of a batch: a person's own pictures, and the others'."""
from typing import Optional

import torch
import torch.nn.functional as F
from mmengine.dist import all_gather, get_rank, get_world_size
from torch import Tensor, nn

from mmpretrain.registry import MODELS


def batch_hard_triplet(features: Tensor,
                       labels: Tensor,
                       margin: Optional[float] = None) -> Tensor:
    """Triplet loss of each picture with its hardest pair.

    The farthest picture of the same person is to be nearer than the nearest
    one of another person.

    Args:
        features (Tensor): ``(B, D)`` float, any norm.
        labels (Tensor): ``(B, )`` int, who it is.
        margin (float, optional): By how much nearer, at least. Defaults to
            None: the soft form ``log(1 + exp(far - near))``.

    Returns:
        Tensor: Scalar, mean over the batch, in float32 or float64.

    Raises:
        ValueError: If all pictures are of one person.

    Source:
        Hermans et al., In Defense of the Triplet Loss, 2017; distances, not
        their squares, as in TransReID.

    Example:
        >>> points = torch.tensor([[0., 0.], [1., 0.], [0., 2.], [3., 4.]])
        >>> batch_hard_triplet(points, torch.tensor([0, 0, 1, 1]))
        tensor(0.6769)
    """
    features = features.to(torch.promote_types(features.dtype, torch.float32))
    same = labels[:, None] == labels
    if bool(same.all()):
        raise ValueError(
            'triplet loss needs at least 2 identities in a batch, got '
            f'{len(labels)} pictures of one: take IdentityBatchSampler as '
            'train_dataloader.batch_sampler')
    # autocast would round the products, whose differences are small
    with torch.autocast(features.device.type, enabled=False):
        squares = features.square().sum(1)
        distance = squares[:, None] + squares - 2 * features @ features.T
        distance = distance.clamp(min=1e-12).sqrt()
    far = distance.masked_fill(~same, -torch.inf).amax(1)
    near = distance.masked_fill(same, torch.inf).amin(1)
    if margin is None:
        return F.softplus(far - near).mean()
    return (far - near + margin).clamp(min=0).mean()


@MODELS.register_module()
class BatchHardTripletLoss(nn.Module):
    """:func:`batch_hard_triplet` over the pictures of all ranks.

    With several processes each looks for its hardest pairs among the
    pictures of all. The mean of the ranks' gradients, which
    DistributedDataParallel takes, is then that of one process with the whole
    batch.

    Args:
        margin (float, optional): As there. Defaults to None, soft.
        loss_weight (float): Defaults to 1.0.
    """

    def __init__(self,
                 margin: Optional[float] = None,
                 loss_weight: float = 1.0) -> None:
        super().__init__()
        self.margin = margin
        self.loss_weight = loss_weight

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Loss of this rank's ``(B, D)`` features and ``(B, )`` labels."""
        ranks = get_world_size()
        if ranks > 1:
            rows = all_gather(features.detach())
            rows[get_rank()] = features
            features = torch.cat(rows)
            labels = torch.cat(all_gather(labels))
        loss = batch_hard_triplet(features, labels, self.margin)
        # a rank has the gradient of its own pictures alone, and the mean is
        # taken over the ranks
        loss = loss + (ranks - 1) * (loss - loss.detach())
        return self.loss_weight * loss
