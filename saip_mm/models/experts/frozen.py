from typing import Optional, Sequence

import torch
from torch import nn

from mmpretrain.registry import MODELS
from ..encoders import Encoder
from ..tokens import TokenDims
from .base import Expert


@MODELS.register_module()
class FrozenExpert(Expert):
    """A pretrained model as expert (SAIP*).

    Its weights are neither trained nor averaged, and stay out of training
    checkpoints and published weights; they come from ``checkpoint`` again.
    What heads name is averaged beside it.

    Args:
        encoder (dict): Config of a ``PersonEncoder`` over any backbone in
            mmpretrain's registry, with its checkpoint as the backbone's
            ``init_cfg``. Its token norms hold no weights here.
        mean (Sequence[float], optional): The expert's own input mean, 0-255.
            Defaults to the views' normalisation.
        std (Sequence[float], optional): Likewise.
    """

    def __init__(self,
                 encoder: dict,
                 mean: Optional[Sequence[float]] = None,
                 std: Optional[Sequence[float]] = None) -> None:
        super().__init__()
        self.encoder = MODELS.build(dict(type='PersonEncoder') | dict(encoder))
        self.encoder.init_weights()
        dims = self.encoder.dims
        # the scale of a foreign model's tokens is arbitrary
        self.encoder.image_norm = nn.LayerNorm(
            dims.image, elementwise_affine=False)
        self.encoder.patch_norm = nn.LayerNorm(
            dims.inner, elementwise_affine=False)
        self.own_statistics = mean, std
        for name, value in (('scale', torch.ones), ('shift', torch.zeros)):
            self.register_buffer(name, value(1, 3, 1, 1), False)
        self.encoder.register_forward_pre_hook(self._renormalise)
        self.requires_grad_(False)
        self.train()

    def take_statistics(self, mean: Sequence[float],
                        std: Sequence[float]) -> None:
        """See :meth:`Expert.take_statistics`: views are normalised anew."""
        mean, std = torch.tensor(mean), torch.tensor(std)
        own_mean, own_std = (
            theirs if own is None else torch.tensor(own)
            for own, theirs in zip(self.own_statistics, (mean, std)))
        self.scale = (std / own_std).view(1, 3, 1, 1)
        self.shift = ((mean - own_mean) / own_std).view(1, 3, 1, 1)

    def _renormalise(self, module: nn.Module, args):
        return (args[0] * self.scale + self.shift, *args[1:])

    def dims_for(self, encoder: Encoder) -> TokenDims:
        """Widths of the expert's tokens, whatever the student's are."""
        return self.encoder.dims

    def state_dict(self, *args, destination=None, prefix='', **kwargs):
        """The averages alone: the weights stay in their own file."""
        destination = {} if destination is None else destination
        if self.sources:
            for name in self.sources:
                getattr(self, name).state_dict(
                    *args,
                    destination=destination,
                    prefix=f'{prefix}{name}.',
                    **kwargs)
            destination[f'{prefix}updates'] = self.updates
        return destination

    def _load_from_state_dict(self, state_dict: dict, prefix: str,
                              *args) -> None:
        """Keep the weights: what a file holds is replaced by one's own."""
        state_dict.update(self.encoder.state_dict(prefix=f'{prefix}encoder.'))
        if self.sources:
            super()._load_from_state_dict(state_dict, prefix, *args)
