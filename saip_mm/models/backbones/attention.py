from torch import Tensor

from mmpretrain.models.utils import MultiheadAttention


class UnboundAttention(MultiheadAttention):
    """mmpretrain's self-attention with a cheaper backward pass.

    The parent indexes query, key and value out of one tensor, so autograd
    fills three zero tensors of threefold width and adds them up; unbinding
    gives it one stack. Values, parameters and keys are the parent's.
    """

    def forward(self, x: Tensor) -> Tensor:
        """``(B, N, C)`` -> ``(B, N, C)``"""
        return self.attend(self.qkv(x))

    def attend(self, qkv: Tensor) -> Tensor:
        """Projected ``(B, N, 3 * C)`` -> ``(B, N, C)``"""
        shape = (3, self.num_heads, self.head_dims)
        q, k, v = qkv.unflatten(-1, shape).unbind(2)
        q, k, v = (t.transpose(1, 2) for t in (q, k, v))  # (B, nh, N, hs)
        drop = self.attn_drop if self.training else 0.
        out = self.scaled_dot_product_attention(q, k, v, dropout_p=drop)
        out = self.proj(out.transpose(1, 2).flatten(2))
        out = self.out_drop(self.gamma1(self.proj_drop(out)))
        return v.squeeze(1) + out if self.v_shortcut else out
