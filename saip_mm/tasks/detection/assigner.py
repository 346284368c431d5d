"""Who learns which person, and what learns nothing: CrowdDet's order.

Persons are matched first; what lies in an ignored region is left out only if
it matches nobody. mmdet's ``MaxIoUAssigner`` does the reverse: it voids every
prior in an ignored region, those of true persons too.
"""
from typing import Optional

import torch
from mmdet.models.task_modules.assigners import (AssignResult, MaxIoUAssigner,
                                                 MultiInstanceAssigner)
from mmdet.registry import TASK_UTILS
from mmengine.structures import InstanceData
from torch import Tensor


@TASK_UTILS.register_module()
class PersonFirstAssigner(MaxIoUAssigner):
    """mmdet's ``MaxIoUAssigner``, in which no ignored region hides a person.

    Priors are matched as if nothing was to be ignored. Of those that became
    background, the ones that lie in an ignored region by at least
    ``ignore_iof_thr`` of their own area are left out.

    Args:
        pos_iou_thr (float): See the parent.
        neg_iou_thr (float): Priors that overlap every person by less are
            background. A pair ``(low, high)`` means background in
            ``[low, high)`` to the parent: with ``low`` above 0 what overlaps
            nobody is no background, and nothing teaches the head what is no
            person. It is refused.
        ignore_iof_thr (float): Share of a prior's area. Defaults to 0.5;
            negative ignores nothing.
        **kwargs: Arguments of ``mmdet.MaxIoUAssigner``.

    Raises:
        ValueError: If nothing could become background.

    Source:
        CrowdDet's targets of its second stage. Its RPN ignores nothing: -1.
    """

    def __init__(self,
                 pos_iou_thr: float,
                 neg_iou_thr: float,
                 ignore_iof_thr: float = 0.5,
                 **kwargs) -> None:
        low, high = (
            neg_iou_thr if isinstance(neg_iou_thr, (tuple, list)) else
            (0., neg_iou_thr))
        if not low <= 0 < high:
            raise ValueError(
                f'neg_iou_thr={neg_iou_thr} makes no background of what '
                'overlaps nobody, and nothing would teach what is no person; '
                'for background below an overlap of 0.3, give 0.3')
        super().__init__(
            pos_iou_thr=pos_iou_thr,
            neg_iou_thr=float(high),
            ignore_iof_thr=ignore_iof_thr,
            **kwargs)

    def assign(self,
               pred_instances: InstanceData,
               gt_instances: InstanceData,
               gt_instances_ignore: Optional[InstanceData] = None,
               **kwargs) -> AssignResult:
        """Assign persons to priors.

        Args:
            pred_instances (InstanceData): ``priors`` ``(n, 4)``.
            gt_instances (InstanceData): ``bboxes`` ``(k, 4)`` and ``labels``.
            gt_instances_ignore (InstanceData, optional): ``bboxes``
                ``(m, 4)``.
            **kwargs: Passed on.

        Returns:
            AssignResult: ``gt_inds`` ``(n, )``: number of the person from 1
            on, 0 background, -1 learns nothing.
        """
        result = super().assign(pred_instances, gt_instances, None, **kwargs)
        if gt_instances_ignore is None or self.ignore_iof_thr < 0:
            return result
        covered = self._covered(pred_instances.priors,
                                gt_instances_ignore.bboxes)
        result.gt_inds[(result.gt_inds == 0)
                       & (covered >= self.ignore_iof_thr)] = -1
        return result

    def _covered(self, priors: Tensor, regions: Tensor) -> Tensor:
        """Largest share of each prior in one of the regions, ``(n, )``."""
        if not len(priors) or not len(regions):
            return priors.new_zeros(len(priors))
        share = self.iou_calculator(priors, regions, mode='iof')
        return share.max(1).values


@TASK_UTILS.register_module()
class FewBoxesAssigner(MultiInstanceAssigner):
    """mmdet's ``MultiInstanceAssigner``, right for any number of boxes.

    CrowdDet gives each proposal its ``num_instance`` best boxes: of each of
    them, the person, if it overlaps by ``pos_iou_thr``; else the ignored
    region it lies in, if by more than it overlaps the person.

    - With fewer boxes in the picture (persons and ignored regions together)
      than ``num_instance`` the parent reshapes what is not there: an error,
      or, if the numbers happen to divide, wrong assignments without a word.
      Here empty ignored boxes fill up; what is assigned to them is
      background.
    - The parent knows an ignored region by its label of -1. That of COCO's
      crowds is a category: it would become a person. Here it is -1 always.
    """

    def assign(self,
               pred_instances: InstanceData,
               gt_instances: InstanceData,
               gt_instances_ignore: Optional[InstanceData] = None,
               **kwargs) -> AssignResult:
        """Assign boxes to proposals.

        Args:
            pred_instances (InstanceData): ``priors`` ``(n, 4)``.
            gt_instances (InstanceData): ``bboxes`` ``(k, 4)`` and ``labels``.
            gt_instances_ignore (InstanceData, optional): ``bboxes``
                ``(m, 4)``.
            **kwargs: Passed on.

        Returns:
            AssignResult: For proposals, then boxes, then ignored boxes:
            ``gt_inds`` (from 0 on) and ``labels`` (1 person, 0 background,
            -1 learns nothing) ``(n + k + m, num_instance)``.
        """
        ignored = gt_instances.bboxes.new_zeros(0, 4)
        if gt_instances_ignore is not None:
            ignored = gt_instances_ignore.bboxes
        boxes = len(gt_instances.bboxes) + len(ignored)
        lacking = max(self.num_instance - boxes, 0)
        # without labels: the parent gives them -1
        filled = InstanceData(
            bboxes=torch.cat([ignored, ignored.new_zeros(lacking, 4)]))
        result = super().assign(pred_instances, gt_instances, filled, **kwargs)
        rows = len(pred_instances.priors) + boxes
        # background samples are looked up in the boxes, too: stay among them
        result.gt_inds = result.gt_inds[:rows].clamp(max=max(boxes - 1, 0))
        result.max_overlaps = result.max_overlaps[:rows]
        result.labels = result.labels[:rows]
        result.num_gts = boxes
        return result
