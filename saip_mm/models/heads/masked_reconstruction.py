from typing import List, Optional, Tuple

from torch import Tensor

from mmpretrain.registry import MODELS
from ..preprocessors import Views
from ..tokens import Answer, Request, TokenDims
from .masking import draw_mask
from .patch_prediction import PatchPredictionHead


@MODELS.register_module()
class MaskedReconstructionHead(PatchPredictionHead):
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

    objective = 'mae'

    def __init__(self,
                 student_dims: TokenDims,
                 expert_dims: Optional[TokenDims] = None,
                 decoder: Optional[dict] = None,
                 view: str = 'clean',
                 mask_ratio: float = 0.75,
                 loss_weight: float = 1.) -> None:
        super().__init__(student_dims.stride, mask_ratio, loss_weight)
        decoder = dict(type='MaskedImageDecoder') | dict(decoder or {})
        self.decoder = MODELS.build(
            decoder,
            default_args=dict(
                in_dims=student_dims.final, out_dims=3 * self.stride**2))
        self.view = view

    def requests(self, views: Views) -> List[Request]:
        """Class and visible tokens after the last norm."""
        image = views.image(self.view)
        rows, columns = (side // self.stride for side in image.shape[-2:])
        mask = draw_mask(len(image), rows * columns, self.mask_ratio)
        return [
            Request(self.view, 'student', ('image', 'final'),
                    mask.to(image.device))
        ]

    def predict(self, answers: List[Answer]) -> Tuple[Request, Tensor]:
        """See :meth:`PatchPredictionHead.predict`."""
        (asked, tokens), = answers
        return asked, self.decoder(tokens.final, tokens.image, asked.mask,
                                   tokens.grid)
