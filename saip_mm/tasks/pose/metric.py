from typing import Dict, List, Optional, Tuple

import numpy as np
from mmengine.logging import MessageHub
from mmpose.evaluation.metrics import CocoMetric, CocoWholeBodyMetric
from mmpose.registry import METRICS
from xtcocotools.cocoeval import COCOeval

from .annotations import BODY, WHOLE_BODY, check_annotations

STATS = ('AP', 'AP .5', 'AP .75', 'AP (M)', 'AP (L)', 'AR', 'AR .5', 'AR .75',
         'AR (M)', 'AR (L)')
PARTS = ('body', 'foot', 'face', 'lefthand', 'righthand')


class CheckedMetricMixin:
    """Refuses annotations and results that cannot be evaluated.

    Without ``ann_file`` the metric takes the one of the data set under test.

    Raises:
        ValueError: If an annotation is not as ``check_annotation`` wants it,
            or there are no results.
    """

    parts = BODY
    _checked = None

    @property
    def dataset_meta(self) -> Optional[dict]:
        """What the data set says of itself."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict) -> None:
        # the parent's setter reads the annotations
        CocoMetric.dataset_meta.fset(self, dataset_meta)
        if self.coco is not None and self._checked is not self.coco:
            # as the parent looks it up
            source = self.ann_file or MessageHub.get_current_instance(
            ).get_info(f'{dataset_meta["dataset_name"]}_ann_file')
            check_annotations(self.coco.anns.values(), self.parts, source)
            self._checked = self.coco

    def compute_metrics(self, results: list) -> Dict[str, float]:
        """Evaluate ``(prediction, ground truth)`` of every person."""
        if not results:
            raise ValueError('nothing to evaluate: the test data gave no '
                             'person, or the loop ended before the first')
        return super().compute_metrics(results)


@METRICS.register_module()
class KeypointMetric(CheckedMetricMixin, CocoMetric):
    """AP and AR of 17 joints, :class:`mmpose.CocoMetric` with checks.

    Fractions, not per cent. A picture counts only with a person under test
    in it or in the annotations; see ``CheckedMetricMixin`` for the checks.
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
