from typing import Dict, List, Optional, Tuple

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from ..encoder import STRIDE, EncoderOutput, TokenDims
from ..losses import masked_patch_loss, patchify
from ..preprocessor import Views
from ..sincos import sincos_positions


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

    needs = dict(student='patch', expert='patch', canvas=False)

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
                query_dims=expert_dims.patch, context_dims=student_dims.patch))
        self.mask_token = nn.Parameter(torch.empty(1, 1, self.decoder.dims))
        nn.init.normal_(self.mask_token, std=0.02)
        self.to_pixels = nn.Linear(self.decoder.dims, 3 * STRIDE**2)
        nn.init.trunc_normal_(self.to_pixels.weight, std=0.02)
        nn.init.zeros_(self.to_pixels.bias)
        self.mask_ratio = mask_ratio
        self.loss_weight = loss_weight

    def student_requests(self, views: Views) -> List[str]:
        """Names of the views whose patch tokens the student must give."""
        return ['anchor']

    def expert_requests(self, views: Views) -> List[str]:
        """The masked view is asked for through :meth:`draw_masked`."""
        return []

    def draw_masked(self, views: Views) -> Tuple[str, Tensor]:
        """Pick one scale for the batch and hide patches of it.

        Returns:
            tuple[str, Tensor]: Name of the view and ``(B, L)`` bool mask.
        """
        names = views.scales
        name = names[int(torch.randint(len(names), ()))]
        image = views.images[name]
        length = (image.shape[-2] // STRIDE) * (image.shape[-1] // STRIDE)
        mask = draw_mask(len(image), length, self.mask_ratio)
        return name, mask.to(image.device)

    def reconstruct(self, visible: EncoderOutput, mask: Tensor,
                    anchor: EncoderOutput) -> Tensor:
        """Predict all patches of the masked view.

        Args:
            visible (EncoderOutput): Expert tokens of the visible patches.
            mask (Tensor): ``(B, L)`` bool, True is hidden.
            anchor (EncoderOutput): Student tokens of the anchor.

        Returns:
            Tensor: ``(B, L, 3 * 16 * 16)`` normalised patches.
        """
        seen = self.decoder.query_proj(visible.patch_tokens)
        query = self.mask_token.to(seen).repeat(*mask.shape, 1)
        query = query.masked_scatter(~mask[..., None], seen)
        query = query + sincos_positions(visible.grid,
                                         self.decoder.dims).to(query)
        decoded = self.decoder(query, anchor.patch_tokens, anchor.grid)
        return self.to_pixels(decoded)

    def loss(self, student: Dict[str, EncoderOutput], expert,
             views: Views) -> Dict[str, Tensor]:
        """Compare the masked patches.

        Args:
            student (dict[str, EncoderOutput]): By view name, with gradient.
            expert (ExpertOutput): ``masked_name``, ``mask`` and ``masked``
                tokens of the view drawn by :meth:`draw_masked`.
            views (Views): The batch.

        Returns:
            dict[str, Tensor]: ``loss_csr``.
        """
        pred = self.reconstruct(expert.masked, expert.mask, student['anchor'])
        target = patchify(views.images[expert.masked_name], STRIDE)
        loss = masked_patch_loss(pred, target, expert.mask)
        return dict(loss_csr=self.loss_weight * loss)
