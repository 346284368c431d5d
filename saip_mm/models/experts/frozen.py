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
        view_mean (Sequence[float]): Normalisation of the views, 0-255.
        view_std (Sequence[float]): Likewise.
    """

    def __init__(
        self,
        encoder: dict,
        mean=None,
        std=None,
        view_mean=(123.675, 116.28, 103.53),
        view_std=(58.395, 57.12, 57.375)
    ) -> None:
        super().__init__()
        self.encoder = MODELS.build(dict(type='PersonEncoder') | dict(encoder))
        self.encoder.init_weights()
        dims = self.encoder.dims
        # the scale of a foreign model's tokens is arbitrary
        self.encoder.image_norm = nn.LayerNorm(
            dims.image, elementwise_affine=False)
        self.encoder.patch_norm = nn.LayerNorm(
            dims.inner, elementwise_affine=False)
        view_mean, view_std = torch.tensor(view_mean), torch.tensor(view_std)
        mean = view_mean if mean is None else torch.tensor(mean)
        std = view_std if std is None else torch.tensor(std)
        for name, value in (('scale', view_std / std),
                            ('shift', (view_mean - mean) / std)):
            self.register_buffer(name, value.view(1, 3, 1, 1), False)
        self.encoder.register_forward_pre_hook(self._renormalise)
        self.requires_grad_(False)
        self.train()

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
