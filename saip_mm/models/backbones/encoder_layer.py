import torch
from mmcv.cnn.bricks.transformer import FFN
from torch import Tensor, nn

from mmpretrain.models.backbones.vision_transformer import \
    TransformerEncoderLayer
from ..recompute import norm_feed_forward, norm_linear
from .attention import UnboundAttention


class LightEncoderLayer(TransformerEncoderLayer):
    """mmpretrain's transformer block, lighter on memory in training.

    It keeps 6 widths a token for backward, the parent 16: input, query, key,
    value, the attention's output and the input of the feed-forward layer.
    Values, parameters and keys are the parent's.
    """

    def forward(self, x: Tensor) -> Tensor:
        """``(B, N, C)`` -> ``(B, N, C)``"""
        if not (self.training and torch.is_grad_enabled()):
            return super().forward(x)
        qkv = self.attn.qkv
        x = x + self.attn.attend(
            norm_linear(x, self.ln1, qkv.weight, qkv.bias))
        ffn = self.ffn
        out = norm_feed_forward(x, self.ln2, ffn.layers[0][0], ffn.layers[1])
        return x + ffn.dropout_layer(ffn.gamma2(out))


def lighten_layer(layer: nn.Module) -> None:
    """Make a block of mmpretrain's vision transformer a light one.

    The transformer builds its blocks itself, with no say in their class. The
    attention gets its cheaper backward pass in any case; blocks of another
    kind (no GELU, no LayerNorm, dropout inside) keep their class.

    Args:
        layer (nn.Module): ``TransformerEncoderLayer``; changed in place, its
            state-dict keys stay.
    """
    layer.attn.__class__ = UnboundAttention
    if not (type(layer) is TransformerEncoderLayer and type(layer.ffn) is FFN
            and all(type(n) is nn.LayerNorm for n in (layer.ln1, layer.ln2))):
        return
    first, second, *_ = layer.ffn.layers
    drops = [m for m in layer.ffn.layers.modules() if type(m) is nn.Dropout]
    if (layer.ffn.num_fcs == 2 and isinstance(first[1], nn.GELU)
            and first[1].approximate == 'none' and all(drop.p == 0
                                                       for drop in drops)
            and first[0].bias is not None and second.bias is not None):
        layer.__class__ = LightEncoderLayer
