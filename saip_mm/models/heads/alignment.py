from typing import Dict, List, Optional, Sequence, Tuple

import torch
from mmengine.model import BaseModule, ModuleDict
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from ..losses import (attention_divergence, pairwise_distance,
                      relation_divergence, token_distance)
from ..losses.alignment import DISTANCES
from ..preprocessors import Views
from ..tokens import Answer, Request, TokenDims
from .matching import token_spread

TERMS = ('image', 'patch', 'attention', 'relation')
RELATED = 'canvas'  # the view whose tokens are related to each other


@MODELS.register_module()
class AlignmentHead(BaseModule):
    """Learn a frozen expert's tokens as they are (SAIP* of the authors' code).

    The terms, each with a weight, 0 for none:

    - 'image': the image token of every student view, through a decoder, lies
      near the expert's of every *other* view;
    - 'patch': so do the final patch tokens of the same view;
    - 'attention': the last block attends as the expert's does, by
      :func:`attention_divergence`, in the views that both see. Both must be
      transformers; the student's last block may have as many heads as the
      expert's (``last_block_heads``, ``blocks``);
    - 'relation': final tokens of the canvas are as similar to each other as
      the expert's are.

    Args:
        student_dims (TokenDims): Widths of the image encoder's tokens.
        expert_dims (TokenDims): Widths of the expert's tokens.
        terms (dict[str, float], optional): Weights. Defaults to None: image
            and attention, 1 each, the authors' nearest to SAIP*.
        distance (str): Of tokens: 'cosine' (the default) or 'mse', the mean
            of squares (DPAL, with patch and attention weighted 0.1).
        decoder (dict, optional): Settings of the ``AlignmentDecoder`` of each
            term but attention.
        student_views (Sequence[str], optional): Defaults to anchor, scales
            and local crops.
        expert_views (Sequence[str], optional): Defaults to anchor and scales.
        own_view (bool): Whether image tokens of a view are also compared with
            the expert's of the same. Defaults to False.
        loss_weight (float): Defaults to 1.

    Raises:
        ValueError: If a term or distance is unknown, or all weights are 0.

    Source:
        Deleted history of the authors' code for SAIP*'s successor; how the
        terms were weighted is not known.
    """

    objective = 'align'

    def __init__(self,
                 student_dims: TokenDims,
                 expert_dims: TokenDims,
                 terms: Optional[Dict[str, float]] = None,
                 distance: str = 'cosine',
                 decoder: Optional[dict] = None,
                 student_views: Optional[Sequence[str]] = None,
                 expert_views: Optional[Sequence[str]] = None,
                 own_view: bool = False,
                 loss_weight: float = 1.) -> None:
        super().__init__()
        terms = dict(image=1., attention=1.) if terms is None else dict(terms)
        if set(terms) - set(TERMS) or not any(terms.values()):
            raise ValueError(f'terms {terms} of the alignment: weigh some of '
                             f'{TERMS}')
        if distance not in DISTANCES:
            raise ValueError(f"distance '{distance}' is unknown: use one of "
                             f'{DISTANCES}')
        self.terms = {name: terms[name] for name in TERMS if terms.get(name)}
        self.distance = distance
        decoder = dict(type='AlignmentDecoder') | dict(decoder or {})
        widths = dict(
            image=(student_dims.image, expert_dims.image),
            patch=(student_dims.final, expert_dims.final),
            relation=(student_dims.final, expert_dims.final))
        self.decoders = ModuleDict({
            name:
            MODELS.build(
                dict(
                    decoder, in_dims=widths[name][0],
                    out_dims=widths[name][1]))
            for name in self.terms if name in widths
        })
        self.student_views = student_views
        self.expert_views = expert_views
        self.own_view = own_view
        self.loss_weight = loss_weight

    def averaged(self) -> Dict[str, nn.Module]:
        """Nothing: the targets are the expert's own."""
        return {}

    def _views(self, views: Views) -> Tuple[List[str], List[str]]:
        """The student's and the expert's."""
        return (list(
            self.student_views or views.of_kinds('anchor', 'scale', 'local')),
                list(self.expert_views or views.of_kinds('anchor', 'scale')))

    def requests(self, views: Views) -> List[Request]:
        """For each view what the terms compare there, both sides."""
        ours, theirs = self._views(views)
        asked = []
        for role, names in (('student', ours), ('expert', theirs)):
            for name in names:
                kinds = ['image'] if 'image' in self.terms else []
                if name in ours and name in theirs:
                    kinds += ['final'] * ('patch' in self.terms)
                    kinds += ['attention'] * ('attention' in self.terms)
                if kinds:
                    asked.append(Request(name, role, tuple(kinds)))
        if 'relation' in self.terms:
            asked += [
                Request(RELATED, role, ('final', ))
                for role in ('student', 'expert')
            ]
        return asked

    def loss(self, answers: List[Answer], views: Views,
             averages: Dict[str, nn.Module]) -> Dict[str, Tensor]:
        """Compare what both sides see.

        Args:
            answers (list[Answer]): To :meth:`requests`.
            views (Views): The batch.
            averages (dict[str, nn.Module]): Unused.

        Returns:
            dict[str, Tensor]: ``loss_align``, the weighted sum, and,
            detached, each term before its weight and the spread of the image
            tokens.

        Raises:
            ValueError: If tokens of one view are not as many on both sides.
        """
        ours, theirs = ({
            a.request.view: a.tokens
            for a in answers if a.request.role == role
        } for role in ('student', 'expert'))
        names = self._views(views)
        both = [name for name in names[0] if name in names[1]]
        values, health = {}, {}
        if 'image' in self.terms:
            values['image'], health = self._image(ours, theirs, names)
        if 'patch' in self.terms:
            values['patch'] = torch.stack([
                token_distance(
                    *self._cells('patch', ours[n].final, theirs[n].final),
                    self.distance).mean() for n in both
            ]).mean()
        if 'attention' in self.terms:
            values['attention'] = torch.stack([
                attention_divergence(ours[n].attention, theirs[n].attention)
                for n in both
            ]).mean()
        if 'relation' in self.terms:
            values['relation'] = relation_divergence(*self._cells(
                'relation', ours[RELATED].final, theirs[RELATED].final))
        loss = sum(self.terms[name] * value for name, value in values.items())
        health.update((f'health/align_{name}', value.detach())
                      for name, value in values.items())
        return {f'loss_{self.objective}': self.loss_weight * loss, **health}

    def _image(self, ours: dict, theirs: dict,
               names: Tuple[List[str], List[str]]) -> Tuple[Tensor, dict]:
        """Distance of image tokens, and how these spread."""
        student = torch.stack([ours[n].image for n in names[0]])
        expert = torch.stack([theirs[n].image for n in names[1]])
        same = torch.tensor([[not self.own_view and v == u for u in names[0]]
                             for v in names[1]])
        codes = self.decoders['image'](student.flatten(0, 1))
        value = pairwise_distance(
            codes.unflatten(0, student.shape[:2]), expert, same, self.distance)
        return value, {
            'health/std': token_spread(student[0]),
            'health/expert_std': token_spread(expert[0])
        }

    def _cells(self, term: str, ours: Tensor,
               theirs: Tensor) -> Tuple[Tensor, Tensor]:
        """Patch tokens ``(B, L, D_e)`` of both, the student's decoded."""
        if ours.shape[1] != theirs.shape[1]:
            raise ValueError(
                f"alignment '{term}': the student gives {ours.shape[1]} final "
                f'tokens of a view, the expert {theirs.shape[1]}: end both '
                'at one stride (last_stride=1 of StarNet and TinyViT, stride= '
                'of the expert), or leave the term out')
        return self.decoders[term](ours), theirs
