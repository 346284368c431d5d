from typing import Dict, List, Optional, Tuple

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from ..losses import masked_patch_loss, patchify
from ..preprocessor import Views
from ..tokens import Answer, Request, TokenDims
from .masking import draw_mask


@MODELS.register_module()
class MaskedReconstructionHead(BaseModule):
    """Repaint the hidden patches of a picture from its visible ones (MAE).

    Args:
        student_dims (TokenDims): Widths of the image encoder's tokens.
        expert_dims (TokenDims): Not read: there is no expert.
        decoder (dict, optional): Settings of ``MaskedImageDecoder``.
        view (str): The view. Defaults to 'clean', as it was cut.
        mask_ratio (float): Defaults to 0.75.
        loss_weight (float): Defaults to 1.

    Source:
        He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR
        2022; target pixels are normalised per patch.
    """

    def __init__(self,
                 student_dims: TokenDims,
                 expert_dims: Optional[TokenDims] = None,
                 decoder: Optional[dict] = None,
                 view: str = 'clean',
                 mask_ratio: float = 0.75,
                 loss_weight: float = 1.) -> None:
        super().__init__()
        decoder = dict(type='MaskedImageDecoder') | dict(decoder or {})
        self.stride = student_dims.stride
        self.decoder = MODELS.build(
            decoder,
            default_args=dict(
                in_dims=student_dims.final, out_dims=3 * self.stride**2))
        self.view = view
        self.mask_ratio = mask_ratio
        self.loss_weight = loss_weight

    def averaged(self) -> Dict[str, nn.Module]:
        """Nothing: there is no expert."""
        return {}

    def requests(self, views: Views) -> List[Request]:
        """Class and visible tokens after the last norm."""
        image = views.images[self.view]
        rows, columns = (side // self.stride for side in image.shape[-2:])
        mask = draw_mask(len(image), rows * columns, self.mask_ratio)
        return [
            Request(self.view, 'student', ('image', 'final'),
                    mask.to(image.device))
        ]

    def predict(self, answers: List[Answer]) -> Tuple[Request, Tensor]:
        """Predict all patches of the masked view.

        Args:
            answers (list[Answer]): To :meth:`requests`.

        Returns:
            tuple[Request, Tensor]: The request of the masked view, and
            normalised patches ``(B, L, 3 * stride^2)``.
        """
        (asked, tokens), = answers
        return asked, self.decoder(tokens.final, tokens.image, asked.mask,
                                   tokens.grid)

    def loss(self, answers: List[Answer], views: Views,
             averages: Dict[str, nn.Module]) -> Dict[str, Tensor]:
        """Compare the masked patches.

        Args:
            answers (list[Answer]): To :meth:`requests`.
            views (Views): The batch.
            averages (dict[str, nn.Module]): Unused.

        Returns:
            dict[str, Tensor]: ``loss_mae``.
        """
        asked, pred = self.predict(answers)
        target = patchify(views.images[asked.view], self.stride)
        loss = masked_patch_loss(pred, target, asked.mask)
        return dict(loss_mae=self.loss_weight * loss)
