import json
import logging
import os.path as osp
from typing import Dict, List, NamedTuple, Optional, Sequence

import numpy as np
from mmdet.evaluation import CrowdHumanMetric
from mmdet.registry import METRICS
from mmengine.logging import print_log

from saip_mm.weights import write_file
from .crowd_scores import FPPI, FPPI_4, clip_boxes, crowd_scores, join, match
from .jaccard import JaccardIndex
from .odgt import label_of, read_odgt

REFERENCES = {'CALTECH_-2': FPPI, 'CALTECH_-4': FPPI_4}
# what the reference's code has and does not do: mmdet stops in the middle
ONLY = dict(eval_mode=0, compare_matching_method=None)


class Picture(NamedTuple):
    """Detections and labels of one picture, clipped to it.

    Attributes:
        boxes (np.ndarray): ``(n, 4)`` detections, x1, y1, x2, y2.
        scores (np.ndarray): ``(n, )``.
        found (np.ndarray): ``(n, )`` categories of the detections.
        labels (np.ndarray): ``(m, 4)`` boxes in file order.
        wanted (np.ndarray): ``(m, )`` their categories, -1 ignored.
    """
    boxes: np.ndarray
    scores: np.ndarray
    found: np.ndarray
    labels: np.ndarray
    wanted: np.ndarray

    def of(self, category: int) -> tuple:
        """Detections, scores, persons and ignored regions of a category."""
        mine = self.found == category
        return (self.boxes[mine], self.scores[mine],
                self.labels[self.wanted == category],
                self.labels[self.wanted < 0])


@METRICS.register_module()
class CrowdHumanPersonMetric(CrowdHumanMetric):
    """AP, MR^-2 and JI of CrowdHuman, by picture, in full precision.

    mmdet's metric pairs results and labels by position, computes overlaps in
    float32, rounds to four decimals, and its JI is not the reference's. Here
    they are paired by ID; AP (``mAP``), MR^-2 (``mMR``) and the final
    ``recall`` follow :mod:`.crowd_scores`, ``JI`` follows :mod:`.jaccard`.
    With several categories each is scored alone, as ``mAP/<name>`` say, and
    ``mAP`` is their mean; those without a label are left out.

    Args:
        ann_file (str, optional): .odgt file. Defaults to None: the data
            set's, by its ``metainfo['ann_file']``.
        metric (str | list[str]): Of 'AP', 'MR', 'JI'. Defaults to AP and MR.
        format_only (bool): Only write the detections, to
            ``outfile_prefix + '.json'``. Defaults to False.
        outfile_prefix (str, optional): Needed by ``format_only``.
        iou_thres (float): Overlap that AP, MR and JI want exceeded, and share
            of a box in an ignored region. Defaults to 0.5.
        mr_ref (str): Where MR reads the miss rate: at nine rates of false
            positives a picture from 10^-2 to 1 ('CALTECH_-2', the
            benchmark's) or from 10^-4 to 1 ('CALTECH_-4'). Concerns MR alone.
        eval_mode (int): 0, full bodies. mmdet also names 1 (heads) and 2
            (both), for which its detectors give no boxes: it stops at a bare
            assertion. Refused here.
        compare_matching_method (str, optional): None: persons are matched as
            Caltech does, see :func:`.crowd_scores.match`. mmdet also names
            'VOC', for AP and MR; its code for that stops at arrays. Refused
            here.
        num_ji_process (int): Without effect; mmdet starts as many processes.
        **kwargs: ``collect_device`` and ``prefix``, see mmengine's
            ``BaseMetric``; ``backend_args`` is without effect.

    Raises:
        ValueError: For a value that is refused; if the data set to be
            evaluated shows nobody, before anything is trained.
    """

    def __init__(self,
                 ann_file: Optional[str] = None,
                 metric: Sequence[str] = ('AP', 'MR'),
                 **kwargs) -> None:
        for name, value in ONLY.items():
            if kwargs.get(name, value) != value:
                raise ValueError(f'{name}={kwargs[name]} is not implemented, '
                                 f'nor does it work in mmdet; use {value}')
        metric = [metric] if isinstance(metric, str) else list(metric)
        ann_file = osp.expanduser(ann_file) if ann_file else None
        super().__init__(ann_file=ann_file, metric=metric, **kwargs)

    @property
    def dataset_meta(self) -> Optional[dict]:
        """Meta information of the data set: ``classes``, ``ann_file``."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, meta: dict) -> None:
        self._dataset_meta = meta
        if not self.format_only:  # not after a first epoch of training
            self._check_somebody(self._read())

    @property
    def classes(self) -> tuple:
        """Tags to be found."""
        return tuple((self._dataset_meta or {}).get('classes', ('person', )))

    def _read(self) -> List[dict]:
        return read_odgt(self._labels_file(), self.classes)

    def _labels_file(self) -> str:
        return self.ann_file or self._dataset_meta['ann_file']

    def _check_somebody(self, records: List[dict]) -> None:
        if all(
                label_of(box, self.classes) < 0 for record in records
                for box in record['gtboxes']):
            raise ValueError(
                f'{self._labels_file()}: no person to evaluate: none of its '
                f'{len(records)} pictures has a box tagged '
                f'{" or ".join(self.classes)} that is not ignored')

    def process(self, data_batch: Sequence[dict],
                data_samples: Sequence[dict]) -> None:
        """Keep the detections of pictures, with their categories.

        Args:
            data_batch (Sequence[dict]): Not used.
            data_samples (Sequence[dict]): ``img_id``, ``ori_shape``,
                ``pred_instances`` with ``bboxes`` at the picture's own size,
                ``scores``, ``labels`` (without: all of the first category).
        """
        for sample in data_samples:
            height, width = sample['ori_shape'][:2]
            found = sample['pred_instances']
            scores = found['scores'].cpu().numpy().reshape(-1, 1)
            labels = (
                found['labels'].cpu().numpy().reshape(-1, 1)
                if 'labels' in found else np.zeros_like(scores))
            boxes = found['bboxes'].cpu().numpy().reshape(-1, 4)
            self.results.append(
                (dict(ID=sample['img_id'], width=width,
                      height=height), np.hstack([boxes, scores, labels])))

    def compute_metrics(self, results: list) -> Dict[str, float]:
        """Score all pictures of the .odgt file.

        Args:
            results (list[tuple[dict, np.ndarray]]): By picture, ``ID``,
                ``width``, ``height`` and ``(n, 6)`` boxes x1, y1, x2, y2,
                score, category at its own size.

        Returns:
            dict[str, float]: ``mAP``, ``mMR``, ``recall``, ``JI`` as asked
            for; fractions.

        Raises:
            ValueError: If a picture has no result, or there is no person.
        """
        if self.format_only:
            path = self.results2json(results, self.outfile_prefix)
            print_log(f'{path}: detections in {len(results)} pictures',
                      'current')
            return {}
        records = self._read()
        self._check_somebody(records)
        results = _in_file_order(records, results, self._labels_file())
        pictures = [
            _clip(record, result, self.classes)
            for record, result in zip(records, results)
        ]
        if not any(len(picture.boxes) for picture in pictures):
            print_log('Nothing was detected in any picture: AP 0, MR 1',
                      'current', logging.WARNING)
        scores = {
            name: self._score(pictures, category)
            for category, name in enumerate(self.classes)
            if any(category in picture.wanted for picture in pictures)
        }
        means = {
            key: float(np.mean([own[key] for own in scores.values()]))
            for key in next(iter(scores.values()))
        }
        if len(self.classes) == 1:
            return means
        return means | {
            f'{key}/{name}': value
            for name, own in scores.items()
            for key, value in own.items()
        }

    def _score(self, pictures: List[Picture], category: int) -> dict:
        scores = {}
        pictures = [picture.of(category) for picture in pictures]
        if {'AP', 'MR'} & set(self.metrics):
            every = crowd_scores(
                join([match(*parts, self.iou_thres) for parts in pictures]),
                sum(len(persons) for _, _, persons, _ in pictures),
                len(pictures), REFERENCES[self.mr_ref])
            scores = {
                key: every[key]
                for key, name in (('mAP', 'AP'), ('mMR', 'MR'))
                if name in self.metrics
            }
            scores['recall'] = every['recall']
        if 'JI' in self.metrics:
            index = JaccardIndex(self.iou_thres)
            for parts in pictures:
                index.add(*parts)
            scores['JI'] = index.value()
        return scores

    @staticmethod
    def results2json(results: Sequence[tuple], outfile_prefix: str) -> str:
        """Write detections as CrowdHuman's tools read them.

        Args:
            results (Sequence[tuple]): See :meth:`compute_metrics`.
            outfile_prefix (str): Path without ``.json``.

        Returns:
            str: Path of the file: by picture ``ID``, ``width``, ``height``,
            ``dtboxes`` with ``box`` (x, y, w, h), ``score`` and ``tag``, the
            category counted from 1.
        """
        pictures = []
        for ann, detections in results:
            found = [
                dict(
                    box=[x1, y1, x2 - x1, y2 - y1],
                    score=score,
                    tag=int(label) + 1)
                for x1, y1, x2, y2, score, label in detections.tolist()
            ]
            pictures.append(dict(ann, dtboxes=found))
        path = f'{outfile_prefix}.json'
        write_file(path, json.dumps(pictures).encode())
        return path


def _in_file_order(records: List[dict], results: list, ann_file: str) -> list:
    by_id = {ann['ID']: (ann, boxes) for ann, boxes in results}
    missing = [r['ID'] for r in records if r['ID'] not in by_id]
    if missing:
        raise ValueError(
            f'{len(missing)} of {len(records)} pictures of {ann_file} have no '
            f'result, first {missing[0]} (indices= set? shuffle=True? another '
            'ann_file than the data set?)')
    return [by_id[record['ID']] for record in records]


def _clip(record: dict, result: tuple, classes: Sequence[str]) -> Picture:
    ann, detections = result
    frame = ann['height'], ann['width']
    labels = np.array([box['fbox'] for box in record['gtboxes']],
                      dtype=np.float64).reshape(-1, 4)
    labels[:, 2:] += labels[:, :2]
    detections = np.asarray(detections, dtype=np.float64)
    return Picture(
        boxes=clip_boxes(detections[:, :4], *frame),
        scores=detections[:, 4],
        found=detections[:, 5].astype(int),
        labels=clip_boxes(labels, *frame),
        wanted=np.array([label_of(box, classes) for box in record['gtboxes']],
                        dtype=int))
