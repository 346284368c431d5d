import torch
import torch.nn.functional as F
from torch import Tensor

from .matching import pair_weights

DISTANCES = ('cosine', 'mse')


def token_distance(student: Tensor, expert: Tensor, kind: str) -> Tensor:
    """Distance of tokens that stand for the same thing.

    Args:
        student (Tensor): ``(..., D)``.
        expert (Tensor): ``(..., D)``, broadcast against it. No gradient.
        kind (str): 'cosine', ``1 - cos``, or 'mse', the mean of the squared
            differences over the channels.

    Returns:
        Tensor: ``(...)`` float32.

    Raises:
        ValueError: For another ``kind``.

    Source:
        The authors' deleted code has ``-cos``, which differs by 1, and later
        the mean of squares (DPAL).

    Example:
        >>> one, other = torch.tensor([1., 0.]), torch.tensor([0., 2.])
        >>> token_distance(one, other, 'cosine')
        tensor(1.)
        >>> token_distance(one, other, 'mse')
        tensor(2.5000)
    """
    student, expert = student.float(), expert.float()
    if kind == 'cosine':
        return 1 - F.cosine_similarity(student, expert, dim=-1)
    if kind == 'mse':
        return (student - expert).square().mean(-1)
    raise ValueError(f"distance '{kind}' is unknown: use one of {DISTANCES}")


def pairwise_distance(student: Tensor, expert: Tensor, same: Tensor,
                      kind: str) -> Tensor:
    """Distance of image tokens, averaged over pairs of views.

    Args:
        student (Tensor): ``(U, B, D)`` of the student's U views.
        expert (Tensor): ``(V, B, D)`` of the expert's V views.
        same (Tensor): ``(V, U)`` bool, True for the pairs that are left out.
        kind (str): Of :func:`token_distance`.

    Returns:
        Tensor: Scalar float32, the mean over pairs and batch.

    Raises:
        ValueError: If no pair is left, or ``kind`` is unknown.
    """
    pairs = pair_weights(same).to(student.device)
    distance = torch.stack([
        token_distance(student, one, kind).mean(-1) for one in expert
    ])  # (V, U)
    return (pairs * distance).sum()


def softmax_divergence(student: Tensor, expert: Tensor) -> Tensor:
    """``KL(softmax(expert) || softmax(student))``.

    Args:
        student (Tensor): ``(..., K)`` logits.
        expert (Tensor): ``(..., K)`` logits. No gradient.

    Returns:
        Tensor: Scalar float32: the sum over K, the mean over the rest.
    """
    target = expert.float().log_softmax(-1)
    found = student.float().log_softmax(-1)
    return (target.exp() * (target - found)).sum(-1).mean()


def attention_divergence(student: Tensor, expert: Tensor) -> Tensor:
    """How far a block attends to other places than the expert's.

    ``KL`` between ``softmax(Q K^T / sqrt(hs))`` of both, plus that of
    ``softmax(V V^T / sqrt(hs))``, summed over keys, mean over batch, heads
    and queries. With different numbers of heads each side is averaged over
    its own before (ours).

    Args:
        student (Tensor): ``(B, 3, nh, N, hs)`` queries, keys and values.
        expert (Tensor): Likewise, of the same N tokens. No gradient.

    Returns:
        Tensor: Scalar float32.

    Raises:
        ValueError: If they have other numbers of tokens.

    Source:
        The authors' release and their deleted code for SAIP*.
    """
    if student.shape[3] != expert.shape[3]:
        raise ValueError(
            f"attention of the student's {student.shape[3]} tokens cannot be "
            f"compared with the expert's {expert.shape[3]}: both need the "
            'same grid and a class token, or neither one')
    with torch.autocast(student.device.type, enabled=False):
        ours, theirs = _relations(student), _relations(expert)
        if student.shape[2] == expert.shape[2]:
            return 2 * softmax_divergence(ours, theirs)
        ours, theirs = (x.softmax(-1).mean(2) for x in (ours, theirs))
        # zero where half precision left nothing: no logarithm of it
        least = torch.finfo(ours.dtype).tiny
        return 2 * (theirs * (theirs.clamp(least).log() -
                              ours.clamp(least).log())).sum(-1).mean()


def _relations(parts: Tensor) -> Tensor:
    """Logits ``(B, 2, nh, N, N)`` of queries with keys, values with values."""
    query, key, value = parts.float().unbind(1)
    left, right = torch.stack((query, value), 1), torch.stack((key, value), 1)
    return left @ right.transpose(-1, -2) / parts.shape[-1]**0.5


def relation_divergence(student: Tensor, expert: Tensor) -> Tensor:
    """``KL`` between the similarities of a picture's tokens.

    Args:
        student (Tensor): ``(B, N, D)``.
        expert (Tensor): ``(B, N, D)``. No gradient.

    Returns:
        Tensor: Scalar float32, of ``softmax(T T^T / sqrt(D))``: summed over
        keys, mean over batch and queries.

    Source:
        DPAL, with the tokens of a picture of several persons.
    """
    with torch.autocast(student.device.type, enabled=False):
        ours, theirs = (
            x.float() @ x.float().transpose(1, 2) / x.shape[-1]**0.5
            for x in (student, expert))
        return softmax_divergence(ours, theirs)
