import inspect
from typing import Collection, Optional

from torch import Tensor, nn

from mmpretrain.registry import MODELS
from ..backbones import GridVisionTransformer
from ..tokens import TokenDims, Tokens
from .base import Encoder


def is_plain(backbone: dict) -> bool:
    """Whether a backbone's config is of a ``GridVisionTransformer``."""
    kind = backbone['type']
    kind = kind if inspect.isclass(kind) else MODELS.get(kind)
    return inspect.isclass(kind) and issubclass(kind, GridVisionTransformer)


@MODELS.register_module()
class PlainEncoder(Encoder):
    """A plain vision transformer as an encoder.

    The image token is its class token after the final norm; the inner tokens
    are the patch tokens of one block, with a LayerNorm of their own; the
    final tokens are those of the last block after the final norm. Masked
    patches never enter the blocks. Attention is the last block's.

    Args:
        backbone (dict): Config of a ``GridVisionTransformer``.
        patch_index (int): Block of the inner tokens; negative counts from
            the end. Defaults to 6, block 7 of 12, as in the authors' release.
        image_source (str): What the image token is: 'class' (the default),
            or 'mean' for the average of the final tokens.
        init_cfg (dict, optional): Initialization config.

    Raises:
        ValueError: If there is no such block or image token.
    """

    def __init__(self,
                 backbone: dict,
                 patch_index: int = 6,
                 image_source: str = 'class',
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        if image_source not in ('class', 'mean'):
            raise ValueError(f"image_source '{image_source}' is unknown: use "
                             "'class' or 'mean'")
        self.image_source = image_source
        self.backbone = MODELS.build(backbone)
        depth = len(self.backbone.layers)
        if not -depth <= patch_index < depth:
            raise ValueError(f'patch_index {patch_index} is outside the '
                             f'{depth} blocks of the backbone')
        self.patch_index = patch_index % depth
        width = self.backbone.embed_dims
        stride = self.backbone.patch_embed.projection.stride[0]
        self.dims = TokenDims(width, width, width, stride)
        self.image_norm = nn.Identity()
        self.patch_norm = nn.LayerNorm(width)
        self.final_norm = nn.Identity()

    def forward(
        self,
        x: Tensor,
        mask: Optional[Tensor] = None,
        tokens: Collection[str] = ('image', 'inner')
    ) -> Tokens:
        """See :meth:`Encoder.forward`; H and W are multiples of the patch.

        Raises:
            ValueError: If the image token is asked for and there is no class
                token.
        """
        by_mean = 'image' in tokens and self.image_source == 'mean'
        if ('image' in tokens and not by_mean
                and self.backbone.cls_token is None):
            raise ValueError(
                "the backbone has no class token to give as 'image' token: "
                "set its with_cls_token=True or image_source='mean', or let "
                "the heads ask for 'inner' or 'final'")
        asked = {*tokens} - {'image'} | {'final'} if by_mean else tokens
        out = self.backbone.forward_tokens(
            x, self.patch_index if 'inner' in tokens else None, mask, asked)
        if by_mean:
            out = out._replace(
                image=out.final.mean(1),
                final=out.final if 'final' in tokens else None)
        if out.image is not None:
            out = out._replace(image=self.image_norm(out.image))
        if out.inner is not None:
            out = out._replace(inner=self.patch_norm(out.inner))
        if out.final is not None:
            out = out._replace(final=self.final_norm(out.final))
        return out
