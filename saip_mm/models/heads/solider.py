from functools import partial
from typing import Dict, List, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from ..preprocessors import Views
from ..tokens import ROLES, Answer, Request, TokenDims, Tokens
from .dino import DINOHead
from .part_labels import part_labels


@MODELS.register_module()
class SOLIDERHead(DINOHead):
    """Semantic controllable self-supervised learning (SOLIDER).

    DINO of an encoder that is told, for each picture, how much its tokens are
    to say of parts instead of looks (lambda, 0 or 1), and a classifier of the
    cells of the global crops into background and body parts. The labels are
    the expert's tokens at lambda 1, clustered (:func:`part_labels`). One part
    is blanked in a copy of each crop, whose labels stay.

    Args:
        student_dims (TokenDims): Widths of the image encoder's tokens, which
            is a ``SemanticEncoder``.
        expert_dims (TokenDims): Widths of the expert's, which follows it.
        part_classifier (dict, optional): Settings of the ``ImageDecoder``
            that has the labels as its prototypes.
        num_parts (int): Defaults to 3.
        semantic_weight (float): Of the classification, beside DINO's loss.
            Defaults to 1.
        freeze_part_classifier (bool): Leave the classifier at its random
            start, as the release does, whose optimiser does not have it.
            Defaults to False.
        exact (bool): Cluster as scikit-learn does, see :func:`cluster`.
            Defaults to False.
        **kwargs: Of :class:`DINOHead`.

    Source:
        Chen et al., Beyond Appearance: a Semantic Controllable
        Self-Supervised Learning Framework for Human-Centric Visual Tasks,
        CVPR 2023.
    """

    def __init__(self,
                 student_dims: TokenDims,
                 expert_dims: TokenDims,
                 part_classifier: Optional[dict] = None,
                 num_parts: int = 3,
                 semantic_weight: float = 1.,
                 freeze_part_classifier: bool = False,
                 exact: bool = False,
                 **kwargs) -> None:
        super().__init__(student_dims, expert_dims, **kwargs)
        classifier = dict(type='ImageDecoder') | dict(part_classifier or {})
        self.part_classifier = MODELS.build(
            dict(
                classifier,
                in_dims=student_dims.final,
                num_prototypes=num_parts + 1))
        if freeze_part_classifier:
            self.part_classifier.requires_grad_(False)
        self.num_parts = num_parts
        self.semantic_weight = semantic_weight
        self.exact = exact
        # of the last requests: lambda (B,), and labels once they are made
        self._lambda: Optional[Tensor] = None
        self._labels: Optional[Tuple[Tensor, Tensor]] = None

    def requests(self, views: Views) -> List[Request]:
        """DINO's, at one lambda a picture; final tokens for the labels, at
        1; and those of the global crops less one part."""
        crops = self._global_crops(views)
        image = views.image(crops[0])
        coins = (torch.rand(len(image)) < 0.5).float().to(image.device)
        ones = torch.ones_like(coins)
        self._lambda, self._labels = coins, None
        asked = [
            Request(
                r.view,
                r.role, ('image', 'final')
                if r.role == 'student' and r.view in crops else r.tokens,
                condition=coins) for r in super().requests(views)
        ]
        asked += [
            Request(v, 'expert', ('final', ), condition=ones) for v in crops
        ]
        part = int(torch.randint(self.num_parts, ())) + 1
        return asked + [
            Request(
                view,
                'student', ('image', 'final'),
                blank=partial(self._blank, index, len(crops), part),
                condition=coins) for index, view in enumerate(crops)
        ]

    @staticmethod
    def _global_crops(views: Views) -> List[str]:
        """Crops that are labelled."""
        return views.of_kinds('anchor', 'scale')

    def _blank(self, index: int, crops: int, part: int,
               given: List[Tokens]) -> Tensor:
        """Cells ``(B, L)`` of one part in a crop, none of pictures that do
        not count, on the grid of the encoder's masks."""
        tokens = given[-crops:]  # the last ones the expert was asked for
        if self._labels is None:
            self._labels = part_labels(
                torch.cat([t.final for t in tokens]), tokens[0].final_grid
                or tokens[0].grid, self.num_parts, self.exact)
        labels, kept = (t.chunk(crops)[index] for t in self._labels)
        there = (labels == part) & kept[:, None]
        coarse, fine = (tokens[0].final_grid or tokens[0].grid), tokens[0].grid
        if coarse == fine:
            return there
        cells = there.float().unflatten(1, coarse)[:, None]
        return F.interpolate(cells, fine).flatten(1) > 0

    def loss(self, answers: List[Answer], views: Views,
             averages: Dict[str, nn.Module]) -> Dict[str, Tensor]:
        """Match global and local crops, and classify the cells.

        Args:
            answers (list[Answer]): To :meth:`requests`.
            views (Views): The batch.
            averages (dict[str, nn.Module]): Of :meth:`averaged`.

        Returns:
            dict[str, Tensor]: What :class:`DINOHead` returns,
            ``loss_semantic`` and, detached, ``health/labelled``: share of the
            crops whose cells have labels.
        """
        crops = len(self._global_crops(views))
        labels, kept = self._labels
        blanked = answers[-crops:]
        matched = answers[:-2 * crops]
        whole = [
            a for a in matched if a.request.role == ROLES[0]
            and a.request.view in [b.request.view for b in blanked]
        ]
        losses = super().loss(matched, views, averages)
        tokens = torch.cat([a.tokens.final for a in whole + blanked])
        loss = self.classify(tokens, labels.repeat(2, 1), kept.repeat(2),
                             self._lambda.repeat(2 * crops))
        return losses | {
            'loss_semantic': self.semantic_weight * loss,
            'health/labelled': kept.float().mean()
        }

    def classify(self, tokens: Tensor, labels: Tensor, kept: Tensor,
                 weights: Tensor) -> Tensor:
        """Cross-entropy of the cells' labels, weighted by picture.

        Args:
            tokens (Tensor): ``(N, L, D)``.
            labels (Tensor): ``(N, L)`` int64.
            kept (Tensor): ``(N, )`` bool, pictures that count.
            weights (Tensor): ``(N, )``, lambda.

        Returns:
            Tensor: Scalar float32, the mean over the cells of all pictures
            that count, 0 with a zero gradient where none does.

        Raises:
            ValueError: If there are more or fewer labels than tokens.
        """
        if labels.shape != tokens.shape[:2]:
            raise ValueError(
                f'{labels.shape[1]} labels for {tokens.shape[1]} tokens a '
                'picture: SOLIDER needs an expert that follows the encoder '
                '(EmaExpert)')
        weights = weights * kept
        # what has no weight costs nothing but its place in the mean
        index = weights.nonzero()[:, 0]
        if not len(index):  # a graph all the same: DDP waits for gradients
            index = index.new_zeros(1)
        logits = self.part_classifier(tokens[index].flatten(0, 1))
        errors = F.cross_entropy(
            logits.float(), labels[index].flatten(), reduction='none')
        errors = errors.unflatten(0, labels[index].shape).mean(1)
        return (errors * weights[index]).sum() / kept.sum().clamp(min=1)
