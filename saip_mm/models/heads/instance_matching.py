from typing import Dict, List, Optional, Sequence

import torch
import torch.nn.functional as F
from mmengine.dist import all_gather, get_rank
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from ..losses import instance_matching_loss
from ..preprocessors import Views
from ..tokens import Answer, TokenDims
from .matching import MatchingHead, token_spread


@MODELS.register_module()
class InstanceMatchingHead(MatchingHead):
    """Cross-scale matching (CSM) with the batch's persons as the classes.

    Each view must find its own person among those of all ranks, as the expert
    sees them at another scale. There are no prototypes to be learnt before
    they mean something, so it learns from the first step on, and from small
    batches; short trainings on little data take it. The recipe's
    ``CrossScaleMatchingHead`` does not push apart pictures of one person.

    Args:
        student_dims (TokenDims): Widths of the image encoder's tokens.
        expert_dims (TokenDims): Widths of the expert's tokens.
        decoder (dict, optional): ``InstanceDecoder``, the default;
            ``AlignmentDecoder`` for a frozen expert.
        student_views (Sequence[str], optional): As in
            ``CrossScaleMatchingHead``.
        expert_views (Sequence[str], optional): Likewise.
        temperature (float): Of the similarities. Defaults to 0.1.
        loss_weight (float): Defaults to 1.

    Source:
        Paper 3.2 (CSM "contrastively" learns); InfoNCE as in MoCo v3. Ours.
    """

    def __init__(self,
                 student_dims: TokenDims,
                 expert_dims: TokenDims,
                 decoder: Optional[dict] = None,
                 student_views: Optional[Sequence[str]] = None,
                 expert_views: Optional[Sequence[str]] = None,
                 temperature: float = 0.1,
                 loss_weight: float = 1.) -> None:
        decoder = dict(type='InstanceDecoder') | dict(decoder or {})
        super().__init__(student_dims, expert_dims, decoder, student_views,
                         expert_views, temperature, loss_weight)

    def loss(self, answers: List[Answer], views: Views,
             averages: Dict[str, nn.Module]) -> Dict[str, Tensor]:
        """Let every student view find its person in every other expert view.

        Args:
            answers (list[Answer]): To :meth:`requests`.
            views (Views): The batch.
            averages (dict[str, nn.Module]): Of :meth:`averaged`.

        Returns:
            dict[str, Tensor]: ``loss_csm`` and, detached, the spread of the
            tokens.
        """
        tokens, expert_tokens, same = self.collect(answers)
        codes = self.decoder(self.adapter(tokens))
        codes = F.normalize(codes.float(), dim=-1)
        codes = codes.unflatten(0, (same.shape[1], -1))
        with torch.no_grad():
            keys = self.project(expert_tokens, averages).float()
            keys = F.normalize(keys, dim=-1)
            keys = keys.unflatten(0, (len(same), -1))
            keys = torch.cat(all_gather(keys), 1)
        count = codes.shape[1]
        loss = instance_matching_loss(codes, keys, same,
                                      self.student_temperature,
                                      get_rank() * count)
        return {
            self.loss_name: self.loss_weight * loss,
            'health/std': token_spread(tokens[:count]),
            'health/expert_std': token_spread(expert_tokens[:count])
        }
