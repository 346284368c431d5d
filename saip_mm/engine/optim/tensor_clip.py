import math
from contextlib import contextmanager
from typing import Iterator, List, Optional

import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from torch import Tensor, nn

from mmpretrain.registry import OPTIM_WRAPPERS
from ...models.finite import REMEDY, NonFiniteError, training_state

EPS = 1e-6  # DINO's clip_gradients


def clip_each_(grads: List[Tensor], max_norm: float) -> float:
    """Clip every tensor in place by its own L2 norm.

    A tensor ``g`` becomes ``g * min(1, max_norm / (|g| + 1e-6))``.

    Args:
        grads (list[Tensor]): Gradients, of any shapes, on one device.
        max_norm (float): Largest norm left; infinity only measures.

    Returns:
        float: L2 norm of all of them together, before clipping. If it is
        not finite nothing has been clipped.

    Source:
        ``clip_gradients`` of DINO's utils.py.

    Example:
        >>> grads = [torch.tensor([3., 4.]), torch.tensor([0., 1.])]
        >>> round(clip_each_(grads, 2.5) ** 2)
        26
        >>> grads
        [tensor([1.5000, 2.0000]), tensor([0., 1.])]
    """
    # one transfer from the device: the scaler, the guard against non-finite
    # gradients and the log need the numbers anyway
    norms = torch.stack(torch._foreach_norm(grads)).tolist()
    total = math.sqrt(sum(norm * norm for norm in norms))
    if not math.isfinite(total):
        return total
    scales = [max_norm / (norm + EPS) for norm in norms]
    large = [(g, s) for g, s in zip(grads, scales) if s < 1]
    if large:
        torch._foreach_mul_([g for g, _ in large], [s for _, s in large])
    return total


class TensorClip:
    """Mixin over mmengine's wrappers: DINO's clip in place of the global one.

    Args:
        clip_grad (dict): ``max_norm`` of each gradient tensor; infinity only
            records the norm. Defaults to 3.0 (DINO).
        kwargs: Of the wrapper.

    Raises:
        ValueError: If ``clip_grad`` holds anything else.
    """

    def __init__(self, clip_grad: Optional[dict] = None, **kwargs) -> None:
        clip_grad = dict(clip_grad or dict(max_norm=3.))
        if set(clip_grad) != {'max_norm'} or clip_grad['max_norm'] <= 0:
            raise ValueError(
                f'clip_grad of {type(self).__name__} takes max_norm > 0 and '
                f'nothing else, got {clip_grad}; for the norm of all '
                'gradients together use OptimWrapper')
        super().__init__(clip_grad=clip_grad, **kwargs)

    def _clip_grad(self) -> None:
        """Clip, record ``train/grad_norm`` (total, before clipping).

        Called by ``step``: once an optimiser step, after unscaling.

        Raises:
            NonFiniteError: If a gradient is not finite, unless a loss scaler
                is there, which then skips the step.
        """
        grads = [
            p.grad for group in self.optimizer.param_groups
            for p in group['params'] if p.grad is not None
        ]
        if not grads:
            return
        total = clip_each_(grads, self.clip_grad_kwargs['max_norm'])
        if math.isfinite(total):
            self.message_hub.update_scalar('train/grad_norm', total)
        elif not hasattr(self, 'loss_scaler'):
            bad = [tuple(g.shape) for g in grads if not g.norm().isfinite()]
            raise NonFiniteError(
                f'{len(bad)} of {len(grads)} gradients have no finite norm, '
                f'the first of shape {bad[0] if bad else "-"} '
                f'({training_state()}). {REMEDY}')


@OPTIM_WRAPPERS.register_module()
class TensorClipOptimWrapper(TensorClip, OptimWrapper):
    """Single precision, each gradient tensor clipped by its own norm."""


@OPTIM_WRAPPERS.register_module()
class TensorClipAmpOptimWrapper(TensorClip, AmpOptimWrapper):
    """Mixed precision, each gradient tensor clipped by its own norm.

    Gradients are unscaled first. A step with an overflow is skipped by the
    loss scaler and leaves no gradient norm in the log.
    """


@OPTIM_WRAPPERS.register_module()
class TensorClipCpuAmpOptimWrapper(TensorClip, OptimWrapper):
    """Mixed precision on a CPU: products of matrices in bfloat16.

    Each gradient tensor is clipped by its own norm. bfloat16 has float32's
    range, so no loss is scaled. mmengine's wrapper for mixed precision asks
    for an accelerator. Worth it on CPUs with instructions for bfloat16 only:
    :func:`~saip_mm.engine.launch_options.adapt_to_device` chooses.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """The forward pass: autocast, and mmengine's accumulation."""
        with super().optim_context(model), torch.autocast(
                'cpu', torch.bfloat16):
            yield
