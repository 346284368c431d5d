from typing import Dict, List, Tuple

from mmengine.model import BaseModule
from torch import Tensor, nn

from ..losses import masked_patch_loss, patchify
from ..preprocessors import Views
from ..tokens import Answer, Request


class PatchPredictionHead(BaseModule):
    """Base of the heads that paint hidden patches of a view.

    Args:
        stride (int): Pixels a side of a patch.
        mask_ratio (float): Share of the patches that is hidden.
        loss_weight (float): Weight of the loss.

    Attributes:
        objective (str): The loss is ``loss_<objective>``.
    """
    objective: str

    def __init__(self, stride: int, mask_ratio: float,
                 loss_weight: float) -> None:
        super().__init__()
        self.stride = stride
        self.mask_ratio = mask_ratio
        self.loss_weight = loss_weight

    def averaged(self) -> Dict[str, nn.Module]:
        """Nothing: the decoder is the student's alone."""
        return {}

    def predict(self, answers: List[Answer]) -> Tuple[Request, Tensor]:
        """Predict all patches of the masked view.

        Args:
            answers (list[Answer]): To ``requests``.

        Returns:
            tuple[Request, Tensor]: The request of the masked view, and
            normalised patches ``(B, L, 3 * stride^2)``.
        """
        raise NotImplementedError

    def loss(self, answers: List[Answer], views: Views,
             averages: Dict[str, nn.Module]) -> Dict[str, Tensor]:
        """Compare the masked patches.

        Args:
            answers (list[Answer]): To ``requests``.
            views (Views): The batch.
            averages (dict[str, nn.Module]): Unused.

        Returns:
            dict[str, Tensor]: The loss.
        """
        asked, pred = self.predict(answers)
        target = patchify(views.images[asked.view], self.stride)
        loss = masked_patch_loss(pred, target, asked.mask)
        return {f'loss_{self.objective}': self.loss_weight * loss}
