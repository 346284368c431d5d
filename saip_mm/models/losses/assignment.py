import torch
from mmengine.dist import all_reduce
from torch import Tensor


@torch.no_grad()
def balanced_assignment(logits: Tensor,
                        temperature: float,
                        iterations: int = 3) -> Tensor:
    """Targets that use all prototypes alike (Sinkhorn-Knopp).

    Rows (images) and columns (prototypes) of each view's assignment are
    normalised in turn. The images of a batch then share the prototypes out
    among themselves, so that their targets differ from the first step on,
    where a moving centre has to learn the mean before it can subtract it.

    Args:
        logits (Tensor): ``(V, B, K)`` of V views, not centred.
        temperature (float): T_e > 0.
        iterations (int): Defaults to 3.

    Returns:
        Tensor: ``(V, B, K)`` float32, each ``[v, b]`` sums to 1. All ranks'
        images count in the columns.

    Source:
        Caron et al., SwAV, NeurIPS 2020; as a teacher's centring in DINOv2.
    """
    # rows first, where SwAV exponentiates: the same limit, and no overflow
    share = (logits.float() / temperature).softmax(-1)
    for _ in range(iterations):
        columns = share.sum(1, keepdim=True)
        all_reduce(columns)
        # no image near it: such a prototype keeps its zeros
        share = share / columns.clamp(min=torch.finfo(columns.dtype).tiny)
        share = share / share.sum(-1, keepdim=True)
    return share
