from typing import Dict, List, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from ..necks import AlignmentDecoder
from ..preprocessors import Views
from ..tokens import ROLES, Answer, Request, TokenDims


@torch.no_grad()
def token_spread(tokens: Tensor) -> Tensor:
    """Mean deviation of L2-normalised tokens ``(B, D)``, a scalar.

    1/sqrt(D) if they fill the sphere, 0 if all images look the same.
    """
    return F.normalize(tokens.float(), dim=-1).std(0, correction=0).mean()


@torch.no_grad()
def match_above_chance(student: Tensor, expert: Tensor) -> Tensor:
    """How much more often views of one person agree than those of two.

    Args:
        student (Tensor): ``(B,)``, the student's answer (its most similar
            prototype) for one view of each person.
        expert (Tensor): ``(V, B)``, the expert's for V other views.

    Returns:
        Tensor: Scalar float32: share of equal answers for the same person
        less that for different persons. 0 is chance, whether answers are
        random or the same for all; with m answers in equal use at most ``1 -
        1 / m``. 0 for one person, who differs from none.

    Example:
        >>> # persons 1 and 2 agree with themselves, 2 and 3 get one answer
        >>> match_above_chance(torch.tensor([5, 7, 8]),
        ...                    torch.tensor([[5, 7, 7]]))
        tensor(0.5000)
    """
    equal = (student[:, None] == expert[:, None, :]).float()  # (V, B, B)
    views, count = expert.shape
    if count == 1:
        return equal.new_zeros(())
    own = equal.diagonal(dim1=1, dim2=2).sum()
    others = (equal.sum() - own) / (views * count * (count - 1))
    return own / (views * count) - others


class MatchingHead(BaseModule):
    """Base of the image-level heads: a decoder, and who is matched with whom.

    Args:
        student_dims (TokenDims): Widths of the image encoder's tokens.
        expert_dims (TokenDims): Widths of the expert's tokens.
        decoder (dict): Image-level decoder, which the expert averages; with a
            frozen expert of another width it reads that width, and a linear
            layer brings the student's tokens to it. ``AlignmentDecoder`` has
            the student learn the expert's own channels instead.
        student_views (Sequence[str], optional): Views the student answers
            for. Defaults to anchor, all scales and all locals.
        expert_views (Sequence[str], optional): Views that give the targets.
            Defaults to anchor and all scales. Eq. 1 names one view a side
            and can be read both ways: ('anchor',) here has the scales learn
            from the anchor, the table of departures in configs/saip/README.md
            has the other.
        student_temperature (float): T_s.
        loss_weight (float): Defaults to 1.
    """

    objective = 'csm'

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
        self.adapter = nn.Identity()
        kind = decoder['type']
        kind = MODELS.get(kind) if isinstance(kind, str) else kind
        self.aligns = isinstance(kind, type) and issubclass(
            kind, AlignmentDecoder)
        if self.aligns:
            decoder['out_dims'] = expert_dims.image
        elif student_dims.image != expert_dims.image:
            # one decoder for both: its average is to read the expert's
            decoder['in_dims'] = expert_dims.image
            self.adapter = nn.Linear(student_dims.image, expert_dims.image)
            nn.init.trunc_normal_(self.adapter.weight, std=0.02)
            nn.init.zeros_(self.adapter.bias)
        self.decoder = MODELS.build(decoder)
        self.student_views = student_views
        self.expert_views = expert_views
        self.student_temperature = student_temperature
        self.loss_weight = loss_weight

    @property
    def loss_name(self) -> str:
        """Key of the loss."""
        return f'loss_{self.objective}'

    def student_names(self, views: Views) -> List[str]:
        """Views for which the student answers."""
        return list(
            self.student_views or views.of_kinds('anchor', 'scale', 'local'))

    def requests(self, views: Views) -> List[Request]:
        """Image tokens of the student's views, then of the expert's."""
        names = list(self.expert_views or views.of_kinds('anchor', 'scale'))
        return [
            Request(name, role, ('image', ))
            for role, some in (('student', self.student_names(views)),
                               ('expert', names)) for name in some
        ]

    def averaged(self) -> Dict[str, nn.Module]:
        """The decoder, unless it learns the expert's own channels."""
        return {} if self.aligns else dict(decoder=self.decoder)

    def project(self, tokens: Tensor, averages: Dict[str,
                                                     nn.Module]) -> Tensor:
        """Expert's tokens ``(M, D_e)`` -> what the decoder is to give.

        Args:
            tokens (Tensor): Image tokens.
            averages (dict[str, nn.Module]): Of :meth:`averaged`.

        Returns:
            Tensor: ``(M, K)`` by the averaged decoder, or the tokens by a
            LayerNorm without parameters.
        """
        if self.aligns:
            return F.layer_norm(tokens.float(), tokens.shape[-1:])
        return averages['decoder'](tokens)

    @staticmethod
    def collect(answers: List[Answer]) -> Tuple[Tensor, Tensor, Tensor]:
        """Image tokens of the U student views and the V expert views.

        Returns:
            tuple[Tensor, Tensor, Tensor]: Student's ``(U * B, D)``, expert's
            ``(V * B, D_e)`` and ``(V, U)`` bool, True for the same view.
        """
        ours, theirs = ([a for a in answers if a.request.role == role]
                        for role in ROLES)
        tokens, expert_tokens = (
            torch.cat([a.tokens.image for a in some])
            for some in (ours, theirs))
        same = torch.tensor([[v.request.view == u.request.view for u in ours]
                             for v in theirs])
        return tokens, expert_tokens, same
