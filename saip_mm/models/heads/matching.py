from typing import Dict, List, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from mmpretrain.registry import MODELS
from ..encoder import EncoderOutput, TokenDims
from ..preprocessor import Views


@torch.no_grad()
def token_spread(tokens: Tensor) -> Tensor:
    """Mean deviation of L2-normalised tokens ``(B, D)``, a scalar.

    1/sqrt(D) if they fill the sphere, 0 if all images look the same.
    """
    return F.normalize(tokens.float(), dim=-1).std(0, correction=0).mean()


class MatchingHead(BaseModule):
    """Base of the image-level heads: a decoder, and who is matched with whom.

    Args:
        student_dims (TokenDims): Widths of the image encoder's tokens.
        expert_dims (TokenDims): Widths of the expert's tokens.
        decoder (dict): Image-level decoder; ``AlignmentDecoder`` for a frozen
            expert.
        student_views (Sequence[str], optional): Views the student answers
            for. Defaults to anchor, all scales and all locals.
        expert_views (Sequence[str], optional): Views that give the targets.
            Defaults to anchor and all scales. ('anchor',) against the scales
            is Eq. 1 to the letter.
        student_temperature (float): T_s.
        loss_weight (float): Defaults to 1.
    """

    needs = dict(student='image', expert='image', canvas=False)

    def __init__(self,
                 student_dims: TokenDims,
                 expert_dims: TokenDims,
                 decoder: dict,
                 student_views: Optional[Sequence[str]],
                 expert_views: Optional[Sequence[str]],
                 student_temperature: float,
                 loss_weight: float = 1.) -> None:
        super().__init__()
        decoder = dict(decoder, in_dims=student_dims.image)
        if decoder['type'] == 'AlignmentDecoder':
            decoder['out_dims'] = expert_dims.image
        self.decoder = MODELS.build(decoder)
        self.student_views = student_views
        self.expert_views = expert_views
        self.student_temperature = student_temperature
        self.loss_weight = loss_weight

    def student_requests(self, views: Views) -> List[str]:
        """Names of the views whose image tokens the student must give."""
        return list(self.student_views or views.images)

    def expert_requests(self, views: Views) -> List[str]:
        """Names of the views whose image tokens the expert must give."""
        return list(self.expert_views or ['anchor'] + views.scales)

    def collect(self, student: Dict[str, EncoderOutput], expert,
                views: Views) -> Tuple[Tensor, Tensor, Tensor]:
        """Image tokens of the U student views and the V expert views.

        Returns:
            tuple[Tensor, Tensor, Tensor]: Student's ``(U * B, D)``, expert's
            ``(V * B, D_e)`` and ``(V, U)`` bool, True for the same view.
        """
        names = self.student_requests(views)
        targets_of = self.expert_requests(views)
        tokens = torch.cat([student[n].image_token for n in names])
        expert_tokens = torch.cat(
            [expert.tokens[n].image_token for n in targets_of])
        same = torch.tensor([[v == u for u in names] for v in targets_of])
        return tokens, expert_tokens, same
