"""Identity loss behind a BatchNorm, triplet loss before it."""
from typing import List, Optional, Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmpretrain.evaluation.metrics import Accuracy
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample


@MODELS.register_module()
class BNNeckHead(BaseModule):
    """The head of person search, of one or several features a picture.

    Each feature ``f`` has a BatchNorm, without bias, and a linear classifier
    of the training persons behind it. Training: cross-entropy of the
    classifier, triplet loss of ``f``. Search: ``f``, of norm 1.

    Of several features the first is the whole picture's and counts as much
    as the others, those of parts, together; a search puts them side by side,
    those of parts divided by their number.

    Args:
        num_classes (int): Persons to train with.
        in_channels (int): D, width of a feature.
        branches (int): Number of features. Defaults to 1.
        loss_id (dict): Loss of the classifier. Defaults to cross-entropy.
        loss_triplet (dict): Defaults to the soft batch-hard one.
        neck_feat (str): What is searched by: 'before' the BatchNorm, or
            'after'. Defaults to 'before'.
        init_cfg (dict, optional): Initialization config.

    Raises:
        ValueError: If ``neck_feat`` is unknown.

    Source:
        Luo et al., Bag of Tricks and a Strong Baseline for Deep Person
        Re-identification, 2019; weights of the losses as in TransReID.
    """

    def __init__(self,
                 num_classes: int,
                 in_channels: int,
                 branches: int = 1,
                 loss_id: dict = dict(type='CrossEntropyLoss'),
                 loss_triplet: dict = dict(type='BatchHardTripletLoss'),
                 neck_feat: str = 'before',
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        if neck_feat not in ('before', 'after'):
            raise ValueError("neck_feat must be 'before' or 'after' the "
                             f'BatchNorm, got {neck_feat!r}')
        self.num_classes = num_classes
        self.neck_feat = neck_feat
        self.norms = nn.ModuleList(
            nn.BatchNorm1d(in_channels) for _ in range(branches))
        self.classifiers = nn.ModuleList(
            nn.Linear(in_channels, num_classes, bias=False)
            for _ in range(branches))
        self.loss_id = MODELS.build(loss_id)
        self.loss_triplet = MODELS.build(loss_triplet)
        for norm, classifier in zip(self.norms, self.classifiers):
            norm.bias.requires_grad_(False)  # stays 0
            nn.init.normal_(classifier.weight, std=0.001)

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """Vectors to search by.

        Args:
            feats (Sequence[Tensor]): ``(B, D)`` of each branch.

        Returns:
            Tensor: ``(B, branches * D)`` float32, of norm 1.
        """
        if self.neck_feat == 'after':
            feats = [norm(f) for norm, f in zip(self.norms, feats)]
        whole, *parts = feats
        vector = torch.cat([whole, *(f / len(parts) for f in parts)], 1)
        return F.normalize(vector.float())

    def loss(self, feats: Sequence[Tensor],
             data_samples: List[DataSample]) -> dict:
        """Losses and accuracy.

        Args:
            feats (Sequence[Tensor]): ``(B, D)`` of each branch.
            data_samples (list[DataSample]): With ``gt_label``, 0 to
                ``num_classes - 1``.

        Returns:
            dict[str, Tensor]: ``loss_id``, ``loss_tri``, and ``acc``, per
            cent of the whole picture's feature put to the right person.
        """
        labels = torch.cat([sample.gt_label for sample in data_samples])
        scores = [
            classifier(norm(f))
            for f, norm, classifier in zip(feats, self.norms, self.classifiers)
        ]
        accuracy = Accuracy.calculate(scores[0].detach(), labels, topk=(1, ))
        return dict(
            loss_id=_half_each([self.loss_id(s, labels) for s in scores]),
            loss_tri=_half_each([self.loss_triplet(f, labels) for f in feats]),
            acc=accuracy[0][0])

    def predict(
            self,
            feats: Sequence[Tensor],
            data_samples: Optional[List[DataSample]] = None
    ) -> List[DataSample]:
        """Samples with their ``feature`` ``(branches * D, )``."""
        vectors = self(feats)
        if data_samples is None:
            data_samples = [DataSample() for _ in vectors]
        for sample, vector in zip(data_samples, vectors):
            sample.set_field(vector, 'feature')
        return data_samples


def _half_each(losses: List[Tensor]) -> Tensor:
    """The whole's as much as the mean of the parts'."""
    whole, *parts = losses
    return (whole + sum(parts) / len(parts)) / 2 if parts else whole
