from typing import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from .matching import pair_weights

# logits worked on at a time: on CPU as many as stay in its cache, on an
# accelerator enough to keep it busy
CPU_LOGITS, DEVICE_LOGITS = 2**18, 2**24


def _parts(rows: Tensor, prototypes: Tensor) -> Iterator[slice]:
    """Slices of the K prototypes, for M rows."""
    most = CPU_LOGITS if rows.device.type == 'cpu' else DEVICE_LOGITS
    step = max(64, most // max(len(rows), 1))
    for first in range(0, len(prototypes), step):
        yield slice(first, first + step)


class _PrototypeMatching(torch.autograd.Function):
    """:func:`prototype_matching_loss`; logits exist for a part of K only."""

    @staticmethod
    def forward(ctx, rows: Tensor, prototypes: Tensor, targets: Tensor,
                pairs: Tensor, temperature: float) -> Tensor:
        # under autocast as low as any linear layer, the rest in full
        ctx.dtype = F.linear(rows[:1], prototypes[:1]).dtype
        ctx.temperature = temperature
        views, batch = pairs.shape[1], targets.shape[1]
        log_norm = targets.new_full((len(rows), ), -torch.inf)
        agree = torch.zeros_like(pairs)
        with torch.autocast(rows.device.type, enabled=False):
            for part in _parts(rows, prototypes):
                products, lengths = _products(ctx, rows, prototypes[part],
                                              targets.dtype)
                logits = products.div_(lengths * temperature)
                log_norm = torch.logaddexp(log_norm, logits.logsumexp(-1))
                agree += torch.tensordot(targets[..., part],
                                         logits.view(views, batch, -1),
                                         ([1, 2], [1, 2]))
        ctx.save_for_backward(rows, prototypes, targets, pairs, log_norm)
        # means over the batch
        return (pairs *
                (log_norm.view(views, batch).mean(1) - agree / batch)).sum()

    @staticmethod
    def backward(ctx, grad: Tensor):
        rows, prototypes, targets, pairs, log_norm = ctx.saved_tensors
        low = rows.to(ctx.dtype)
        grad_rows = torch.zeros_like(rows, dtype=targets.dtype)
        grad_prototypes = torch.empty_like(
            prototypes) if ctx.needs_input_grad[1] else None
        weights = grad * pairs.T / targets.shape[1]
        with torch.autocast(rows.device.type, enabled=False):
            for part in _parts(rows, prototypes):
                chosen = prototypes[part]
                products, lengths = _products(ctx, rows, chosen, targets.dtype)
                scale = lengths * ctx.temperature
                slope = _logit_gradient(products / scale, log_norm,
                                        targets[..., part], weights) / scale
                steep = slope.to(ctx.dtype)
                grad_rows += steep @ chosen.to(ctx.dtype)
                if grad_prototypes is not None:
                    # what lengthens a prototype changes no cosine
                    along = (slope * products).sum(0) / lengths.square()
                    torch.addcmul(
                        (steep.T @ low).to(chosen.dtype),
                        chosen,
                        along[:, None].to(chosen.dtype),
                        value=-1,
                        out=grad_prototypes[part])
        return grad_rows.to(rows.dtype), grad_prototypes, None, None, None


def _products(ctx, rows: Tensor, prototypes: Tensor, dtype: torch.dtype):
    """Products ``(U * B, k)`` with prototypes, and lengths ``(k)`` of these"""
    products = F.linear(rows.to(ctx.dtype), prototypes.to(ctx.dtype))
    return products.to(dtype), prototypes.norm(dim=1).to(dtype)


def _logit_gradient(logits: Tensor, log_norm: Tensor, targets: Tensor,
                    weights: Tensor) -> Tensor:
    """Softmax minus target of every pair, times the pair's weight.

    Args:
        logits (Tensor): ``(U * B, k)`` over the temperature; written to.
        log_norm (Tensor): ``(U * B)`` logsumexp over all prototypes.
        targets (Tensor): ``(V, B, k)``.
        weights (Tensor): ``(U, V)`` of the pairs.

    Returns:
        Tensor: ``(U * B, k)``.
    """
    views, batch = len(weights), targets.shape[1]
    share = logits.sub_(log_norm[:, None]).exp_().view(views, batch, -1)
    share *= weights.sum(1)[:, None, None]
    share -= torch.tensordot(weights, targets, 1)
    return share.flatten(0, 1)


def prototype_matching_loss(student: Tensor, prototypes: Tensor,
                            expert: Tensor, same: Tensor,
                            student_temperature: float) -> Tensor:
    """:func:`matching_loss` of cosines to prototypes, light on memory.

    The ``U * B * K`` logits, their softmax and their gradient are made for a
    part of the prototypes at a time, once for the loss and again for its
    gradient, which is written straight into the K x d gradient of the
    prototypes. Kept for backward is the input.

    Args:
        student (Tensor): ``(U, B, d)`` of the student's U views, unit norm.
        prototypes (Tensor): ``(K, d)``, of any norm, which takes no part.
        expert (Tensor): ``(V, B, K)`` targets of the expert's V views; each
            ``[v, b]`` is a distribution (sums to 1). No gradient.
        same (Tensor): ``(V, U)`` bool, True where both are the same view.
        student_temperature (float): T_s > 0.

    Returns:
        Tensor: Scalar float32 (float64 for float64 targets), the mean over
        pairs (v, u) of different views and over the batch.

    Raises:
        ValueError: If no pair is left.

    Source:
        Eq. 1 in DINO's form, its last layer included.
    """
    dtype = torch.promote_types(expert.dtype, torch.float32)
    pairs = pair_weights(same).to(student.device, dtype)
    return _PrototypeMatching.apply(
        student.flatten(0, 1), prototypes, expert.to(dtype), pairs,
        student_temperature)
