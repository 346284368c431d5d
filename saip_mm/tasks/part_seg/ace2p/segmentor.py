from typing import Dict, List, Optional, Tuple

import torch
from mmengine.structures import PixelData
from mmseg.models import EncoderDecoder
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from mmseg.utils import add_prefix
from torch import Tensor

from .affine import bring_back


@MODELS.register_module()
class ACE2P(EncoderDecoder):
    """``EncoderDecoder`` that learns from refined labels, and undoes a fit.

    - In training it asks an average of earlier weights, if it is given one
      (:meth:`learn_from`), what it says of the same pictures.
    - Pictures that ``WholePictureAffine`` fitted into a crop are decided in
      the crop's pixels; the classes, not the logits, go back to the
      picture's.

    Args:
        **kwargs: Arguments of ``EncoderDecoder``; ``decode_head`` is an
            ``ACE2PHead``.
    """

    # a tuple, for torch not to take the average for a part of this model,
    # which would be trained, saved and averaged in turn
    _average: Tuple = ()

    def learn_from(self, average: Optional['ACE2P'], count: int) -> None:
        """Refine the labels of each batch from now on.

        Args:
            average (ACE2P, optional): Asked without gradients, in eval mode.
                None for the labels as they are.
            count (int): How many weights were averaged.
        """
        self._average = () if average is None else (average, count)

    def loss(self, inputs: Tensor, data_samples: List) -> Dict[str, Tensor]:
        """Losses of normalised pictures ``(B, 3, H, W)``."""
        refining = {}
        if self._average:
            average, count = self._average
            with torch.no_grad():
                said = average.decode_head.forward_branches(
                    average.extract_feat(inputs))
            refining = dict(average=said, count=count)
        maps = self.extract_feat(inputs)
        losses = add_prefix(
            self.decode_head.loss(maps, data_samples, self.train_cfg,
                                  **refining), 'decode')
        if self.with_auxiliary_head:
            losses.update(
                self._auxiliary_head_forward_train(maps, data_samples))
        return losses

    def postprocess_result(self,
                           seg_logits: Tensor,
                           data_samples: Optional[List] = None) -> List:
        """Decide, and bring the classes back to the pictures.

        Args:
            seg_logits (Tensor): ``(B, K, H, W)`` in the size of the inputs.
            data_samples (list, optional): Of the pictures.

        Returns:
            list[SegDataSample]: ``pred_sem_seg`` at the picture's own size.
            ``seg_logits`` of a picture that was fitted into a crop are at
            the crop's, those of a mirror image mirrored back in space.
        """
        fitted = data_samples is not None and all('crop_matrix' in sample
                                                  for sample in data_samples)
        if not fitted:
            return super().postprocess_result(seg_logits, data_samples)
        for logits, sample in zip(seg_logits, data_samples):
            logits = _in_crop(logits, sample)
            sample.seg_logits = PixelData(data=logits)
            sample.pred_sem_seg = PixelData(data=decide(logits, sample))
        return data_samples


def decide(logits: Tensor, sample) -> Tensor:
    """Classes ``(1, H, W)`` of logits or scores ``(K, h, w)``.

    Args:
        logits (Tensor): In the pixels of the sample's crop, if it was
            fitted into one, else in the picture's.
        sample (SegDataSample): Its ``crop_matrix`` brings them back.
    """
    parts = logits.argmax(0, keepdim=True)
    if 'crop_matrix' not in sample:
        return parts
    return bring_back(parts, sample.crop_matrix, sample.ori_shape[:2])


def _in_crop(logits: Tensor, sample) -> Tensor:
    """``(K, h, w)`` of a version of a crop in the crop's own pixels."""
    if sample.get('flip'):
        axis = dict(horizontal=2, vertical=1)[sample.flip_direction]
        logits = logits.flip(axis)
    return resize(
        logits[None],
        size=sample.crop_shape,
        mode='bilinear',
        align_corners=False)[0]
