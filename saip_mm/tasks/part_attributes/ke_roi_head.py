from typing import List, Optional

import torch
from mmdet.models.layers import multiclass_nms
from mmdet.models.roi_heads import StandardRoIHead
from mmdet.models.utils import unpack_gt_instances
from mmdet.registry import MODELS
from mmdet.structures.bbox import bbox2roi
from mmengine.structures import InstanceData
from torch import Tensor

from .annotations import MARGIN
from .ke_head import Garments

FALLBACKS = ('none', 'union', 'image')


@MODELS.register_module()
class KERoIHead(StandardRoIHead):
    """mmdet's ``StandardRoIHead`` that also tells attributes of garments.

    The last of the box head's categories is ``human``, who wears everything
    in the picture: found like any other, and left out of the results.

    Objects are cut out as the box head gets them, the human as the mask head
    does: 7x7 and 14x14 in Mask R-CNN.

    Args:
        attribute_head (dict): :class:`KEHead`.
        max_objects (int): Positive samples of a picture that attributes are
            learnt from, the first: labelled boxes, then proposals. Defaults
            to 32.
        attribute_thr (float): Attributes of a higher probability are
            reported. Defaults to 0.3.
        human_fallback (str): Who wears the garments where no human was
            found: 'none', then they have no attributes (KE-RCNN's); 'union',
            a box around all of them, 10 pixels wider; 'image', the whole
            picture. Defaults to 'none'.
        **kwargs: Arguments of ``mmdet.StandardRoIHead``; a mask head is
            needed.

    Raises:
        ValueError: If ``human_fallback`` is unknown, or there is no mask
            head.

    Source:
        KE-RCNN's code.
    """

    def __init__(self,
                 attribute_head: dict,
                 max_objects: int = 32,
                 attribute_thr: float = 0.3,
                 human_fallback: str = 'none',
                 **kwargs) -> None:
        super().__init__(**kwargs)
        if human_fallback not in FALLBACKS:
            raise ValueError(f'human_fallback must be one of {FALLBACKS}, got '
                             f'{human_fallback!r}')
        if not self.with_mask:
            raise ValueError('KERoIHead needs a mask_head')
        self.attribute_head = MODELS.build(attribute_head)
        self.max_objects = max_objects
        self.attribute_thr = attribute_thr
        self.human_fallback = human_fallback

    @property
    def human(self) -> int:
        """Label of the category human."""
        return self.bbox_head.num_classes - 1

    # training

    def loss(self, x, rpn_results_list, batch_data_samples) -> dict:
        """Losses of boxes, masks and attributes.

        Args:
            x (tuple[Tensor]): Maps of all levels.
            rpn_results_list (list[InstanceData]): Proposals.
            batch_data_samples (list[DetDataSample]): ``gt_instances`` with
                ``bboxes``, ``labels``, ``masks``, ``attributes``, the human
                last.

        Returns:
            dict[str, Tensor]: The parent's, and ``loss_attribute``.

        Raises:
            ValueError: If a picture has no human as its last object, or no
                attributes.
        """
        for sample in batch_data_samples:
            self._check(sample)
        labelled, ignored, _ = unpack_gt_instances(batch_data_samples)
        samples = [
            self._sample(*parts)
            for parts in zip(rpn_results_list, labelled, ignored)
        ]
        boxes = self.bbox_loss(x, samples)
        masks = self.mask_loss(x, samples, boxes['bbox_feats'], labelled)
        losses = dict(boxes['loss_bbox'], **masks['loss_mask'])
        losses.update(
            self.attribute_loss(x, samples, boxes['cls_score'], labelled))
        return losses

    def _check(self, sample) -> None:
        objects = sample.gt_instances
        if 'attributes' not in objects:
            raise ValueError(
                f'picture {sample.metainfo.get("img_id")}: its objects have '
                'no attributes: use LoadFashionAnnotations, '
                'FilterFashionAnnotations and PackFashionInputs')
        if not len(objects) or objects.labels[-1] != self.human:
            raise ValueError(
                f'picture {sample.metainfo.get("img_id")}: the last object '
                "must be 'human': use LoadFashionAnnotations, and "
                'filter_cfg=dict(filter_empty_gt=True)')

    def _sample(self, proposals: InstanceData, labelled: InstanceData,
                ignored: Optional[InstanceData]):
        """Who learns what; see the parent."""
        proposals.priors = proposals.pop('bboxes')
        assigned = self.bbox_assigner.assign(proposals, labelled, ignored)
        return self.bbox_sampler.sample(assigned, proposals, labelled)

    def attribute_loss(self, x, samples: list, scores: Tensor,
                       labelled: List[InstanceData]) -> dict:
        """Loss of the attributes of each picture's first positive samples.

        Args:
            x (tuple[Tensor]): Maps of all levels.
            samples (list[SamplingResult]): Of each picture.
            scores (Tensor): ``(n, classes)`` logits of all samples: of each
                picture the positive ones, then the others.
            labelled (list[InstanceData]): The pictures' objects.

        Returns:
            dict[str, Tensor]: ``loss_attribute``.
        """
        rows, boxes, labels, attributes, start = [], [], [], [], 0
        for sample, objects in zip(samples, labelled):
            kept = sample.pos_gt_labels[:self.max_objects] != self.human
            kept = kept.nonzero().flatten()
            rows.append(start + kept)
            boxes.append(sample.pos_priors[kept])
            labels.append(sample.pos_gt_labels[kept])
            attributes.append(
                objects.attributes[sample.pos_assigned_gt_inds[kept]])
            start += len(sample.priors)
        if not sum(map(len, boxes)):
            return self.attribute_head.no_loss()
        humans = torch.cat([objects.bboxes[-1:] for objects in labelled])
        logits = self._ask(x, boxes,
                           humans.split(1), scores[torch.cat(rows)].softmax(1),
                           torch.cat(labels))
        return self.attribute_head.loss(logits, torch.cat(attributes))

    # testing

    def predict(self,
                x,
                rpn_results_list,
                batch_data_samples,
                rescale: bool = False) -> List[InstanceData]:
        """Find garments, their masks and attributes.

        Args:
            x (tuple[Tensor]): Maps of all levels.
            rpn_results_list (list[InstanceData]): Proposals.
            batch_data_samples (list[DetDataSample]): Of the pictures.
            rescale (bool): Whether boxes and masks are in pixels of the
                original picture. Defaults to False.

        Returns:
            list[InstanceData]: Of each picture ``bboxes`` ``(n, 4)``,
            ``scores``, ``labels``, ``masks`` ``(n, H, W)`` bool,
            ``attributes`` ``(n, A)`` bool and ``attribute_scores``, best
            first; without humans.
        """
        metas = [sample.metainfo for sample in batch_data_samples]
        found = self.predict_bbox(x, metas, rpn_results_list, self.test_cfg)
        found = self.predict_attributes(x, metas, found)
        return self.predict_mask(x, metas, found, rescale=rescale)

    def predict_bbox(self,
                     x,
                     batch_img_metas,
                     rpn_results_list,
                     rcnn_test_cfg,
                     rescale: bool = False) -> List[InstanceData]:
        """The parent's boxes, and whose class scores they came with.

        Returns:
            list[InstanceData]: ``bboxes``, ``scores``, ``labels``, and
            ``class_scores`` ``(n, classes)``, the probabilities of the
            proposal.
        """
        raw = super().predict_bbox(
            x, batch_img_metas, rpn_results_list, None, rescale=rescale)
        results = []
        for one in raw:
            boxes, labels, places = multiclass_nms(
                one.bboxes,
                one.scores,
                rcnn_test_cfg.score_thr,
                rcnn_test_cfg.nms,
                rcnn_test_cfg.max_per_img,
                return_inds=True)
            proposals = places // self.bbox_head.num_classes
            results.append(
                InstanceData(
                    bboxes=boxes[:, :4],
                    scores=boxes[:, 4],
                    labels=labels,
                    class_scores=one.scores[proposals]))
        return results

    def predict_attributes(self, x, metas: List[dict],
                           found: List[InstanceData]) -> List[InstanceData]:
        """Tell the attributes of what was found; leave humans out.

        Args:
            x (tuple[Tensor]): Maps of all levels.
            metas (list[dict]): ``img_shape`` and ``scale_factor`` of the
                pictures.
            found (list[InstanceData]): Of :meth:`predict_bbox`, in pixels of
                the network's input.

        Returns:
            list[InstanceData]: With ``attributes`` and ``attribute_scores``
            in place of ``class_scores``.
        """
        humans = [
            self._human_box(one, meta) for one, meta in zip(found, metas)
        ]
        garments = [one[one.labels != self.human] for one in found]
        worn = [
            one.bboxes if human is not None else one.bboxes[:0]
            for one, human in zip(garments, humans)
        ]
        asked = [one for one, boxes in zip(garments, worn) if len(boxes)]
        scores = found[0].scores.new_zeros(0,
                                           self.attribute_head.num_attributes)
        if asked:
            scores = self._ask(x, worn, humans,
                               torch.cat([o.class_scores for o in asked]),
                               torch.cat([o.labels
                                          for o in asked])).sigmoid().float()
        scores = scores.split([len(boxes) for boxes in worn])
        for one, own in zip(garments, scores):
            if len(own) < len(one):  # nobody to wear them
                own = own.new_zeros(len(one), own.shape[1])
            one.pop('class_scores')
            one.attributes = own > self.attribute_thr
            one.attribute_scores = own
        return garments

    def _human_box(self, found: InstanceData, meta: dict) -> Optional[Tensor]:
        """``(1, 4)``, None if nobody is there."""
        humans = found[found.labels == self.human]
        if len(humans):
            return humans.bboxes[humans.scores.argmax()][None]
        height, width = meta['img_shape'][:2]
        if self.human_fallback == 'none' or not len(found):
            return None
        if self.human_fallback == 'image':
            return found.bboxes.new_tensor([[0, 0, width, height]])
        margin = MARGIN * found.bboxes.new_tensor(
            meta.get('scale_factor', (1, 1)))
        near = (found.bboxes[:, :2].amin(0) - margin).clamp(min=0)
        far = found.bboxes[:, 2:].amax(0) + margin
        far = torch.minimum(far, far.new_tensor([width, height]))
        return torch.cat([near, far])[None]

    def _ask(self, x, boxes: List[Tensor], humans: List[Optional[Tensor]],
             scores: Tensor, labels: Tensor) -> Tensor:
        """Attributes of objects of several pictures.

        Args:
            x (tuple[Tensor]): Maps of all levels.
            boxes (list[Tensor]): ``(n, 4)`` of each picture.
            humans (list[Tensor]): ``(1, 4)`` of each picture; not looked at
                where there are no objects.
            scores (Tensor): ``(N, classes)`` probabilities of all objects.
            labels (Tensor): ``(N, )``.

        Returns:
            Tensor: ``(N, A)`` logits of attributes.
        """
        rois = bbox2roi(boxes)
        pictures, wearer = rois[:, 0].long().unique(return_inverse=True)
        human_boxes = torch.cat([humans[i] for i in pictures.tolist()])
        human_rois = torch.cat([pictures[:, None].to(rois), human_boxes], 1)
        cut, cut_human = self.bbox_roi_extractor, self.mask_roi_extractor
        garments = Garments(
            features=cut(x[:cut.num_inputs], rois),
            humans=cut_human(x[:cut_human.num_inputs], human_rois),
            wearer=wearer,
            boxes=rois[:, 1:],
            human_boxes=human_boxes,
            scores=scores,
            labels=labels)
        return self.attribute_head(garments, self.bbox_head.fc_cls.weight)
