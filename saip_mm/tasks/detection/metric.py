import json
import logging
import tempfile
from typing import Dict, List, Optional, Sequence

import numpy as np
from mmdet.evaluation import CrowdHumanMetric
from mmdet.registry import METRICS
from mmengine.logging import print_log

from .crowd_scores import clip_boxes, crowd_scores, join, match
from .odgt import is_ignored, read_odgt

# an ignored region without area
NOTHING = dict(tag='mask', fbox=[0, 0, 0, 0], hbox=[0, 0, 0, 0])


@METRICS.register_module()
class CrowdHumanPersonMetric(CrowdHumanMetric):
    """AP, MR^-2 and JI of CrowdHuman, by picture, in full precision.

    mmdet's metric pairs results and labels by position, computes overlaps in
    float32 and rounds to four decimals. Here they are paired by ID; AP
    (``mAP``), MR^-2 (``mMR``) and the final ``recall`` follow
    :mod:`.crowd_scores`; JI is mmdet's.

    Args:
        ann_file (str, optional): .odgt file. Defaults to None: the data
            set's, by its ``metainfo['ann_file']``.
        metric (str | list[str]): Of 'AP', 'MR', 'JI'. Defaults to AP and MR;
            JI starts processes and takes minutes.
        **kwargs: Arguments of ``mmdet.CrowdHumanMetric``; ``eval_mode``,
            ``compare_matching_method`` and ``mr_ref`` concern JI only.
    """

    def __init__(self,
                 ann_file: Optional[str] = None,
                 metric: Sequence[str] = ('AP', 'MR'),
                 **kwargs) -> None:
        metric = [metric] if isinstance(metric, str) else list(metric)
        super().__init__(ann_file=ann_file, metric=metric, **kwargs)

    def compute_metrics(self, results: list) -> Dict[str, float]:
        """Score all pictures of the .odgt file.

        Args:
            results (list[tuple[dict, np.ndarray]]): By picture, ``ID``,
                ``width``, ``height`` and ``(n, 5)`` boxes x1, y1, x2, y2,
                score at its own size.

        Returns:
            dict[str, float]: ``mAP``, ``mMR``, ``recall``, ``JI`` as asked
            for; fractions.

        Raises:
            ValueError: If a picture has no result, or there is no person.
        """
        if self.format_only:
            return super().compute_metrics(results)
        ann_file = self.ann_file or self.dataset_meta['ann_file']
        records = read_odgt(ann_file)
        results = _in_file_order(records, results, ann_file)
        scores = {}
        if {'AP', 'MR'} & set(self.metrics):
            every = _score(records, results, self.iou_thres)
            scores = {
                key: every[key]
                for key, name in (('mAP', 'AP'), ('mMR', 'MR'))
                if name in self.metrics
            }
            scores['recall'] = every['recall']
        if 'JI' in self.metrics:
            scores['JI'] = self._jaccard(records, results)
        return scores

    def _jaccard(self, records: List[dict], results: list) -> float:
        own = self.ann_file
        with tempfile.TemporaryDirectory() as folder:
            # what the parent reads; it cannot do without a box
            self.ann_file = f'{folder}/labels.odgt'
            with open(self.ann_file, 'w') as file:
                for record in records:
                    boxes = record['gtboxes'] or [NOTHING]
                    print(json.dumps(dict(record, gtboxes=boxes)), file=file)
            path = self.results2json(results, f'{folder}/result')
            samples = self.load_eval_samples(path)
        self.ann_file = own
        return float(self.eval_ji(samples))


def _in_file_order(records: List[dict], results: list, ann_file: str) -> list:
    by_id = {ann['ID']: (ann, boxes) for ann, boxes in results}
    missing = [r['ID'] for r in records if r['ID'] not in by_id]
    if missing:
        raise ValueError(
            f'{len(missing)} of {len(records)} pictures of {ann_file} have no '
            f'result, first {missing[0]} (indices= set? shuffle=True? another '
            'ann_file than the data set?)')
    return [by_id[record['ID']] for record in records]


def _score(records: List[dict], results: list, threshold: float) -> dict:
    pictures, num_persons = [], 0
    for record, (ann, detections) in zip(records, results):
        labels = np.array([box['fbox'] for box in record['gtboxes']],
                          dtype=np.float64).reshape(-1, 4)
        labels[:, 2:] += labels[:, :2]
        ignored = np.array([is_ignored(box) for box in record['gtboxes']],
                           dtype=bool)
        frame = ann['height'], ann['width']
        labels = clip_boxes(labels, *frame)
        detections = np.asarray(detections, dtype=np.float64)
        num_persons += int((~ignored).sum())
        pictures.append(
            match(
                clip_boxes(detections[:, :4], *frame), detections[:, 4],
                labels[~ignored], labels[ignored], threshold))
    if not any(len(boxes) for _, boxes in results):
        print_log('Nothing was detected in any picture: AP 0, MR 1', 'current',
                  logging.WARNING)
    return crowd_scores(join(pictures), num_persons, len(records))
