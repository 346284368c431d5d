from torch import Tensor


def patchify(images: Tensor, patch: int = 16) -> Tensor:
    """Cut images into patches.

    Args:
        images (Tensor): ``(B, C, H, W)``; H and W divisible by ``patch``.
        patch (int): Side of a patch in pixels. Defaults to 16.

    Returns:
        Tensor: ``(B, h * w, patch * patch * C)``; patches row by row, values
        in (row, column, channel) order as in MAE.

    Raises:
        ValueError: If a side is not divisible by the patch.
    """
    batch, channels, height, width = images.shape
    if height % patch or width % patch:
        raise ValueError(f'an image of {height}x{width} cannot be cut into '
                         f'{patch}-pixel patches: sides must be multiples')
    cells = images.view(batch, channels, height // patch, patch,
                        width // patch, patch)
    return cells.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)


def unpatchify(patches: Tensor, grid, patch: int = 16) -> Tensor:
    """Undo :func:`patchify`: ``(B, h * w, p * p * C)`` -> ``(B, C, H, W)``."""
    cells = patches.view(len(patches), *grid, patch, patch, -1)
    images = cells.permute(0, 5, 1, 3, 2, 4)
    return images.flatten(4, 5).flatten(2, 3)


def masked_patch_loss(pred: Tensor,
                      target: Tensor,
                      mask: Tensor,
                      eps: float = 1e-6) -> Tensor:
    """Mean squared error to per-patch normalised pixels, on masked patches.

    Args:
        pred (Tensor): ``(B, L, P)`` predicted patches.
        target (Tensor): ``(B, L, P)`` pixels of the patches; normalised here
            to mean 0 and (unbiased) variance 1 within each patch.
        mask (Tensor): ``(B, L)`` bool, True where the patch was hidden.
        eps (float): Added to the variance. Defaults to 1e-6 (MAE).

    Returns:
        Tensor: Scalar float32.

    Source:
        Eq. 2; the normalisation is MAE's.
    """
    pred, target = pred[mask].float(), target[mask].float()
    variance, mean = target.var(
        -1, keepdim=True), target.mean(
            -1, keepdim=True)
    return (pred - (target - mean) / (variance + eps).sqrt()).square().mean()
