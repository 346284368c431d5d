from typing import Dict, List, Optional, Tuple

import torch
import torch.nn.functional as F
from mmengine.dist import all_gather, get_rank
from mmengine.logging import print_log
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from ..losses import instance_matching_loss, masked_patch_loss, patchify
from ..preprocessors import Views
from ..tokens import Answer, Request, TokenDims
from .masked_reconstruction import MaskedReconstructionHead
from .part_masking import draw_part_mask


@MODELS.register_module()
class HAPHead(MaskedReconstructionHead):
    """Human structure-aware pretraining (HAP).

    One view is masked twice, each time by another draw that hides body parts
    first, and repainted as in MAE; the class tokens of the two must find each
    other among those of all persons of all ranks. Without keypoints of a
    picture its mask is made of blocks.

    Args:
        student_dims (TokenDims): Widths of the image encoder's tokens.
        expert_dims (TokenDims): Not read: there is no expert.
        decoder (dict, optional): Settings of ``MaskedImageDecoder``.
        view (str): The view, 'clean' or 'anchor', whose keypoints are
            known. Defaults to 'clean'.
        mask_ratio (float): Defaults to 0.5.
        temperature (float): T of the alignment. Defaults to 0.2.
        align_weight (float): Gamma of the alignment. Defaults to 0.05.
        legacy_part_draw (bool): Draw the number of parts as the release
            does, by which 1 % of the pictures lose any, where 76 % of full
            bodies are meant to. Defaults to False.
        loss_weight (float): Of both terms. Defaults to 1.

    Source:
        Yuan et al., HAP: Structure-Aware Masked Image Modeling for
        Human-Centric Perception, NeurIPS 2023.
    """

    objective = 'hap'

    def __init__(self,
                 student_dims: TokenDims,
                 expert_dims: Optional[TokenDims] = None,
                 decoder: Optional[dict] = None,
                 view: str = 'clean',
                 mask_ratio: float = 0.5,
                 temperature: float = 0.2,
                 align_weight: float = 0.05,
                 legacy_part_draw: bool = False,
                 loss_weight: float = 1.) -> None:
        super().__init__(student_dims, expert_dims, decoder, view, mask_ratio,
                         loss_weight)
        self.temperature = temperature
        self.align_weight = align_weight
        self.legacy_part_draw = legacy_part_draw
        self._hidden_parts: List[Tensor] = []  # patches, of the last requests
        self._told = False

    def requests(self, views: Views) -> List[Request]:
        """Class and visible tokens, by two masks."""
        image = views.image(self.view)
        keypoints = views.keypoints.get(self.view)
        if keypoints is None and not self._told and len(image) > 1:
            self._told = True
            print_log(
                'HAP: the data have no keypoints (keypoints_file of the '
                'source), so no body part is masked, blocks are', 'current')
        grid = tuple(side // self.stride for side in image.shape[-2:])
        drawn = [
            draw_part_mask(
                len(image), grid, self.mask_ratio, self.stride, keypoints,
                self.legacy_part_draw, image.device) for _ in range(2)
        ]
        self._hidden_parts = [parts for _, parts in drawn]
        return [
            Request(self.view, 'student', ('image', 'final'), mask)
            for mask, _ in drawn
        ]

    def predict(self, answers: List[Answer]) -> Tuple[Request, Tensor]:
        """Of the first mask, see :meth:`PatchPredictionHead.predict`."""
        return super().predict(answers[:1])

    def loss(self, answers: List[Answer], views: Views,
             averages: Dict[str, nn.Module]) -> Dict[str, Tensor]:
        """Repaint both, and match their class tokens.

        Args:
            answers (list[Answer]): To :meth:`requests`.
            views (Views): The batch.
            averages (dict[str, nn.Module]): Unused.

        Returns:
            dict[str, Tensor]: ``loss_hap``, the mean of the two pictures',
            ``loss_hap_align`` and, detached, ``health/part_masked``: share of
            the masks that hide a patch because it is a body part's.
        """
        tokens = [answer.tokens for answer in answers]
        visible = torch.cat([t.final for t in tokens])
        image = torch.cat([t.image for t in tokens])
        mask = torch.cat([answer.request.mask for answer in answers])
        pred = self.decoder(visible, image, mask, tokens[0].grid)
        target = patchify(views.images[self.view], self.stride)
        # as many patches of each: the mean of all is that of the two
        loss = masked_patch_loss(pred, target.repeat(2, 1, 1), mask)
        parts = torch.cat(self._hidden_parts).any(1).float().mean()
        return {
            'loss_hap':
            self.loss_weight * loss,
            'loss_hap_align':
            self.loss_weight * self.align_weight * self._align(image),
            'health/part_masked':
            parts
        }

    def _align(self, image: Tensor) -> Tensor:
        """``2 T (CE(z1, z2) + CE(z2, z1))`` of tokens ``(2 * B, D)``."""
        codes = F.normalize(image.float(), dim=-1).unflatten(0, (2, -1))
        keys = torch.cat(all_gather(codes.detach()), 1)
        same = torch.eye(2, dtype=torch.bool)
        loss = instance_matching_loss(codes, keys, same, self.temperature,
                                      get_rank() * codes.shape[1])
        return 4 * self.temperature * loss  # which is the two terms' mean
