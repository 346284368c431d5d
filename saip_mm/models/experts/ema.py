import copy
from typing import List, Tuple

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmpretrain.registry import MODELS
from ..encoders import Encoder
from ..tokens import TokenDims
from .base import Averaged, Expert


@MODELS.register_module()
class EmaExpert(Expert):
    """Moving average of the image encoder, and of what heads name.

    Parameters **and** BatchNorm buffers are averaged (two of three backbones
    have BatchNorm); counters are copied. Buffers follow faster at first, as
    they start at mean 0 and variance 1, which no input has: the k-th update
    weighs their old value ``min(momentum, k / (k + 10))``.

    Args:
        batch_norm (str): What BatchNorm normalises by in training: 'batch',
            the statistics of the batch (as DINO's teacher does), or 'ema',
            the averaged buffers. These come right after many steps only, and
            until then the expert has one answer for all images (20 steps at
            momentum 0.95: image tokens of a StarNet-S3, begun as timm begins
            it, spread by 0.001, the student's by 0.06). Evaluation takes the
            buffers. Defaults to 'batch'.

    Raises:
        ValueError: If ``batch_norm`` is neither.
    """

    def __init__(self, batch_norm: str = 'batch') -> None:
        super().__init__()
        if batch_norm not in ('batch', 'ema'):
            raise ValueError(f"batch_norm '{batch_norm}' is unknown: use "
                             "'batch' or 'ema'")
        self.batch_norm = batch_norm

    @property
    def averages_encoder(self) -> bool:
        """Always."""
        return True

    def train(self, mode: bool = True) -> 'EmaExpert':
        """Stay in eval mode, but for BatchNorm by the batch in training."""
        super().train(mode)
        if mode and self.batch_norm == 'batch':
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.train()
        return self

    def dims_for(self, encoder: Encoder) -> TokenDims:
        """Widths of the tokens: the student's own."""
        return encoder.dims

    def follow(self, encoder: Encoder, averaged: Averaged) -> None:
        """See :meth:`Expert.follow`; the encoder is averaged as well."""
        self.encoder = copy.deepcopy(encoder)
        super().follow(encoder, averaged)

    def pairs(self, model: nn.Module) -> List[Tuple[nn.Module, nn.Module]]:
        """See :meth:`Expert.pairs`; the encoders come first."""
        return [(self.encoder, model.encoder)] + super().pairs(model)
