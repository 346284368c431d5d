from typing import Optional

import torch
from mmdet.models.task_modules.assigners import (AssignResult,
                                                 MultiInstanceAssigner)
from mmdet.registry import TASK_UTILS
from mmengine.structures import InstanceData


@TASK_UTILS.register_module()
class FewBoxesAssigner(MultiInstanceAssigner):
    """mmdet's ``MultiInstanceAssigner``, right for fewer boxes than instances.

    CrowdDet gives each proposal its ``num_instance`` best boxes. With fewer
    boxes in the picture (persons and ignored regions together) the parent
    reshapes what is not there: an error, or, if the numbers happen to
    divide, wrong assignments without a word. Here empty ignored boxes fill
    up; what is assigned to them is background.
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
            ``gt_inds`` and ``labels`` ``(n + k + m, num_instance)``.
        """
        ignored = gt_instances.bboxes.new_zeros(0, 4)
        if gt_instances_ignore is not None:
            ignored = gt_instances_ignore.bboxes
        boxes = len(gt_instances.bboxes) + len(ignored)
        lacking = self.num_instance - boxes
        if lacking <= 0:
            return super().assign(pred_instances, gt_instances,
                                  gt_instances_ignore, **kwargs)
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
