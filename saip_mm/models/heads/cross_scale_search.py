from typing import Dict, List, Optional, Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from ..losses import search_loss
from ..preprocessors import Views
from ..sincos import sincos_positions
from ..tokens import Answer, Request, TokenDims, Tokens
from ..view_ops import above_distractors, cell_targets
from .scales import need_scales

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
        query (str): Who asks. 'scales' (Eq. 3, default): each of the person's
            multi-resolution views asks for its own place. 'anchor' (ours):
            the anchor asks once, for all places of the person. It has other
            colours than those pasted and, unless the scales are cut as the
            anchor is, another crop: harder, though mean colour alone still
            tells 66 to 70 % (configs/saip/README.md).

    Raises:
        ValueError: If ``query`` is unknown.

    Source:
        Eq. 3; the segmentation function tau is ours (the paper names it only).
    """

    def __init__(self,
                 student_dims: TokenDims,
                 expert_dims: TokenDims,
                 decoder: Optional[dict] = None,
                 loss: str = 'mse',
                 loss_weight: float = 1.,
                 query: str = 'scales') -> None:
        super().__init__()
        if query not in ('scales', 'anchor'):
            raise ValueError(f"search query '{query}' is unknown: use "
                             "'scales' or 'anchor'")
        self.query = query
        decoder = dict(type='PixelDecoder') | dict(decoder or {})
        self.decoder = MODELS.build(
            decoder,
            default_args=dict(
                query_dims=student_dims.inner, context_dims=expert_dims.inner))
        dims = self.decoder.dims
        self.kernel = nn.Linear(dims, dims)
        self.cell_embed = nn.Sequential(
            nn.Linear(expert_dims.inner, dims), nn.GELU(),
            nn.Linear(dims, dims))
        self.bias = nn.Parameter(torch.tensor(PRIOR_LOGIT))
        self.stride = expert_dims.stride
        self.kind = loss
        self.loss_weight = loss_weight

    def requests(self, views: Views) -> List[Request]:
        """The expert's tokens of the canvas, the student's of who asks."""
        need_scales(views)
        names = ['anchor'] if self.query == 'anchor' else views.scales
        return [Request('canvas', 'expert', ('inner', ))
                ] + [Request(name, 'student', ('inner', )) for name in names]

    def targets(self, views: Views, stride: Optional[int] = None) -> Tensor:
        """Where on the canvas the person of each query stands.

        Args:
            views (Views): The batch, with canvas and boxes.
            stride (int, optional): Pixels a side of a cell. Defaults to that
                of the expert's tokens.

        Returns:
            Tensor: ``(N, B, h * w)`` float32 in [0, 1] of the N queries, in
            the order of :meth:`requests`; see :func:`cell_targets`.
        """
        places = self._cells(views, [views.boxes[n] for n in views.scales],
                             stride)
        # persons do not overlap
        return places.sum(0, True) if self.query == 'anchor' else places

    def distractors(self,
                    views: Views,
                    stride: Optional[int] = None) -> Tensor:
        """Where on the canvas the persons of other images stand.

        Args:
            views (Views): The batch, with at least one such person.
            stride (int, optional): As in :meth:`targets`.

        Returns:
            Tensor: ``(D, B, h * w)`` float32 in [0, 1] of the D persons.
        """
        return self._cells(views, list(views.distractors.values()), stride)

    def _cells(self, views: Views, boxes: List[Tensor],
               stride: Optional[int]) -> Tensor:
        size = tuple(views.images['canvas'].shape[-2:])
        return torch.stack(
            [cell_targets(box, size, stride or self.stride) for box in boxes])

    def averaged(self) -> Dict[str, nn.Module]:
        """Nothing: the decoder is the student's alone."""
        return {}

    def search(self, persons: Sequence[Tokens], canvas: Tokens) -> Tensor:
        """Look for one person by several pictures, on the same canvas.

        Args:
            persons (Sequence[Tokens]): The person at N scales.
            canvas (Tokens): The expert's tokens of the canvas.

        Returns:
            Tensor: Logit of each canvas cell ``(N, B, h * w)``, float32.
        """
        lengths = [person.inner.shape[1] for person in persons]
        places = torch.cat(
            [sincos_positions(p.grid, self.decoder.dims) for p in persons], 1)
        query = self.decoder.query_proj(
            torch.cat([person.inner for person in persons], 1))
        decoded = self.decoder(query + places.to(query), canvas.inner,
                               canvas.grid, lengths)
        kernels = self.kernel(
            torch.stack([part.mean(1) for part in decoded.split(lengths, 1)]))
        cells = self.cell_embed(canvas.inner)
        product = torch.einsum('nbc,blc->nbl', kernels, cells).float()
        return product / self.decoder.dims**0.5 + self.bias

    def loss(self, answers: List[Answer], views: Views,
             averages: Dict[str, nn.Module]) -> Dict[str, Tensor]:
        """Search every multi-resolution person on the canvas.

        Args:
            answers (list[Answer]): To :meth:`requests`.
            views (Views): The batch, with canvas and boxes.
            averages (dict[str, nn.Module]): Unused.

        Returns:
            dict[str, Tensor]: ``loss_css``, summed over the queries, and,
            where there are distractors, how often the person is told from
            them: :func:`above_distractors`, a share of the searches.
        """
        (_, canvas), *persons = answers
        logits = self.search([p.tokens for p in persons], canvas)
        targets = self.targets(views)
        terms = [
            search_loss(found, target, self.kind)
            for found, target in zip(logits, targets)
        ]
        losses = dict(loss_css=self.loss_weight * sum(terms))
        if views.distractors:
            right = above_distractors(logits.detach().sigmoid(), targets,
                                      self.distractors(views))
            losses['health/css_target_above_distractor'] = right.float().mean()
        return losses
