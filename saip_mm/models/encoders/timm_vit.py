from typing import Collection, Optional, Tuple

import torch
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from saip_mm.weights.timm_source import (build_timm_model, load_timm_file,
                                         timm_name_and_file)
from ..backbones.attention import attention_parts
from ..backbones.vit import visible_indices
from ..tokens import TokenDims, Tokens
from .base import Encoder

SOURCES = ('class', 'mean', 'pool')


class VisiblePatches(nn.Module):
    """What stands in the place of timm's patch dropout: drop by a mask."""

    def __init__(self, prefix: int) -> None:
        super().__init__()
        self.prefix = prefix
        self.visible: Optional[Tensor] = None

    def forward(self, x: Tensor) -> Tensor:
        """``(B, prefix + L, C)`` -> ``(B, prefix + L_visible, C)``"""
        if self.visible is None:
            return x
        places = self.visible[..., None].expand(-1, -1, x.shape[-1])
        return torch.cat(
            (x[:, :self.prefix], x[:, self.prefix:].gather(1, places)), 1)


@MODELS.register_module()
class TimmEncoder(Encoder):
    """A plain transformer of timm's as an encoder: DINOv2, DINOv3, CLIP ...

    For frozen experts. Hierarchical models come through ``PersonEncoder``
    over ``StrideMapBackbone``. Masked patches never enter the blocks of
    timm's ``VisionTransformer``; in its other classes (``Eva``: DINOv3, PE;
    ``NaFlexVit``: C-RADIO) they show the mean colour.

    Args:
        model_name (str): timm's name, with the tag of its weights, such as
            ``vit_base_patch14_dinov2.lvd142m``, or a folder that timm opens
            (``config.json`` and weights).
        checkpoint (str, optional): File of the weights. Defaults to None: a
            folder's own, else see ``pretrained``.
        pretrained (bool): Without a file, have timm fetch the weights of that
            name. False begins at random. Defaults to False.
        out_index (int): The last block that is run; negative counts from the
            end. Defaults to -1.
        final_norm (bool): Whether the model's last norm follows it. Without
            it one without parameters does. Defaults to True.
        patch_index (int): Block of the inner tokens, of those that are run.
            Defaults to -1.
        image_source (str, optional): The image token: 'class', 'mean' of the
            final tokens, or 'pool', the model's own pooling, such as SigLIP's
            by attention. Defaults to None: the class token, where there is
            one, then pooling by attention, then the mean.
        **kwargs: Arguments of timm's model.

    Raises:
        FileNotFoundError, ValueError: If there is no such model, file, block
            or image token, or the file is of another model.
    """

    def __init__(self,
                 model_name: str,
                 checkpoint: Optional[str] = None,
                 pretrained: bool = False,
                 out_index: int = -1,
                 final_norm: bool = True,
                 patch_index: int = -1,
                 image_source: Optional[str] = None,
                 init_cfg: Optional[dict] = None,
                 **kwargs) -> None:
        super().__init__(init_cfg=init_cfg)
        name, file = timm_name_and_file(model_name, checkpoint)
        self.model_name, self.file = name, file
        self.pretrained = pretrained and file is None
        self.backbone = build_timm_model(name, self.pretrained, **kwargs)
        blocks = getattr(self.backbone, 'blocks', None)
        if blocks is None or not hasattr(self.backbone, 'num_prefix_tokens'):
            raise ValueError(
                f'{model_name} is no plain transformer: a hierarchical model '
                "comes by dict(type='PersonEncoder', backbone=dict(type="
                f"'StrideMapBackbone', model_name='{model_name}'))")
        if file is not None:
            load_timm_file(self.backbone, file)
        width = self.backbone.num_features
        self.patch_index = cut_blocks(self.backbone, out_index, patch_index,
                                      None if final_norm else width)
        self.prefix = self.backbone.num_prefix_tokens
        self.image_source = self._choose_source(image_source)
        self.dims = TokenDims(width, width, width, patch_side(self.backbone))
        self._drop = None
        if isinstance(getattr(self.backbone, 'patch_drop', None), nn.Identity):
            self._drop = VisiblePatches(self.prefix)
            self.backbone.patch_drop = self._drop
        self.image_norm = nn.Identity()
        self.patch_norm = nn.Identity()
        self.final_norm = nn.Identity()

    @property
    def statistics(self) -> Tuple[tuple, tuple]:
        """Mean and deviation of its input, RGB in 0-255."""
        cfg = self.backbone.pretrained_cfg
        return tuple(
            tuple(round(255 * v, 6) for v in cfg[key])
            for key in ('mean', 'std'))

    @property
    def class_token(self) -> bool:
        """Whether there is one."""
        said = getattr(self.backbone, 'has_class_token', None)
        if said is None:
            said = getattr(self.backbone, 'cls_token', None) is not None
        return bool(said)

    def _choose_source(self, asked: Optional[str]) -> str:
        pools = getattr(self.backbone, 'attn_pool', None) is not None
        if asked is None:
            asked = ('class'
                     if self.class_token else 'pool' if pools else 'mean')
        if asked not in SOURCES or asked == 'class' and not self.class_token:
            raise ValueError(
                f"image_source '{asked}' of {self.model_name}: choose one of "
                f'{SOURCES[not self.class_token:]}')
        return asked

    def init_weights(self) -> None:
        """Nothing: weights were loaded when it was built, or drawn."""

    def forward(
        self,
        x: Tensor,
        mask: Optional[Tensor] = None,
        tokens: Collection[str] = ('image', 'inner')
    ) -> Tokens:
        """See :meth:`Encoder.forward`; H and W are multiples of the patch.

        Raises:
            ValueError: If they are not, or attention is asked for of a class
                of models whose attention is not known here.
        """
        stride = self.dims.stride
        if any(side % stride for side in x.shape[-2:]):
            raise ValueError(
                f'images of {x.shape[-2]}x{x.shape[-1]} are not divisible by '
                f'the {stride}x{stride} patch of {self.model_name}: resize or '
                'crop them to multiples of it')
        grid = (x.shape[-2] // stride, x.shape[-1] // stride)
        visible = None
        if mask is not None:
            visible = visible_indices(mask, len(x), grid[0] * grid[1])
            if self._drop is None:
                x = _show_mean(x, mask.view(-1, 1, *grid), stride)
        gather = visible if self._drop is None else None
        attention = []
        listening = None
        if 'attention' in tokens:
            listening = self._listen(attention)
        if self._drop is not None:
            self._drop.visible = visible
        try:
            last, inner = self._run(x, tokens)
        finally:
            if listening is not None:
                listening.remove()
            if self._drop is not None:
                self._drop.visible = None
        image = final = None
        if 'image' in tokens:
            image = self.image_norm(self._image(last, gather))
        if 'final' in tokens:
            final = self.final_norm(_only(last[:, self.prefix:], gather))
        if inner is not None:
            inner = self.patch_norm(_only(inner, gather))
        return Tokens(image, inner, final, grid,
                      attention[0] if attention else None)

    def _run(self, x: Tensor,
             tokens: Collection[str]) -> Tuple[Optional[Tensor], ...]:
        """All tokens after the last norm, and patch tokens of a block."""
        wanted = dict(indices=[self.patch_index], output_fmt='NLC')
        if not {*tokens} - {'inner'}:
            inner, = self.backbone.forward_intermediates(
                x, intermediates_only=True, stop_early=True, **wanted)
            return None, inner
        last, (inner, ) = self.backbone.forward_intermediates(x, **wanted)
        return last, inner if 'inner' in tokens else None

    def _image(self, last: Tensor, visible: Optional[Tensor]) -> Tensor:
        if self.image_source == 'class':
            return last[:, 0]
        if self.image_source == 'mean':
            return _only(last[:, self.prefix:], visible).mean(1)
        kept = torch.cat(
            (last[:, :self.prefix], _only(last[:, self.prefix:], visible)), 1)
        return self.backbone.forward_head(kept, pre_logits=True)

    def _listen(self, found: list):
        """Hook that notes the last block's attention."""
        block = self.backbone.blocks[-1]
        attn = getattr(block, 'attn', None)
        norms = (getattr(attn, f'{n}_norm', None) for n in 'qk')
        if (self._drop is None
                or not isinstance(getattr(attn, 'qkv', None), nn.Linear)
                or any(
                    n is not None and not isinstance(n, nn.Identity)
                    for n in norms)):
            raise ValueError(
                f"the attention of timm's {type(self.backbone).__name__} "
                f'({self.model_name}) is not to be had: leave the attention '
                'term out')

        def note(module: nn.Module, args: tuple) -> None:
            # registers and the like stay out: the student has none
            first = int(self.class_token)
            parts = attention_parts(module, args[0])
            found.append(
                torch.cat(
                    (parts[:, :, :, :first], parts[:, :, :, self.prefix:]), 3))

        return attn.register_forward_pre_hook(note)


def cut_blocks(model: nn.Module, out_index: int, patch_index: int,
               plain_norm: Optional[int]) -> int:
    """Leave out the blocks behind the last one that is wanted, in place.

    Args:
        model (nn.Module): Of timm.
        out_index (int): The last block.
        patch_index (int): A block that is to be among the rest.
        plain_norm (int, optional): Width, for a norm without parameters in
            place of the model's last one.

    Returns:
        int: ``patch_index``, from the beginning.

    Raises:
        ValueError: If there are no such blocks.
    """
    depth = len(model.blocks)
    if not -depth <= out_index < depth:
        raise ValueError(f'out_index {out_index} is outside the {depth} '
                         'blocks of the model')
    kept = out_index % depth + 1
    if not -kept <= patch_index < kept:
        raise ValueError(f'patch_index {patch_index} is outside the {kept} '
                         'blocks that are run')
    model.blocks = model.blocks[:kept]
    if plain_norm is not None:
        model.norm = nn.LayerNorm(plain_norm, elementwise_affine=False)
    return patch_index % kept


def patch_side(model: nn.Module) -> int:
    """Pixels a side of a patch of timm's model."""
    embed = getattr(model, 'patch_embed', None)
    size = getattr(embed, 'patch_size', None)
    if size is None:
        size = model.embeds.patch_size
    if isinstance(size, int):
        return size
    if size[0] != size[1]:
        raise ValueError(f'patches of {size[0]}x{size[1]} pixels: they must '
                         'be square')
    return int(size[0])


def _only(patches: Tensor, visible: Optional[Tensor]) -> Tensor:
    if visible is None:
        return patches
    return patches.gather(1, visible[..., None].expand(-1, -1,
                                                       patches.shape[-1]))


def _show_mean(x: Tensor, hidden: Tensor, stride: int) -> Tensor:
    hidden = hidden.repeat_interleave(stride, 2).repeat_interleave(stride, 3)
    return x.masked_fill(hidden, 0.)
