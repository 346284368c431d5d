import torch
from torch import Tensor


def pair_weights(same: Tensor) -> Tensor:
    """Equal weights of all pairs of different views, 0 for the others.

    Args:
        same (Tensor): ``(V, U)`` bool, True where both are the same view.

    Returns:
        Tensor: ``(V, U)`` float32, sums to 1.

    Raises:
        ValueError: If no pair is left.
    """
    pairs = (~same).float()
    if not pairs.any():
        raise ValueError('matching needs a pair of different views: add a '
                         'scale or a local crop')
    return pairs / pairs.sum()


def matching_loss(student: Tensor, expert: Tensor, same: Tensor,
                  student_temperature: float) -> Tensor:
    """Cross-entropy between views, averaged over pairs of different views.

    As every target sums to one, ``-sum p log_softmax(s)`` is ``logsumexp(s)
    - p . s``: no log-probabilities are stored, and all pairs share the one
    product of targets with logits.

    Args:
        student (Tensor): ``(U, B, K)`` logits of the student's U views.
        expert (Tensor): ``(V, B, K)`` targets of the expert's V views; each
            ``[v, b]`` is a distribution (sums to 1). No gradient.
        same (Tensor): ``(V, U)`` bool, True where both are the same view.
        student_temperature (float): T_s > 0.

    Returns:
        Tensor: Scalar float32, the mean over pairs (v, u) of different views
        and over the batch.

    Raises:
        ValueError: If no pair is left.

    Source:
        Eq. 1 in DINO's form; targets come from the expert.
    """
    pairs = pair_weights(same).to(student.device)
    scaled = student.float() / student_temperature
    log_norm = scaled.logsumexp(-1).mean(1)  # (U,)
    with torch.autocast(student.device.type, enabled=False):
        # (B, V, K) x (B, K, U) -> mean over B of p_v . s_u
        agree = torch.bmm(expert.float().transpose(0, 1),
                          scaled.permute(1, 2, 0))
    return (pairs * (log_norm - agree.mean(0))).sum()
