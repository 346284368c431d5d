import torch.nn.functional as F
from torch import Tensor


def search_loss(logits: Tensor, target: Tensor, kind: str = 'mse') -> Tensor:
    """Distance of a searched mask from where the person was pasted.

    Args:
        logits (Tensor): ``(B, L)``, one a canvas cell.
        target (Tensor): ``(B, L)`` in [0, 1], covered share of each cell.
        kind (str): 'mse' of the sigmoid (Eq. 3) or 'bce' (the release).

    Returns:
        Tensor: Scalar float32, mean over cells and batch.

    Raises:
        ValueError: For another ``kind``.
    """
    logits, target = logits.float(), target.float()
    if kind == 'mse':
        return F.mse_loss(logits.sigmoid(), target)
    if kind == 'bce':
        return F.binary_cross_entropy_with_logits(logits, target)
    raise ValueError(f"search loss '{kind}' is unknown: use 'mse' or 'bce'")
