from typing import List, Optional, Tuple

import torch
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from ..preprocessors import Views
from ..shared_draws import shared_index
from ..sincos import sincos_positions
from ..tokens import Answer, Request, TokenDims, Tokens
from .masking import draw_mask
from .patch_prediction import PatchPredictionHead
from .scales import need_scales


@MODELS.register_module()
class CrossScaleReconstructionHead(PatchPredictionHead):
    """Cross-scale reconstruction (CSR): repaint a masked scale by the anchor.

    The query is the expert's view of one masked multi-resolution image, the
    context the student's patch tokens of the anchor, so the student learns by
    what the decoder reads from the anchor.

    Args:
        student_dims (TokenDims): Widths of the image encoder's tokens.
        expert_dims (TokenDims): Widths of the expert's tokens.
        decoder (dict, optional): Settings of ``PixelDecoder``.
        mask_ratio (float): Defaults to 0.75, paper 3.2.
        loss_weight (float): Defaults to 1.
        masked_by (str): Whose tokens of the visible patches ask: 'expert'
            (Eq. 2, default), or 'student', as in the release, which is then
            trained by both sides.

    Raises:
        ValueError: If ``masked_by`` is neither.

    Source:
        Eq. 2. Target pixels are normalised per patch as in MAE.
    """

    objective = 'csr'

    def __init__(self,
                 student_dims: TokenDims,
                 expert_dims: TokenDims,
                 decoder: Optional[dict] = None,
                 mask_ratio: float = 0.75,
                 loss_weight: float = 1.,
                 masked_by: str = 'expert') -> None:
        if masked_by not in ('expert', 'student'):
            raise ValueError(f"masked_by '{masked_by}' is unknown: use "
                             "'expert' or 'student'")
        asking = dict(expert=expert_dims, student=student_dims)[masked_by]
        super().__init__(asking.stride, mask_ratio, loss_weight)
        self.masked_by = masked_by
        decoder = dict(type='PixelDecoder') | dict(decoder or {})
        self.decoder = MODELS.build(
            decoder,
            default_args=dict(
                query_dims=asking.inner, context_dims=student_dims.inner))
        self.mask_token = nn.Parameter(torch.empty(1, 1, self.decoder.dims))
        nn.init.normal_(self.mask_token, std=0.02)
        self.to_pixels = nn.Linear(self.decoder.dims, 3 * self.stride**2)
        nn.init.trunc_normal_(self.to_pixels.weight, std=0.02)
        nn.init.zeros_(self.to_pixels.bias)

    def requests(self, views: Views) -> List[Request]:
        """Tokens of a masked scale, the expert's unless ``masked_by`` says
        otherwise, and the student's of the anchor."""
        need_scales(views)
        name, mask = self.draw_masked(views)
        return [
            Request(name, self.masked_by, ('inner', ), mask),
            Request('anchor', 'student', ('inner', ))
        ]

    def draw_masked(self, views: Views) -> Tuple[str, Tensor]:
        """Pick one scale for the batch and hide patches of it.

        Returns:
            tuple[str, Tensor]: Name of the view and ``(B, L)`` bool mask.
        """
        names = views.scales
        name = names[shared_index(len(names))]
        image = views.images[name]
        rows, columns = (side // self.stride for side in image.shape[-2:])
        mask = draw_mask(len(image), rows * columns, self.mask_ratio)
        return name, mask.to(image.device)

    def reconstruct(self, visible: Tokens, mask: Tensor,
                    anchor: Tokens) -> Tensor:
        """Predict all patches of the masked view.

        Args:
            visible (Tokens): Of the visible patches, by who asks.
            mask (Tensor): ``(B, L)`` bool, True is hidden.
            anchor (Tokens): Student tokens of the anchor.

        Returns:
            Tensor: ``(B, L, 3 * stride^2)`` normalised patches.
        """
        seen = self.decoder.query_proj(visible.inner)
        query = self.mask_token.to(seen).repeat(*mask.shape, 1)
        query = query.masked_scatter(~mask[..., None], seen)
        query = query + sincos_positions(visible.grid,
                                         self.decoder.dims).to(query)
        decoded = self.decoder(query, anchor.inner, anchor.grid)
        return self.to_pixels(decoded)

    def predict(self, answers: List[Answer]) -> Tuple[Request, Tensor]:
        """See :meth:`PatchPredictionHead.predict`."""
        (asked, visible), (_, anchor) = answers
        return asked, self.reconstruct(visible, asked.mask, anchor)
