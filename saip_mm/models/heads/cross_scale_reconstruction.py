from typing import Dict, List, Optional, Tuple

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from ..losses import masked_patch_loss, patchify
from ..preprocessor import Views
from ..shared_draws import shared_index
from ..sincos import sincos_positions
from ..tokens import Answer, Request, TokenDims, Tokens
from .masking import draw_mask
from .scales import need_scales


@MODELS.register_module()
class CrossScaleReconstructionHead(BaseModule):
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

    Source:
        Eq. 2. Target pixels are normalised per patch as in MAE.
    """

    def __init__(self,
                 student_dims: TokenDims,
                 expert_dims: TokenDims,
                 decoder: Optional[dict] = None,
                 mask_ratio: float = 0.75,
                 loss_weight: float = 1.) -> None:
        super().__init__()
        decoder = dict(type='PixelDecoder') | dict(decoder or {})
        self.decoder = MODELS.build(
            decoder,
            default_args=dict(
                query_dims=expert_dims.inner, context_dims=student_dims.inner))
        self.mask_token = nn.Parameter(torch.empty(1, 1, self.decoder.dims))
        nn.init.normal_(self.mask_token, std=0.02)
        self.to_pixels = nn.Linear(self.decoder.dims,
                                   3 * expert_dims.stride**2)
        nn.init.trunc_normal_(self.to_pixels.weight, std=0.02)
        nn.init.zeros_(self.to_pixels.bias)
        self.stride = expert_dims.stride
        self.mask_ratio = mask_ratio
        self.loss_weight = loss_weight

    def requests(self, views: Views) -> List[Request]:
        """The expert's tokens of a masked scale, the student's anchor."""
        need_scales(views)
        name, mask = self.draw_masked(views)
        return [
            Request(name, 'expert', ('inner', ), mask),
            Request('anchor', 'student', ('inner', ))
        ]

    def averaged(self) -> Dict[str, nn.Module]:
        """Nothing: the decoder is the student's alone."""
        return {}

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
            visible (Tokens): Expert tokens of the visible patches.
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
        """Predict all patches of the masked view.

        Args:
            answers (list[Answer]): To :meth:`requests`.

        Returns:
            tuple[Request, Tensor]: The request of the masked view, and
            normalised patches ``(B, L, 3 * stride^2)``.
        """
        (asked, visible), (_, anchor) = answers
        return asked, self.reconstruct(visible, asked.mask, anchor)

    def loss(self, answers: List[Answer], views: Views,
             averages: Dict[str, nn.Module]) -> Dict[str, Tensor]:
        """Compare the masked patches.

        Args:
            answers (list[Answer]): To :meth:`requests`.
            views (Views): The batch.
            averages (dict[str, nn.Module]): Unused.

        Returns:
            dict[str, Tensor]: ``loss_csr``.
        """
        asked, pred = self.predict(answers)
        target = patchify(views.images[asked.view], self.stride)
        loss = masked_patch_loss(pred, target, asked.mask)
        return dict(loss_csr=self.loss_weight * loss)
