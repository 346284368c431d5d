from typing import List, Tuple

import torch
from mmdet.models.roi_heads import StandardRoIHead
from mmdet.registry import MODELS
from mmdet.structures.bbox import bbox2roi
from torch import Tensor

from .person_crops import crop_targets, paste_parts


@MODELS.register_module()
class ParsingRoIHead(StandardRoIHead):
    """Boxes of persons, and the parts in each.

    In training the parsing head (``mask_head``) learns from some of the
    sampled positive boxes, the annotated ones among them; in tests it is
    given the boxes found. The map of the parts is ``gt_sem_seg`` of the data
    sample, see ``LoadParsing``.

    Predictions have ``parsings``, a list of ``(x0, y0, crop)``: column and
    row in the picture of the first pixel of ``crop``, ``(h, w)`` uint8 parts
    (``np.ndarray``). Maps of a hundred persons in the picture's size would be
    hundreds of megabytes.

    Args:
        train_rois (int): Boxes a picture to learn from, at most. Defaults to
            16.
        test_rois (int): Boxes at a time in tests, which bounds the memory.
            Defaults to 16.
        **kwargs: Arguments of ``mmdet.StandardRoIHead``;
            ``mask_roi_extractor`` and ``mask_head`` are those of the parts.

    Raises:
        ValueError: If extractor and head disagree in the features' size.
    """

    def __init__(self,
                 *args,
                 train_rois: int = 16,
                 test_rois: int = 16,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.train_rois, self.test_rois = train_rois, test_rois

    def init_mask_head(self, mask_roi_extractor: dict,
                       mask_head: dict) -> None:
        """Build the parsing branch; see the parent."""
        super().init_mask_head(mask_roi_extractor, mask_head)
        side = self.mask_head.roi_feat_size
        given = self.mask_roi_extractor.roi_layers[0].output_size
        if set(given) != {side}:
            raise ValueError(
                f'mask_roi_extractor.roi_layer.output_size is {given[0]} and '
                f'mask_head.roi_feat_size {side}: set both')

    def loss(self, x: Tuple[Tensor], rpn_results_list: list,
             batch_data_samples: list) -> dict:
        """Losses of boxes and parts; see the parent.

        Raises:
            ValueError: If a picture comes without the map of its persons.
        """
        for sample in batch_data_samples:
            persons = sample.gt_instances
            if 'gt_sem_seg' not in sample or 'human_ids' not in persons:
                raise ValueError(
                    f'{sample.metainfo.get("img_path")} comes without '
                    'gt_sem_seg and human_ids: load it by LoadParsing and '
                    'pack it by PackParsingInputs')
            # one map for all, which the parent hands to mask_loss
            persons.joined = [sample.gt_sem_seg.sem_seg[0]] * len(persons)
        return super().loss(x, rpn_results_list, batch_data_samples)

    def mask_loss(self, x: Tuple[Tensor], sampling_results: list,
                  bbox_feats: Tensor, batch_gt_instances: list) -> dict:
        """Loss of the parts.

        Args:
            x (tuple[Tensor]): Feature maps.
            sampling_results (list[SamplingResult]): Of each picture.
            bbox_feats (Tensor): Not used.
            batch_gt_instances (list[InstanceData]): With ``human_ids`` and
                ``joined``, the map of the picture for each of its persons.

        Returns:
            dict: ``loss_mask``, a dict of ``loss_parsing``.
        """
        boxes, targets = zip(*(
            self._targets(result, persons)
            for result, persons in zip(sampling_results, batch_gt_instances)))
        targets = torch.cat(targets)
        if not len(targets):
            return dict(loss_mask=self.mask_head.no_loss())
        results = self._mask_forward(x, bbox2roi(boxes))
        loss = self.mask_head.loss(results['mask_preds'], targets)
        return dict(results, mask_targets=targets, loss_mask=loss)

    def _targets(self, result, persons) -> Tuple[Tensor, Tensor]:
        """Some of the positive boxes of a picture, and their parts."""
        boxes, owners = result.pos_priors, result.pos_assigned_gt_inds
        side = self.mask_head.out_size
        if not len(boxes):
            empty = boxes.new_zeros((0, side, side), dtype=torch.long)
            return boxes, empty
        chosen = torch.randperm(len(boxes))[:self.train_rois].to(boxes.device)
        boxes, owners = boxes[chosen], owners[chosen]
        targets, kept = crop_targets(persons.joined[0], boxes,
                                     persons.human_ids[owners], side,
                                     self.mask_head.num_parts)
        return boxes[kept.to(boxes.device)], targets

    def predict_mask(self,
                     x: Tuple[Tensor],
                     batch_img_metas: List[dict],
                     results_list: list,
                     rescale: bool = False) -> list:
        """Find the parts of the persons found.

        Args:
            x (tuple[Tensor]): Feature maps.
            batch_img_metas (list[dict]): ``ori_shape``, ``img_shape``,
                ``scale_factor``.
            results_list (list[InstanceData]): By picture, with ``bboxes`` at
                the network's scale.
            rescale (bool): Whether boxes and parts are to be at the
                picture's own size. Defaults to False.

        Returns:
            list[InstanceData]: The same, with ``bboxes`` at that size and
            ``parsings``.
        """
        pairs = zip(batch_img_metas, results_list)
        for number, (meta, persons) in enumerate(pairs):
            place = persons.bboxes.new_full((len(persons), 1), number)
            rois = torch.cat([place, persons.bboxes], 1)
            size = meta['img_shape'][:2]
            if rescale:
                size = meta['ori_shape'][:2]
                factor = persons.bboxes.new_tensor(meta['scale_factor'])
                persons.bboxes = persons.bboxes / factor.repeat(2)
            persons.parsings = self._parse(x, rois, persons.bboxes, size)
        return results_list

    def _parse(self, x: Tuple[Tensor], rois: Tensor, boxes: Tensor,
               size: Tuple[int, int]) -> list:
        parsings, boxes = [], boxes.tolist()
        for some in rois.split(self.test_rois):
            if not len(some):  # split gives an empty one of none
                break
            logits = self._mask_forward(x, some)['mask_preds']
            for maps in logits.float().softmax(1):
                box = boxes[len(parsings)]
                parsings.append(paste_parts(maps, box, *size))
        return parsings
