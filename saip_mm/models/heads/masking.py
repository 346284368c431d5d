import torch
from torch import Tensor


def draw_mask(batch: int, length: int, ratio: float) -> Tensor:
    """Hide the same number of random patches in every image.

    Args:
        batch (int): Number of images B.
        length (int): Number of patches L.
        ratio (float): Share hidden; ``int(L * (1 - ratio))`` stay visible.

    Returns:
        Tensor: ``(B, L)`` bool, True is hidden; on CPU, from torch's global
        generator.
    """
    visible = max(1, int(length * (1 - ratio)))
    return torch.rand(batch, length).argsort(1).argsort(1) >= visible
