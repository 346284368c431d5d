from typing import Dict, List, Optional, Sequence

import torch
from mmengine.dist import all_reduce
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from ..losses import (balanced_assignment, matching_loss,
                      prototype_matching_loss)
from ..preprocessors import Views
from ..tokens import Answer, TokenDims
from .matching import MatchingHead, match_above_chance, token_spread

# a sample is enough for a mean over many batches, and costs a hundredth of
# the loss
MATCHED_IMAGES = 64
# T_s and T_e: DINO's, of cosines; and for a frozen expert's channels, in the
# same proportion (ours)
PROTOTYPES, CHANNELS = (0.1, 0.04), (1.5, 0.6)


@MODELS.register_module()
class CrossScaleMatchingHead(MatchingHead):
    """Cross-scale matching (CSM): one person, one answer at every scale.

    Args:
        student_dims (TokenDims): Widths of the image encoder's tokens.
        expert_dims (TokenDims): Widths of the expert's tokens.
        decoder (dict): Image-level decoder: ``ImageDecoder``, the default,
            which the expert averages, or, with a frozen one,
            ``AlignmentDecoder`` for its own channels; see
            :class:`MatchingHead`.
        student_views (Sequence[str], optional): Views the student answers
            for. Defaults to anchor, all scales and all locals.
        expert_views (Sequence[str], optional): Views that give the targets.
            Defaults to anchor and all scales; see :class:`MatchingHead`.
        student_temperature (float, optional): T_s. Defaults to None: 0.1
            (DINO), 1.5 for channels.
        expert_temperature (float, optional): T_e at the start;
            ``ExpertTemperatureHook`` raises that of prototypes. Defaults to
            None: 0.04 (DINO), 0.6 for channels. These have a deviation of 1,
            cosines one of 1/16: at 0.04 a target would be nearly an arg-max
            (0.2 of 6.6 nats at 768 channels).
        centering (str): How the expert is kept from one answer for all:
            'mean' subtracts a moving mean (DINO, the default), 'sinkhorn'
            balances the prototypes within the batch (SwAV, DINOv2).
        center_momentum (float): Of the moving mean. Defaults to 0.9 (DINO).
        loss_weight (float): Defaults to 1.

    Source:
        Eq. 1, as DINO's cross-entropy with a centred expert.
    """

    def __init__(self,
                 student_dims: TokenDims,
                 expert_dims: TokenDims,
                 decoder: Optional[dict] = None,
                 student_views: Optional[Sequence[str]] = None,
                 expert_views: Optional[Sequence[str]] = None,
                 student_temperature: Optional[float] = None,
                 expert_temperature: Optional[float] = None,
                 centering: str = 'mean',
                 center_momentum: float = 0.9,
                 loss_weight: float = 1.) -> None:
        decoder = dict(type='ImageDecoder') | dict(decoder or {})
        super().__init__(student_dims, expert_dims, decoder, student_views,
                         expert_views, 0., loss_weight)
        usual = CHANNELS if self.prototypes is None else PROTOTYPES
        self.student_temperature, self.expert_temperature = (
            default if given is None else given
            for given, default in zip((student_temperature,
                                       expert_temperature), usual))
        if centering not in ('mean', 'sinkhorn'):
            raise ValueError(f"centering '{centering}' is unknown: use 'mean' "
                             "or 'sinkhorn'")
        self.centering = centering
        self.center_momentum = center_momentum
        self.register_buffer('center', torch.zeros(self.decoder.out_dims))

    @property
    def prototypes(self):
        """Last layer of the decoder, frozen in the first epoch, or None."""
        return self.decoder.prototypes

    def loss(self, answers: List[Answer], views: Views,
             averages: Dict[str, nn.Module]) -> Dict[str, Tensor]:
        """Match every student view with every other expert view.

        Args:
            answers (list[Answer]): To :meth:`requests`.
            views (Views): The batch.
            averages (dict[str, nn.Module]): Of :meth:`averaged`.

        Returns:
            dict[str, Tensor]: ``loss_csm`` and, detached, the health of the
            representation: spread of the tokens, entropy of the targets in
            nats and, where there are prototypes, the number of them in use,
            the same over the square root of what the images of one view could
            use at one each, which depends little on batch and K, and
            :func:`match_above_chance`.
        """
        tokens, expert_tokens, same = self.collect(answers)
        with torch.no_grad():
            raw = self.project(expert_tokens, averages).float()
            targets = self._targets(raw.unflatten(0, (len(same), -1)))
        codes = self._codes(tokens).unflatten(0, (same.shape[1], -1))
        loss = self._match(codes, targets, same)
        if self.training and self.centering == 'mean':
            self.update_center(raw)
        names = self.student_names(views)
        anchor = names.index('anchor') if 'anchor' in names else 0
        count = targets.shape[1]
        health = {
            'health/std':
            token_spread(tokens[anchor * count:(anchor + 1) * count]),
            'health/expert_std': token_spread(expert_tokens[:count]),
            'health/entropy': torch.special.entr(targets).sum(-1).mean()
        }
        if self.prototypes is not None:
            health |= self._use_of_prototypes(targets)
            health['health/match'] = self._agreement(codes, targets, same)
        return {self.loss_name: self.loss_weight * loss, **health}

    def _codes(self, tokens: Tensor) -> Tensor:
        """``(M, D)`` -> ``(M, d)`` to be compared with the prototypes, or,
        where there are none, logits ``(M, K)``."""
        tokens = self.adapter(tokens)
        if self.prototypes is None:
            return self.decoder(tokens)
        return self.decoder.represent(tokens)

    def _match(self, codes: Tensor, targets: Tensor, same: Tensor) -> Tensor:
        """Loss of codes ``(U, B, d)`` by targets ``(V, B, K)``."""
        temperature = self.student_temperature
        if self.prototypes is None:
            return matching_loss(codes, targets, same, temperature)
        return prototype_matching_loss(codes, self.prototypes.weight, targets,
                                       same, temperature)

    @torch.no_grad()
    def _agreement(self, codes: Tensor, targets: Tensor,
                   same: Tensor) -> Tensor:
        """:func:`match_above_chance` of one student view, in a sample."""
        view = int((~same).any(0).float().argmax())
        sample = codes[view, :MATCHED_IMAGES].float()
        with torch.autocast(sample.device.type, enabled=False):
            sample = self.prototypes(sample)
        # the answers are chosen from, not the targets, which are large
        answers = targets[:, :MATCHED_IMAGES].argmax(-1)
        others = (~same[:, view]).nonzero()[:, 0].tolist()
        return match_above_chance(sample.argmax(-1), answers[others])

    def _targets(self, raw: Tensor) -> Tensor:
        """Distributions ``(V, B, K)`` of the expert's logits."""
        if self.centering == 'sinkhorn':
            return balanced_assignment(raw, self.expert_temperature)
        return ((raw - self.center) / self.expert_temperature).softmax(-1)

    @torch.no_grad()
    def update_center(self, raw: Tensor) -> None:
        """Move the centre to the mean of raw logits ``(M, K)``, all ranks."""
        mean = raw.mean(0)
        all_reduce(mean, op='mean')
        self.center.lerp_(mean, 1 - self.center_momentum)

    @staticmethod
    def _use_of_prototypes(targets: Tensor) -> Dict[str, Tensor]:
        used = targets.argmax(-1).unique().numel()
        most = min(targets.shape[1:])  # images, prototypes
        return {
            'health/prototypes': targets.new_tensor(float(used)),
            'health/prototype_use': targets.new_tensor(used / most**0.5)
        }
