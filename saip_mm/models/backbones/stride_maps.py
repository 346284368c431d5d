from typing import Tuple

import torch
from torch import Tensor, nn

from mmpretrain.models.backbones import TIMMBackbone
from mmpretrain.registry import MODELS
from .pretrained import PretrainedMixin
from .window_attention import trim_windows


@MODELS.register_module()
class StrideMapBackbone(PretrainedMixin, TIMMBackbone):
    """A hierarchical backbone of timm as a tuple of maps, ordered by stride.

    Parameters and keys are those of ``mmpretrain.TIMMBackbone`` with
    ``features_only=True``; what is added is the strict ``init_cfg`` of
    :class:`PretrainedMixin`, and a ``train()`` that returns the module.

    - ``starnet_s3``: 32, 64, 128, 256 channels at strides 4, 8, 16, 32;
    - ``tiny_vit_5m_224``: 64, 128, 160, 320 channels, same strides.

    A side that a stride does not divide is rounded up.

    Args:
        model_name (str): timm's name of it.
        conv_init (str): Random start of StarNet's convolutions: 'default',
            PyTorch's, which its authors keep (standard deviation 0.083 of a
            7x7 depthwise, 0.10 of a 1x1 over 32 channels), or 'timm',
            truncated normal 0.02. Other models start as timm does, which
            for TinyViT is as its authors do. Defaults to 'default'.
        mask_padding (bool): Whether TinyViT's windows leave out the zeros
            that fill them up, which are most of a window at person sizes
            (two thirds of stride 16 at 256x128) and change with the size.
            Also faster. The parameters are the same; at 224x224, whence
            ImageNet's weights come, so are the values. Defaults to False.
        **kwargs: Arguments of ``mmpretrain.TIMMBackbone``, such as
            ``out_indices=(3, )``, or timm's (``window_sizes``).

    Raises:
        ValueError: If ``mask_padding`` is set and there are no windows, or
            ``conv_init`` is unknown.
        NoMatchError, ValueError: While initialising, if ``init_cfg`` names a
            checkpoint of another architecture.
    """

    def __init__(self,
                 model_name: str,
                 conv_init: str = 'default',
                 mask_padding: bool = False,
                 **kwargs) -> None:
        super().__init__(model_name, features_only=True, **kwargs)
        if mask_padding and not trim_windows(self):
            raise ValueError(f'{model_name} has no windows to leave padding '
                             'out of: mask_padding is for tiny_vit_*')
        if conv_init not in ('default', 'timm'):
            raise ValueError(f"conv_init '{conv_init}' is unknown: use "
                             "'default' or 'timm'")
        self.reset_convs = conv_init == 'default' and 'starnet' in model_name

    def init_weights(self) -> None:
        """Start at random, or load ``init_cfg``'s checkpoint."""
        if not self.is_init:
            self.take_pretrained()
            if self.reset_convs and not self.names_checkpoint:
                for module in self.modules():
                    if isinstance(module, nn.Conv2d):
                        module.reset_parameters()
        super().init_weights()

    def forward(self, x: Tensor) -> Tuple[Tensor, ...]:
        """``(B, 3, H, W)`` -> maps ``(B, C, h, w)``, channels last in memory.

        Convolutions are up to twice as fast so. On a CPU they stay in
        float32 under autocast: in bfloat16 oneDNN leaves the weight gradient
        of a map of 2x1, as StarNet's last stage meets, unset (torch 2.11).
        """
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast('cpu', enabled=False):
            return super().forward(x)

    def train(self, mode: bool = True) -> 'StrideMapBackbone':
        """Switch mode, return self."""
        super().train(mode)
        return self
