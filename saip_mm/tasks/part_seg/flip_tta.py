from typing import List, Sequence, Tuple

import torch
from mmengine.structures import PixelData
from mmseg.models import SegTTAModel
from mmseg.registry import MODELS
from torch import Tensor

from .lip import FLIP_PAIRS


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
        flip_pairs (Sequence[tuple[int, int]]): Classes that a mirror
            exchanges. Defaults to LIP's arms, legs and shoes.
        **kwargs: Arguments of ``SegTTAModel``.
    """

    def __init__(self,
                 *args,
                 flip_pairs: Sequence[Tuple[int, int]] = FLIP_PAIRS,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.flip_pairs = [tuple(pair) for pair in flip_pairs]

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
            mean = torch.stack([self._probabilities(v)
                                for v in versions]).mean(0)
            sample = versions[0]
            sample.seg_logits = PixelData(data=mean)
            sample.pred_sem_seg = PixelData(data=mean.argmax(0, keepdim=True))
            merged.append(sample)
        return merged

    def _probabilities(self, sample) -> Tensor:
        scores = sample.seg_logits.data.softmax(0)
        mirrored = sample.metainfo.get('flip') and sample.metainfo.get(
            'flip_direction') == 'horizontal'
        return swap_channels(scores, self.flip_pairs) if mirrored else scores
