from typing import Optional, Tuple

import torch
import torch.nn.functional as F
from mmcv.cnn.bricks.transformer import FFN
from torch import Tensor, nn

from mmpretrain.models.backbones.vision_transformer import \
    TransformerEncoderLayer
from ..ops.recompute import norm_feed_forward, norm_linear
from .attention import UnboundAttention


class LightEncoderLayer(TransformerEncoderLayer):
    """mmpretrain's transformer block, lighter on memory in training.

    It keeps 6 widths a token for backward, the parent 16: input, query, key,
    value, the attention's output and the input of the feed-forward layer.
    Values, parameters and keys are the parent's.
    """

    def forward(self, x: Tensor, first: Optional[int] = None) -> Tensor:
        """``(B, N, C)`` -> ``(B, N, C)``

        Args:
            x (Tensor): Tokens.
            first (int, optional): Return the first so many tokens only. The
                others are then keys and values and nothing else: a last
                block that the class token alone leaves does a sixth of the
                work.
        """
        if first is not None:
            x = x[:, :first] + self.attn.attend(*self._project_first(x, first))
        elif self._keeps_for_backward:
            qkv = self.attn.qkv
            qkv = norm_linear(x, self.ln1, qkv.weight, qkv.bias)
            x = x + self.attn.attend(*self.attn.split(qkv, 3))
        else:
            return super().forward(x)
        return self._feed_forward(x)

    def _project_first(self, x: Tensor, first: int) -> Tuple[Tensor, ...]:
        """Queries of the first tokens, keys and values of all."""
        qkv, sizes = self.attn.qkv, (x.shape[-1], 2 * x.shape[-1])
        weights = qkv.weight.split(sizes)
        biases = (None, None) if qkv.bias is None else qkv.bias.split(sizes)
        if self._keeps_for_backward:
            q, kv = (norm_linear(t, self.ln1, *layer)
                     for t, *layer in zip((x[:, :first], x), weights, biases))
        else:
            normed = self.ln1(x)
            q, kv = map(F.linear, (normed[:, :first], normed), weights, biases)
        return *self.attn.split(q, 1), *self.attn.split(kv, 2)

    @property
    def _keeps_for_backward(self) -> bool:
        return self.training and torch.is_grad_enabled()

    def _feed_forward(self, x: Tensor) -> Tensor:
        ffn = self.ffn
        if not self._keeps_for_backward:
            return ffn(self.ln2(x), identity=x)
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
