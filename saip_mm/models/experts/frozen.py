from dataclasses import replace
from typing import Optional, Sequence

import torch
import torch.nn.functional as F
from torch import nn

from mmpretrain.registry import MODELS
from ..encoders import Encoder
from ..tokens import TokenDims, Tokens
from .base import Expert
from .sources import digest_of, from_config, from_file

CELL = 16  # pixels a side of a view that a token stands for, where free


@MODELS.register_module()
class FrozenExpert(Expert):
    """A pretrained model as expert (SAIP*).

    Its weights are neither trained nor averaged, and stay out of training
    checkpoints and published weights; they come from their file again, whose
    SHA-256 is noted in checkpoints and compared on resume
    (``ExpertFileHook``). What heads name is averaged beside it. Under
    autocast it runs in half precision; its tokens are float32.

        expert = dict(type='FrozenExpert', checkpoint='path_vitb.pth')
        expert = dict(type='FrozenExpert', encoder=dict(
            type='TimmEncoder', model_name='vit_base_patch14_dinov2.lvd142m',
            pretrained=True))

    Args:
        encoder (dict, optional): Settings of its encoder: ``patch_index``,
            the block of the inner tokens (the last one by default here), and
            ``image_source``. Without ``checkpoint`` the whole config, either
            ``TimmEncoder`` or a ``PersonEncoder`` over any backbone in
            mmpretrain's registry, with its checkpoint as the backbone's
            ``init_cfg``. Norms of its tokens hold no weights here.
        checkpoint (str, optional): A file of any layout that
            :func:`~saip_mm.weights.convert_backbone` knows: PATH, DINO, MAE,
            HAP, SAIP, SOLIDER, this project's ... What it is, is read off it.
        out_index (int, optional): Block which tokens come from; negative
            counts from the end. Blocks behind it are not built. Defaults to
            None: the last; of PATH, and where the last was hardly trained,
            the one before.
        final_norm (bool, optional): Whether the model's last norm follows.
            Defaults to None: behind its last block. Behind others a norm
            without parameters does.
        mean (Sequence[float], optional): The expert's own input mean, RGB in
            0-255. Defaults to what timm or the file says, else to the views'
            normalisation.
        std (Sequence[float], optional): Likewise.
        stride (int, optional): Pixels a side of a view which a token stands
            for: views are resized so that there are so many. Defaults to
            None: the expert's own stride, or 16 where that is no power of
            two, so that one of 14 gets 224x112 of a view of 256x128.
        sha256 (str, optional): Of the file, or its first digits, 8 at least;
            another file is refused.
        conversion (dict, optional): Arguments of
            :func:`~saip_mm.weights.convert_backbone` for ``checkpoint``:
            ``which``, ``grid`` and ``options`` such as ``num_heads``.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is of another architecture, has another hash, or
            settings contradict each other.
    """

    def __init__(self,
                 encoder: Optional[dict] = None,
                 checkpoint: Optional[str] = None,
                 out_index: Optional[int] = None,
                 final_norm: Optional[bool] = None,
                 mean: Optional[Sequence[float]] = None,
                 std: Optional[Sequence[float]] = None,
                 stride: Optional[int] = None,
                 sha256: Optional[str] = None,
                 conversion: Optional[dict] = None) -> None:
        super().__init__()
        if checkpoint is not None:
            source = from_file(checkpoint, encoder or {}, out_index,
                               final_norm, conversion)
        elif encoder:
            source = from_config(encoder, out_index, final_norm)
        else:
            raise ValueError(
                'a frozen expert needs weights: checkpoint=FILE (PATH, DINO, '
                "MAE, SOLIDER ...) or encoder=dict(type='TimmEncoder', "
                'model_name=...)')
        self.encoder = source.encoder
        self.source = {}
        digest = digest_of(source)
        if digest is not None:
            self.source = dict(
                file=source.file, name=source.name, sha256=digest)
        check_digest(digest, sha256, source.file or source.name)
        self._free_norms()
        statistics = source.statistics or (None, None)
        self.own_statistics = tuple(
            said if told is None else told
            for told, said in zip((mean, std), statistics))
        for name, value in (('scale', torch.ones), ('shift', torch.zeros)):
            self.register_buffer(name, value(1, 3, 1, 1), False)
        own = self.encoder.dims.stride
        self.stride = stride or (own if own & (own - 1) == 0 else CELL)
        self.encoder.register_forward_pre_hook(self._prepare)
        self.encoder.register_forward_hook(in_full_precision)
        self.requires_grad_(False)
        self.train()

    def _free_norms(self) -> None:
        """The scale of a foreign model's tokens is arbitrary."""
        dims = self.encoder.dims
        for name, width in (('image_norm', dims.image),
                            ('patch_norm', dims.inner), ('final_norm',
                                                         dims.final)):
            norm = nn.LayerNorm(width, elementwise_affine=False)
            setattr(self.encoder, name, norm)

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

    def _prepare(self, module: nn.Module, args):
        """Views as the expert is used to them: statistics and size."""
        images, *rest = self._renormalise(module, args)
        own, stride = self.encoder.dims.stride, self.stride
        if own == stride:
            return (images, *rest)
        sides = images.shape[-2:]
        if any(side % stride for side in sides):
            raise ValueError(
                f'the frozen expert gets views of {sides[0]}x{sides[1]}, no '
                f'multiples of its {stride} pixels a token: change the size, '
                'or stride= of the expert')
        size = [side // stride * own for side in sides]
        images = F.interpolate(
            images.float(),
            size,
            mode='bicubic',
            align_corners=False,
            antialias=True)
        return (images, *rest)

    def dims_for(self, encoder: Encoder) -> TokenDims:
        """Widths of the expert's tokens, whatever the student's are."""
        return replace(self.encoder.dims, stride=self.stride)

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


def in_full_precision(module: nn.Module, args, tokens: Tokens) -> Tokens:
    """Hook: tokens in float32, whatever autocast made of them."""
    return Tokens(*(t.float() if torch.is_tensor(t) else t for t in tokens))


def check_digest(found: Optional[str], wanted: Optional[str],
                 place: Optional[str]) -> None:
    """Refuse a file of another hash.

    Raises:
        ValueError: If it differs, or ``wanted`` is too short to tell, or a
            number: what a command line makes of decimal digits.
    """
    if wanted is None:
        return
    if not isinstance(wanted, str):
        raise ValueError(f'sha256 {wanted!r} of the expert is a number: give '
                         'more of its digits, up to the first letter')
    if len(wanted) < 8:
        raise ValueError(f"sha256 '{wanted}' of the expert: give 8 digits at "
                         'least')
    if not (found or '').startswith(wanted.lower()):
        raise ValueError(
            f'{place or "the expert"} has SHA-256 {found}, the config says '
            f'{wanted}: it is another file, or was damaged on its way')
