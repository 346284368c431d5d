from typing import List, Mapping, Optional, Sequence, Tuple

import torch
from mmengine.structures import PixelData
from mmseg.models import SegTTAModel
from mmseg.registry import MODELS
from torch import Tensor

from .label_set import named
from .lip import FLIP_PAIRS
from .load_labels import NUM_CLASSES


def swap_channels(scores: Tensor, pairs: Sequence[Tuple[int, int]]) -> Tensor:
    """Exchange the channels of left and right.

    Args:
        scores (Tensor): ``(K, ...)``, one channel a class.
        pairs (Sequence[tuple[int, int]]): Classes to exchange.

    Returns:
        Tensor: A copy.

    Example:
        >>> swap_channels(torch.tensor([1, 2, 3]), [(0, 2)])
        tensor([3, 2, 1])
    """
    order = list(range(len(scores)))
    for left, right in pairs:
        order[left], order[right] = right, left
    return scores[order]


@MODELS.register_module()
class PartFlipTTA(SegTTAModel):
    """Averages picture and mirror image, left and right exchanged back.

    mmseg mirrors the mirror's scores back in space; a mirrored left arm is
    still called a right arm, so its parent averages arms with the other arm.

    Args:
        flip_pairs (Sequence[tuple[int, int]], optional): Classes that a
            mirror exchanges. Defaults to None: those of the data set, which
            ``ClassCountHook`` hands over.
        **kwargs: Arguments of ``SegTTAModel``.
    """

    def __init__(self,
                 *args,
                 flip_pairs: Optional[Sequence[Tuple[int, int]]] = None,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.flip_pairs = (None if flip_pairs is None else
                           [tuple(pair) for pair in flip_pairs])

    def use_pairs_of(self, metainfo: Mapping) -> None:
        """Take the pairs of a data set.

        Args:
            metainfo (Mapping): Its ``flip_pairs``, if any, and ``classes``.

        Raises:
            ValueError: If this model was told other pairs.
        """
        pairs = metainfo.get('flip_pairs')
        if pairs is None:
            return
        own = self.flip_pairs
        if own is not None and {frozenset(p) for p in own} != {
                frozenset(p) for p in pairs}:  # yapf: disable
            raise ValueError(
                f'tta_model.flip_pairs is {own}, but metainfo.flip_pairs of '
                f'the test data {named(pairs, metainfo["classes"])}: leave '
                'tta_model.flip_pairs out')
        self.flip_pairs = [tuple(pair) for pair in pairs]

    def merge_preds(self, data_samples_list: List[Sequence]) -> list:
        """Average the probabilities of each picture's versions.

        Args:
            data_samples_list (list): By picture, its versions' samples with
                ``seg_logits`` ``(K, H, W)`` at the picture's own size.

        Returns:
            list[SegDataSample]: One a picture.
        """
        merged = []
        for versions in data_samples_list:
            mean = torch.stack([self._unmirrored(v) for v in versions]).mean(0)
            sample = versions[0]
            sample.seg_logits = PixelData(data=mean)
            sample.pred_sem_seg = PixelData(data=self.decide(mean, sample))
            merged.append(sample)
        return merged

    def scores(self, logits: Tensor) -> Tensor:
        """What is averaged, of logits ``(K, H, W)``: probabilities."""
        return logits.softmax(0)

    def decide(self, scores: Tensor, sample) -> Tensor:
        """Classes ``(1, H, W)`` of the averaged scores ``(K, H, W)``."""
        return scores.argmax(0, keepdim=True)

    def _unmirrored(self, sample) -> Tensor:
        scores = self.scores(sample.seg_logits.data)
        mirrored = sample.metainfo.get('flip') and sample.metainfo.get(
            'flip_direction') == 'horizontal'
        return swap_channels(scores, self._pairs(
            len(scores))) if mirrored else scores

    def _pairs(self, num_classes: int) -> Sequence[Tuple[int, int]]:
        if self.flip_pairs is not None:
            return self.flip_pairs
        if num_classes == NUM_CLASSES:
            return FLIP_PAIRS
        raise ValueError(
            f'which of {num_classes} classes a mirror exchanges nobody said: '
            'add dict(type=\'ClassCountHook\') to custom_hooks, which asks '
            'the data set, or set tta_model.flip_pairs, [] for none')
