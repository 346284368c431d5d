import copy
from dataclasses import dataclass, field
from typing import Callable, Dict, Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmpretrain.registry import MODELS
from .encoder import EncoderOutput, PersonEncoder, TokenDims


@dataclass
class ExpertOutput:
    """What the expert says of a batch; everything without gradient.

    Attributes:
        project (Callable): Image tokens ``(M, D_e)`` -> logits ``(M, K)``.
        tokens (dict[str, EncoderOutput]): Image tokens by view name.
        masked_name (str, optional): The view that was masked.
        mask (Tensor, optional): ``(B, L)`` bool, True is hidden.
        masked (EncoderOutput, optional): Tokens of the visible patches.
        canvas (EncoderOutput, optional): Tokens of the multi-person image.
    """
    project: Callable[[Tensor], Tensor]
    tokens: Dict[str, EncoderOutput] = field(default_factory=dict)
    masked_name: Optional[str] = None
    mask: Optional[Tensor] = None
    masked: Optional[EncoderOutput] = None
    canvas: Optional[EncoderOutput] = None


class Expert(nn.Module):
    """Base of the target providers: in eval mode, never a gradient."""

    def train(self, mode: bool = True) -> 'Expert':
        """Stay in eval mode: no drop path, BatchNorm by its buffers."""
        return super().train(False)


@MODELS.register_module()
class EmaExpert(Expert):
    """Moving average of the image encoder and of its image-level decoder.

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

    trainable_average = True

    def __init__(self, batch_norm: str = 'batch') -> None:
        super().__init__()
        if batch_norm not in ('batch', 'ema'):
            raise ValueError(f"batch_norm '{batch_norm}' is unknown: use "
                             "'batch' or 'ema'")
        self.batch_norm = batch_norm
        self.register_buffer('updates', torch.tensor(0))

    def train(self, mode: bool = True) -> 'EmaExpert':
        """Stay in eval mode, but for BatchNorm by the batch in training."""
        super().train(mode)
        if mode and self.batch_norm == 'batch':
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.train()
        return self

    def dims_for(self, encoder: PersonEncoder) -> TokenDims:
        """Widths of the tokens: the student's own."""
        return encoder.dims

    def follow(self, encoder: PersonEncoder,
               decoder: Optional[nn.Module]) -> None:
        """Take the modules to average; the copies start equal to them.

        Args:
            encoder (PersonEncoder): The image encoder.
            decoder (nn.Module, optional): Image-level decoder, if matching
                is on.
        """
        self.encoder = copy.deepcopy(encoder)
        self.decoder = copy.deepcopy(decoder) if decoder is not None else None
        self.requires_grad_(False)
        for module in self.modules():
            if isinstance(module, _BatchNorm):
                # the batch's statistics must not enter the averaged ones:
                # some batches are masked, some are canvases
                module.momentum = 0.
        self.train()

    def project(self, image_token: Tensor) -> Tensor:
        """``(M, D)`` -> logits ``(M, K)`` by the averaged decoder."""
        return self.decoder(image_token)

    @torch.no_grad()
    def update(self, model: nn.Module, momentum: float) -> None:
        """Average once with the student; call after each optimiser step.

        Args:
            model (nn.Module): Holds ``encoder`` and, if matching is on,
                ``heads['csm'].decoder``.
            momentum (float): Weight of the old value in [0, 1]; 0 copies.
        """
        pairs = [(self.encoder, model.encoder)]
        if self.decoder is not None:
            pairs.append((self.decoder, model.heads['csm'].decoder))
        params, buffers = ([], []), ([], [])
        for mine, theirs in pairs:
            theirs = theirs.state_dict(keep_vars=True)
            for name, value in mine.state_dict(keep_vars=True).items():
                if not value.is_floating_point():
                    value.copy_(theirs[name])
                    continue
                kind = params if isinstance(value, nn.Parameter) else buffers
                kind[0].append(value.data)
                kind[1].append(theirs[name].data)
        torch._foreach_lerp_(*params, 1 - momentum)
        if buffers[0]:
            done = int(self.updates)
            torch._foreach_lerp_(*buffers,
                                 1 - min(momentum, done / (done + 10)))
        self.updates += 1
        # timm's TinyViT caches its attention bias in eval mode, and only a
        # change of mode clears it: without this the expert keeps the old one
        self.train()


@MODELS.register_module()
class FrozenExpert(Expert):
    """A pretrained model as expert (SAIP*).

    Its weights are neither trained nor averaged, and stay out of training
    checkpoints and published weights; they come from ``checkpoint`` again.

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

    trainable_average = False

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
            dims.patch, elementwise_affine=False)
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

    def dims_for(self, encoder: PersonEncoder) -> TokenDims:
        """Widths of the expert's tokens, whatever the student's are."""
        return self.encoder.dims

    def follow(self, encoder: PersonEncoder,
               decoder: Optional[nn.Module]) -> None:
        """A frozen expert follows nobody."""

    def project(self, image_token: Tensor) -> Tensor:
        """``(M, D_e)`` -> the same, by a parameter-free LayerNorm."""
        return F.layer_norm(image_token.float(), image_token.shape[-1:])

    def state_dict(self, *args, destination=None, prefix='', **kwargs):
        """Nothing: the weights stay in their own file."""
        return {} if destination is None else destination

    def _load_from_state_dict(self, state_dict: dict, prefix: str,
                              *args) -> None:
        """Keep the weights: what a file holds is replaced by one's own."""
        state_dict.update(self.encoder.state_dict(prefix=f'{prefix}encoder.'))
