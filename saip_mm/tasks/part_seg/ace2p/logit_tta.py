from mmseg.registry import MODELS
from torch import Tensor

from ..flip_tta import PartFlipTTA
from .segmentor import decide


@MODELS.register_module()
class PartLogitTTA(PartFlipTTA):
    """Averages logits over sizes and mirror images of a picture.

    Its parent averages probabilities. Of pictures that were fitted into a
    crop the logits are averaged there, and the classes brought back. A
    mirror's left and right are exchanged.

    Args:
        flip_pairs (Sequence[tuple[int, int]], optional): As of the parent.
        **kwargs: Arguments of ``SegTTAModel``.
    """

    def scores(self, logits: Tensor) -> Tensor:
        """What is averaged."""
        return logits

    def decide(self, scores: Tensor, sample) -> Tensor:
        """``(K, h, w)`` -> ``(1, H, W)`` at the picture's own size."""
        return decide(scores, sample)
