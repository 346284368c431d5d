from typing import Optional, Tuple

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from timm.layers import LayerNorm2d
from torch import Tensor, nn

from mmpretrain.models.backbones import TIMMBackbone
from mmpretrain.registry import MODELS
from .pretrained import PretrainedMixin
from .window_attention import trim_windows

# convolution that halves the map before the last stage, by model family
LAST_MERGING = dict(
    starnet='stages_3.0.conv', tiny_vit='stages_3.downsample.conv2.conv')


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
        last_stride (int): Of the step into the last stage: 2, or 1 for a last
            map as fine as the one before (stride 16), as SAIP's authors have
            it. No parameter changes: a checkpoint fits both. Defaults to 2.
        neck_channels (int, optional): Behind the last map, which it
            replaces, 1x1 and 3x3 convolutions to so many channels, each with
            a LayerNorm over the channels (256 in the authors' TinyViT).
            Defaults to None, no neck.
        neck_stride (int): 1, or 2 for a neck that makes one map more, of half
            the last one (max-pooled), which stays: what the authors' detector
            takes from their TinyViT, 320 channels at stride 16 and 256 at 32.
            Defaults to 1.
        last_norm (bool): Whether a BatchNorm follows the last map, as in the
            authors' StarNet. Defaults to False.
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
        ValueError: If ``mask_padding`` is set and there are no windows,
            ``conv_init`` is unknown, the model's last stride is not known
            how to be changed, or there is no neck to have a stride.
        NoMatchError, ValueError: While initialising, if ``init_cfg`` names a
            checkpoint of another architecture.
    """

    def __init__(self,
                 model_name: str,
                 last_stride: int = 2,
                 neck_channels: Optional[int] = None,
                 neck_stride: int = 1,
                 last_norm: bool = False,
                 conv_init: str = 'default',
                 mask_padding: bool = False,
                 **kwargs) -> None:
        super().__init__(model_name, features_only=True, **kwargs)
        self.options = dict(
            model_name=model_name,
            last_stride=last_stride,
            neck_channels=neck_channels,
            neck_stride=neck_stride,
            last_norm=last_norm,
            mask_padding=mask_padding)
        self._set_last_stride(last_stride)
        width = self.timm_model.feature_info.channels()[-1]
        self.last_norm = nn.BatchNorm2d(width) if last_norm else None
        self.neck = neck_channels and build_neck(width, neck_channels)
        if neck_stride not in ((1, 2) if neck_channels else (1, )):
            raise ValueError(
                f'neck_stride={neck_stride} with neck_channels='
                f'{neck_channels}: a neck has stride 1 or 2, no neck has 1')
        self.neck_stride = neck_stride
        if mask_padding and not trim_windows(self):
            raise ValueError(f'{model_name} has no windows to leave padding '
                             'out of: mask_padding is for tiny_vit_*')
        if conv_init not in ('default', 'timm'):
            raise ValueError(f"conv_init '{conv_init}' is unknown: use "
                             "'default' or 'timm'")
        self.reset_convs = conv_init == 'default' and 'starnet' in model_name

    def _set_last_stride(self, stride: int) -> None:
        model = self.options['model_name']
        if stride not in (1, 2):
            raise ValueError(f'last_stride must be 1 or 2, got {stride}')
        if stride == 2:
            return
        family = next((f for f in LAST_MERGING if model.startswith(f)), None)
        if family is None:
            raise ValueError(
                f'last_stride=1 is for {", ".join(LAST_MERGING)}, whose last '
                f'step is known here, not for {model}: leave it at 2')
        modules = dict(self.timm_model.named_modules())
        if LAST_MERGING[family] in modules:  # not if out_indices end before
            modules[LAST_MERGING[family]].stride = (1, 1)
            self.timm_model.feature_info.info[-1]['reduction'] //= 2
            print_log(
                f'{model}: strides '
                f'{self.timm_model.feature_info.reduction()}', 'current')

    def init_weights(self) -> None:
        """Start at random, or load ``init_cfg``'s checkpoint.

        A neck or norm that the checkpoint does not have starts at random.
        """
        if not self.is_init:
            self.take_pretrained(('timm_model.', ))
            if self.reset_convs and not self.names_checkpoint:
                for module in self.modules():
                    if isinstance(module, nn.Conv2d):
                        module.reset_parameters()
        super().init_weights()

    def forward(self, x: Tensor) -> Tuple[Tensor, ...]:
        """``(B, 3, H, W)`` -> maps ``(B, C, h, w)``, channels last in memory.

        The last one is the neck's, where there is a neck: in place of the
        backbone's, or behind it with ``neck_stride=2`` (an odd side is
        rounded down there).

        Convolutions are up to twice as fast so. On a CPU they stay in
        float32 under autocast: in bfloat16 oneDNN leaves the weight gradient
        of a map of 2x1, as StarNet's last stage meets, unset (torch 2.11).
        """
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast('cpu', enabled=False):
            *maps, last = super().forward(x)
            if self.last_norm is not None:
                last = self.last_norm(last)
            if self.neck is None:
                return (*maps, last)
            if self.neck_stride == 1:
                return (*maps, self.neck(last))
            return (*maps, last, self.neck(F.max_pool2d(last, 2)))

    def train(self, mode: bool = True) -> 'StrideMapBackbone':
        """Switch mode, return self."""
        super().train(mode)
        return self


def build_neck(width: int, channels: int) -> nn.Sequential:
    """1x1 and 3x3 convolutions without bias, a LayerNorm behind each.

    Args:
        width (int): Channels of the map it gets.
        channels (int): Of the map it gives, ``(B, channels, h, w)``.

    Source:
        Structure and width (256) of the neck of the authors' TinyViT, which
        is that of Segment Anything's image encoder.
    """
    return nn.Sequential(
        nn.Conv2d(width, channels, 1, bias=False), LayerNorm2d(channels),
        nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        LayerNorm2d(channels))
