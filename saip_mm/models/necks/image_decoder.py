import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from ..ops.gelu_linear import GeluLinear


def projection_mlp(in_dims: int,
                   hidden_dims: int,
                   out_dims: int,
                   num_layers: int,
                   batch_norm: bool = False) -> nn.Sequential:
    """Linear layers with GELU between, truncated normal 0.02, zero bias.

    With ``batch_norm`` each hidden layer is normalised over the batch.
    """
    dims = [in_dims] + [hidden_dims] * (num_layers - 1) + [out_dims]
    layers = []
    for width, next_width in zip(dims[:-1], dims[1:]):
        linear = (GeluLinear if layers else nn.Linear)(width, next_width)
        nn.init.trunc_normal_(linear.weight, std=0.02)
        nn.init.zeros_(linear.bias)
        if batch_norm and layers:
            layers.append(nn.BatchNorm1d(width))
        layers.append(linear)
    return nn.Sequential(*layers)


class Prototypes(nn.Module):
    """Cosine similarity to K prototypes: weight norm with the norm fixed to 1.

    Dividing by the rows' norms does the same as ``weight_norm`` with a fixed
    ``g``, and can be deep-copied and averaged; the released
    ``last_layer.weight_v`` is this ``weight``.

    Args:
        dims (int): Width d of the representation.
        num_prototypes (int): K.
    """

    def __init__(self, dims: int, num_prototypes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_prototypes, dims))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)  # nn.Linear's own

    def forward(self, x: Tensor) -> Tensor:
        """``(B, d)`` -> ``(B, K)`` in [-1, 1] when ``x`` has unit norm."""
        # scaling K columns of the product spares a copy of K x d weights
        return F.linear(x, self.weight) / self.weight.norm(dim=1)


@MODELS.register_module()
class ImageDecoder(BaseModule):
    """Image-level decoder: image token -> similarity to the prototypes.

    Args:
        in_dims (int): Width D of the image token.
        hidden_dims (int): Defaults to 2048 (DINO).
        bottleneck_dims (int): Width of the instance representation. Defaults
            to 256 (DINO).
        num_prototypes (int): K. Defaults to 65536 (DINO).
        num_layers (int): Linear layers of the MLP. Defaults to 3 (DINO).

    Source:
        Paper 3.1 (a stack of feed-forward layers); its sizes from DINO.
    """

    def __init__(self,
                 in_dims: int,
                 hidden_dims: int = 2048,
                 bottleneck_dims: int = 256,
                 num_prototypes: int = 65536,
                 num_layers: int = 3) -> None:
        super().__init__()
        self.mlp = projection_mlp(in_dims, hidden_dims, bottleneck_dims,
                                  num_layers)
        self.prototypes = Prototypes(bottleneck_dims, num_prototypes)
        self.out_dims = num_prototypes

    def forward(self, image_token: Tensor) -> Tensor:
        """``(B, D)`` -> logits ``(B, K)``."""
        return self.prototypes(self.represent(image_token))

    def represent(self, image_token: Tensor) -> Tensor:
        """``(B, D)`` -> instance representation ``(B, d)`` of unit norm."""
        return F.normalize(self.mlp(image_token), dim=-1)


@MODELS.register_module()
class InstanceDecoder(BaseModule):
    """Image-level decoder without prototypes: the representation itself.

    A fresh encoder's tokens are nearly the same for all images; BatchNorm
    takes away what they share, so that the differences count from the first
    step on.

    Args:
        in_dims (int): Width D of the image token.
        hidden_dims (int): Defaults to 2048.
        bottleneck_dims (int): Width d of the representation. Defaults to 256.
        num_layers (int): Linear layers of the MLP. Defaults to 3.

    Source:
        Paper 3.1 (a stack of feed-forward layers); BatchNorm as in MoCo v3's
        projection.
    """

    def __init__(self,
                 in_dims: int,
                 hidden_dims: int = 2048,
                 bottleneck_dims: int = 256,
                 num_layers: int = 3) -> None:
        super().__init__()
        self.mlp = projection_mlp(
            in_dims, hidden_dims, bottleneck_dims, num_layers, batch_norm=True)

    def forward(self, image_token: Tensor) -> Tensor:
        """``(B, D)`` -> instance representation ``(B, d)``, of any norm."""
        return self.mlp(image_token)


@MODELS.register_module()
class AlignmentDecoder(BaseModule):
    """Image-level decoder towards a frozen expert's own channels.

    Args:
        in_dims (int): Width D of the student's image token.
        out_dims (int): Width D_e of the expert's image token.
        hidden_dims (int): Defaults to 2048.
        bottleneck_dims (int): Defaults to 256.
        num_layers (int): Linear layers before the last one. Defaults to 3.

    Source:
        Sizes of the authors' released (unused) alignment decoder.
    """

    prototypes = None

    def __init__(self,
                 in_dims: int,
                 out_dims: int,
                 hidden_dims: int = 2048,
                 bottleneck_dims: int = 256,
                 num_layers: int = 3) -> None:
        super().__init__()
        self.mlp = projection_mlp(in_dims, hidden_dims, bottleneck_dims,
                                  num_layers)
        self.last = projection_mlp(bottleneck_dims, 0, out_dims, 1)
        self.norm = nn.LayerNorm(out_dims)
        self.out_dims = out_dims

    def forward(self, image_token: Tensor) -> Tensor:
        """``(B, D)`` -> ``(B, D_e)`` with zero mean and unit variance."""
        return self.norm(self.last(self.mlp(image_token)))
