import torch
from torch import Tensor

from .matching import pair_weights


def instance_matching_loss(student: Tensor,
                           keys: Tensor,
                           same: Tensor,
                           temperature: float,
                           first: int = 0) -> Tensor:
    """Cross-entropy of finding oneself among the persons of a batch.

    Args:
        student (Tensor): ``(U, B, d)`` of the student's U views, unit norm.
        keys (Tensor): ``(V, M, d)`` of the expert's V views of M >= B
            persons, those of all ranks, unit norm. No gradient.
        same (Tensor): ``(V, U)`` bool, True where both are the same view.
        temperature (float): > 0.
        first (int): Where the student's B persons begin among the M.
            Defaults to 0.

    Returns:
        Tensor: Scalar float32 (float64 for float64 input), the mean over
        pairs (v, u) of different views and over the batch.

    Raises:
        ValueError: If no pair is left.

    Source:
        Eq. 1 with a class for each person of the batch: van den Oord et al.,
        CPC, 2018 (InfoNCE); with a moving average for the keys as in MoCo v3.

    Example:
        >>> eye = torch.eye(2)[None]  # two persons, told apart
        >>> instance_matching_loss(eye, eye, torch.zeros(1, 1).bool(), 1.)
        tensor(0.3133)
    """
    dtype = torch.promote_types(student.dtype, torch.float32)
    pairs = pair_weights(same).to(student.device, dtype)
    student, keys = student.to(dtype), keys.to(dtype)
    # autocast would round the similarities, which differ little at first
    with torch.autocast(student.device.type, enabled=False):
        logits = torch.einsum('ubd,vmd->vubm', student, keys) / temperature
        own = logits.diagonal(first, dim1=-2, dim2=-1)  # (V, U, B)
        return (pairs * (logits.logsumexp(-1) - own).mean(-1)).sum()
