import math
from typing import Collection, List, Optional

import torch
from mmengine.model import BaseModule
from torch import Tensor

from ..tokens import WISHES, TokenDims, Tokens

PROBE = 64  # least side of the blank image that tells what a backbone gives


def probe_side(*strides: int) -> int:
    """Least side from ``PROBE`` on that all strides divide, in pixels.

    Example:
        >>> probe_side(16), probe_side(14), probe_side(16, 14)
        (64, 70, 112)
    """
    whole = math.lcm(*strides)
    return -(-PROBE // whole) * whole


class Encoder(BaseModule):
    """Base: a backbone that gives tokens.

    Attributes:
        backbone (nn.Module): What is published.
        dims (TokenDims): Widths of the tokens and stride.
    """
    dims: TokenDims

    def forward(
        self,
        x: Tensor,
        mask: Optional[Tensor] = None,
        tokens: Collection[str] = ('image', 'inner')
    ) -> Tokens:
        """Encode images of one size.

        Args:
            x (Tensor): ``(B, 3, H, W)`` normalised images.
            mask (Tensor, optional): ``(B, L)`` bool over the grid of the
                inner tokens, True is hidden; the same number an image.
            tokens (Collection[str]): Of 'image', 'inner', 'final' and
                'attention'; what is not asked for is None, and not computed
                where that saves anything.

        Returns:
            Tokens: Tokens and grid.

        Raises:
            ValueError: If there is no such thing to be had.
        """
        raise NotImplementedError

    def extract(self, images: Tensor) -> Tensor:
        """Image tokens ``(B, D)`` of normalised images ``(B, 3, H, W)``."""
        return self(images, tokens=('image', )).image

    def freeze_unreached(self, tokens: Collection[str]) -> List[str]:
        """Freeze the parameters that the given tokens do not depend on.

        With an objective switched off, some layers get no gradient, which
        DistributedDataParallel refuses. What is reached is read off the
        graph of one blank image, so it holds for any backbone.

        Args:
            tokens (Collection[str]): As of :meth:`forward`.

        Returns:
            list[str]: Names of the parameters frozen here.
        """
        training = self.training
        self.train(False)
        side = probe_side(self.dims.stride)
        out = self(torch.zeros(1, 3, side, side), tokens=tokens)
        given = (getattr(out, kind) for kind in WISHES)
        total = sum(t.sum() for t in given if t is not None)
        named = [(n, p) for n, p in self.named_parameters() if p.requires_grad]
        grads = [None] * len(named)
        if total.requires_grad:  # or all on the way is frozen already
            grads = torch.autograd.grad(
                total, [p for _, p in named], allow_unused=True)
        unreached = [pair for pair, g in zip(named, grads) if g is None]
        for _, param in unreached:
            param.requires_grad_(False)
        self.train(training)
        return [name for name, _ in unreached]
