from typing import Tuple

from mmdet.models.roi_heads.bbox_heads import MultiInstanceBBoxHead
from mmdet.registry import MODELS
from mmengine.structures import InstanceData
from torch import Tensor


@MODELS.register_module()
class PairBBoxHead(MultiInstanceBBoxHead):
    """mmdet's CrowdDet head, whose predictions others can use.

    The parent's labels are floats, at which visualizers stop; its boxes
    become float64; and of more than ``max_per_img`` boxes it keeps those
    which happen to come first, not the best. Losses are the parent's, for one
    category alone.

    Args:
        num_classes (int): 1. Defaults to 1.
        **kwargs: Arguments of ``mmdet.MultiInstanceBBoxHead``.

    Raises:
        ValueError: For more than one category.
    """

    def __init__(self, num_classes: int = 1, **kwargs) -> None:
        if num_classes != 1:
            raise ValueError(
                f'num_classes={num_classes}: CrowdDet finds one category '
                'alone; for several inherit a config of Faster R-CNN, '
                'starnet_s3.py say instead of starnet_s3_crowddet.py')
        super().__init__(num_classes=num_classes, **kwargs)

    @staticmethod
    def set_nms(bboxes: Tensor,
                scores: Tensor,
                score_thr: float,
                iou_threshold: float,
                max_num: int = -1) -> Tuple[Tensor, Tensor]:
        """Suppress neighbours, but never the other box of a proposal.

        Args:
            bboxes (Tensor): ``(n, 5)`` x1, y1, x2, y2 and the proposal's
                number.
            scores (Tensor): ``(n, )``.
            score_thr (float): Boxes of no higher score are left out.
            iou_threshold (float): Overlap of neighbours.
            max_num (int): Boxes to keep, the best; negative keeps all.
                Defaults to -1.

        Returns:
            tuple[Tensor, Tensor]: ``(k, 5)`` and ``(k, )``, best first.
        """
        kept, kept_scores = MultiInstanceBBoxHead.set_nms(
            bboxes, scores, score_thr, iou_threshold, len(bboxes))
        order = kept_scores.argsort(descending=True, stable=True)
        order = order[:max_num] if max_num >= 0 else order
        return kept[order], kept_scores[order]

    def _predict_by_feat_single(self, roi: Tensor, cls_score: Tensor, *args,
                                **kwargs) -> InstanceData:
        results = super()._predict_by_feat_single(roi, cls_score, *args,
                                                  **kwargs)
        results.bboxes = results.bboxes.to(roi.dtype)
        if 'labels' in results:
            results.labels = results.labels.long()
        return results
