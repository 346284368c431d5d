from typing import Collection, List, Optional

import torch
from mmengine.model import BaseModule
from torch import Tensor

from ..tokens import TokenDims, Tokens

PROBE = 64  # side of the blank image that tells what a backbone gives


def gather_visible(tokens: Tensor, mask: Tensor) -> Tensor:
    """Keep the tokens which are not masked.

    Args:
        tokens (Tensor): ``(B, L, D)``.
        mask (Tensor): ``(B, L)`` bool, True is hidden; the same number is
            hidden in every image.

    Returns:
        Tensor: ``(B, L_visible, D)``, in the order of the grid.
    """
    return tokens[~mask].view(len(tokens), -1, tokens.shape[-1])


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
            tokens (Collection[str]): Of 'image', 'inner', 'final'; what is
                not asked for is None, and not computed where that saves
                anything.

        Returns:
            Tokens: Tokens and grid.
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
            tokens (Collection[str]): Of 'image', 'inner', 'final'.

        Returns:
            list[str]: Names of the parameters frozen here.
        """
        training = self.training
        self.train(False)
        out = self(torch.zeros(1, 3, PROBE, PROBE), tokens=tokens)
        total = sum(t.sum() for t in out[:3] if t is not None)
        named = [(n, p) for n, p in self.named_parameters() if p.requires_grad]
        grads = torch.autograd.grad(
            total, [p for _, p in named], allow_unused=True)
        unreached = [pair for pair, g in zip(named, grads) if g is None]
        for _, param in unreached:
            param.requires_grad_(False)
        self.train(training)
        return [name for name, _ in unreached]
