from typing import Dict, List, Optional, Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from ..encoder import STRIDE, EncoderOutput, TokenDims
from ..losses import search_loss
from ..preprocessor import Views
from ..sincos import sincos_positions
from ..view_ops import cell_targets

# sigmoid(-2) = 0.12, about the share of the canvas a pasted person covers:
# the loss starts near the best constant answer instead of at one half
PRIOR_LOGIT = -2.


@MODELS.register_module()
class CrossScaleSearchHead(BaseModule):
    """Cross-scale search (CSS): find a person among several.

    The student's tokens of each multi-resolution image read the expert's
    tokens of the canvas; their mean becomes one mask kernel, whose product
    with an embedding of each canvas cell says whether the person is there.

    Args:
        student_dims (TokenDims): Widths of the image encoder's tokens.
        expert_dims (TokenDims): Widths of the expert's tokens.
        decoder (dict, optional): Settings of ``PixelDecoder``.
        loss (str): 'mse' (Eq. 3, default) or 'bce' (the release).
        loss_weight (float): Defaults to 1.

    Source:
        Eq. 3; the segmentation function tau is ours (the paper names it only).
    """

    needs = dict(student='patch', expert='patch', canvas=True)

    def __init__(self,
                 student_dims: TokenDims,
                 expert_dims: TokenDims,
                 decoder: Optional[dict] = None,
                 loss: str = 'mse',
                 loss_weight: float = 1.) -> None:
        super().__init__()
        decoder = dict(type='PixelDecoder') | dict(decoder or {})
        self.decoder = MODELS.build(
            decoder,
            default_args=dict(
                query_dims=student_dims.patch, context_dims=expert_dims.patch))
        dims = self.decoder.dims
        self.kernel = nn.Linear(dims, dims)
        self.cell_embed = nn.Sequential(
            nn.Linear(expert_dims.patch, dims), nn.GELU(),
            nn.Linear(dims, dims))
        self.bias = nn.Parameter(torch.tensor(PRIOR_LOGIT))
        self.kind = loss
        self.loss_weight = loss_weight

    def student_requests(self, views: Views) -> List[str]:
        """Names of the views whose patch tokens the student must give."""
        return views.scales

    def expert_requests(self, views: Views) -> List[str]:
        """The canvas is asked for through ``needs``."""
        return []

    def search(self, persons: Sequence[EncoderOutput],
               canvas: EncoderOutput) -> Tensor:
        """Look for one person by several pictures, on the same canvas.

        Args:
            persons (Sequence[EncoderOutput]): The person at N scales.
            canvas (EncoderOutput): The expert's tokens of the canvas.

        Returns:
            Tensor: Logit of each canvas cell ``(N, B, h * w)``, float32.
        """
        lengths = [person.patch_tokens.shape[1] for person in persons]
        places = torch.cat(
            [sincos_positions(p.grid, self.decoder.dims) for p in persons], 1)
        query = self.decoder.query_proj(
            torch.cat([person.patch_tokens for person in persons], 1))
        decoded = self.decoder(query + places.to(query), canvas.patch_tokens,
                               canvas.grid, lengths)
        kernels = self.kernel(
            torch.stack([part.mean(1) for part in decoded.split(lengths, 1)]))
        cells = self.cell_embed(canvas.patch_tokens)
        product = torch.einsum('nbc,blc->nbl', kernels, cells).float()
        return product / self.decoder.dims**0.5 + self.bias

    def loss(self, student: Dict[str, EncoderOutput], expert,
             views: Views) -> Dict[str, Tensor]:
        """Search every multi-resolution person on the canvas.

        Args:
            student (dict[str, EncoderOutput]): By view name, with gradient.
            expert (ExpertOutput): ``canvas`` tokens.
            views (Views): The batch, with canvas and boxes.

        Returns:
            dict[str, Tensor]: ``loss_css``, summed over the N scales.
        """
        size = tuple(views.canvas.shape[-2:])
        logits = self.search([student[name] for name in views.scales],
                             expert.canvas)
        terms = [
            search_loss(found, cell_targets(views.boxes[name], size, STRIDE),
                        self.kind)
            for name, found in zip(views.scales, logits)
        ]
        return dict(loss_css=self.loss_weight * sum(terms))
