import logging
import os.path as osp
from typing import Dict, List, Optional, Tuple

import numpy as np
from mmengine.fileio import dump
from mmengine.logging import MessageHub, print_log
from mmpose.evaluation.metrics import CocoMetric, CocoWholeBodyMetric
from mmpose.registry import METRICS
from xtcocotools.coco import COCO
from xtcocotools.cocoeval import COCOeval

from .annotations import WHOLE_BODY
from .coco_file import read_persons

STATS = ('AP', 'AP .5', 'AP .75', 'AP (M)', 'AP (L)', 'AR', 'AR .5', 'AR .75',
         'AR (M)', 'AR (L)')
PARTS = ('body', 'foot', 'face', 'lefthand', 'righthand')


class CheckedMetricMixin:
    """COCO's evaluation of keypoints, of annotations that can be evaluated.

    Number and sigmas of the keypoints are those of the data set's
    ``metainfo``. Annotations are read when the loop is built, so before
    training, as the data sets read them (:func:`read_persons`).

    As in COCO's result format, a person found is handed on without its box:
    for ``(M)`` and ``(L)`` its size is then the extent of its joints, those
    of the body for whole bodies, low scores and all. mmpose hands on the
    box it was cut out by, which counts others as false alarms there.

    Args:
        ann_file (str, optional): Defaults to None: that of the data set
            under test.
        *args, **kwargs: Of mmpose's metric.

    Raises:
        ValueError: If the annotations are not as :func:`read_persons` wants
            them, or there are no results.
    """

    parts: Optional[Dict[str, int]] = None

    def __init__(self,
                 ann_file: Optional[str] = None,
                 *args,
                 **kwargs) -> None:
        super().__init__(None, *args, **kwargs)
        self.ann_file = ann_file and osp.expanduser(ann_file)

    @property
    def dataset_meta(self) -> Optional[dict]:
        """What the data set says of itself."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict) -> None:
        if self.parts is None:
            self.parts = dict(keypoints=dataset_meta['num_keypoints'])
        if self.coco is None:
            self._read(dataset_meta['dataset_name'])
        CocoMetric.dataset_meta.fset(self, dataset_meta)

    def _read(self, dataset_name: str) -> None:
        # as the parent looks it up
        path = self.ann_file or MessageHub.get_current_instance().get_info(
            f'{dataset_name}_ann_file')
        if path is None:  # made of the samples
            return
        data, notes = read_persons(
            path, self.parts, annotated=not self.format_only)
        for key, note in notes.items():
            if key != 'area' or self.use_area:
                print_log(
                    f'{path}: {note}', logger='current', level=logging.WARNING)
        self.coco = COCO(path, ann_data=data)

    def compute_metrics(self, results: list) -> Dict[str, float]:
        """Evaluate ``(prediction, ground truth)`` of every person."""
        if not results:
            raise ValueError('nothing to evaluate: the test data gave no '
                             'person, or the loop ended before the first')
        return super().compute_metrics(results)

    def results2json(self, keypoints: Dict[int, list],
                     outfile_prefix: str) -> str:
        """Write persons in COCO's result format, as :func:`pycocotools.coco.
        COCO.loadRes` takes it: without boxes.

        Args:
            keypoints (dict[int, list[dict]]): Persons by picture:
                ``keypoints`` ``(K, 3)`` (x, y, score), ``score``,
                ``img_id``, ``category_id``.
            outfile_prefix (str): Of the file, ``.keypoints.json`` follows.

        Returns:
            str: The file.
        """
        cuts = np.cumsum(list(self.parts.values()))[:-1] * 3
        found = []
        for persons in keypoints.values():
            for person in persons:
                values = np.split(np.ravel(person['keypoints']), cuts)
                found.append(
                    dict(
                        zip(self.parts, (v.tolist() for v in values)),
                        image_id=person['img_id'],
                        # 0-d array from mmpose's data sets
                        category_id=np.asarray(person['category_id']).tolist(),
                        score=float(person['score'])))
        path = f'{outfile_prefix}.keypoints.json'
        dump(found, path, sort_keys=True, indent=4)
        return path


@METRICS.register_module()
class KeypointMetric(CheckedMetricMixin, CocoMetric):
    """AP and AR of keypoints, COCO's 17 or one's own.

    :class:`mmpose.CocoMetric` with checks, and with sizes as COCO has them:
    see :class:`CheckedMetricMixin`. Fractions, not per cent; -1 where no
    person is annotated, as in ``AP (L)`` of small persons only. Every
    picture of the annotation file counts, with a person under test or not.
    """


@METRICS.register_module()
class WholeBodyMetric(CheckedMetricMixin, CocoWholeBodyMetric):
    """AP and AR of 133 landmarks, and of each part.

    :class:`mmpose.CocoWholeBodyMetric` prints the parts' results and returns
    those of the whole body only (``AP``, ``AP .5`` ...); here also
    ``body_AP``, ``body_AR``, and so on for foot, face, lefthand, righthand.
    A part has no score of its own: the person's counts.
    """

    parts = WHOLE_BODY

    def _do_python_keypoint_eval(
            self, outfile_prefix: str) -> List[Tuple[str, float]]:
        found = self.coco.loadRes(f'{outfile_prefix}.keypoints.json')
        for person in found.anns.values():
            # what xtcocotools takes anyway, with a warning for each part
            person.update({
                f'{part}_score': person['score']
                for part in (*PARTS, 'wholebody')
            })
        counts = np.cumsum([0, *self.parts.values()])
        sigmas = self.dataset_meta['sigmas']
        scores = []
        for part, start, stop in zip(PARTS, counts[:-1], counts[1:]):
            stats = self._evaluate(found, part, sigmas[start:stop])
            scores += [(f'{part}_{name}', stats[name])
                       for name in ('AP', 'AR')]
        return [*self._evaluate(found, 'wholebody', sigmas).items(), *scores]

    def _evaluate(self, found, part: str,
                  sigmas: np.ndarray) -> Dict[str, float]:
        evaluation = COCOeval(
            self.coco,
            found,
            f'keypoints_{part}',
            sigmas,
            use_area=self.use_area)
        evaluation.params.useSegm = None
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        return dict(zip(STATS, evaluation.stats))
