import json
import logging
import os.path as osp
from typing import Dict, List, Optional, Sequence, Tuple

from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from saip_mm.datasets.fashion_taxonomy import GROUPS
from saip_mm.weights import write_file
from .attribute_scores import AREAS, OFF, AttributeScores, score
from .fashion_file import read_fashion
from .predictions import KINDS, FashionLabels, to_predictions

HALF = slice(0, 1)  # the threshold .5


def named_scores(scores: AttributeScores) -> Dict[str, float]:
    """What is reported; without categories that have no label.

    Args:
        scores (AttributeScores): Of boxes or of masks.

    Returns:
        dict[str, float]: Fractions: ``AP_iou_f1``, ``AP_iou`` (COCO's AP),
        ``AP_f1``, ``AP50_f150``; AP over both conditions of outerwear,
        accessories and parts ``AP_o``, ``AP_a``, ``AP_p``, and of small,
        medium and large objects ``AP_s``, ``AP_m``, ``AP_l``; ``AR@100``.
    """
    found = dict(
        AP_iou_f1=scores.ap(),
        AP_iou=scores.ap(f1=OFF),
        AP_f1=scores.ap(iou=OFF),
        AP50_f150=scores.ap(HALF, HALF))
    for name, group in GROUPS.items():
        found[f'AP_{name}'] = scores.ap(categories=group)
    for name in AREAS:
        if name != 'all':
            found[f'AP_{name}'] = scores.ap(area=name)
    found['AR@100'] = scores.ar()
    return {key: value for key, value in found.items() if value is not None}


@METRICS.register_module()
class FashionpediaMetric(BaseMetric):
    """Fashionpedia's AP of boxes and masks, with and without attributes.

    Keys are ``fashionpedia/bbox_AP_iou_f1``, ``fashionpedia/segm_AP_iou_f1``
    and so on, see :func:`named_scores`; fractions, not rounded.

    Args:
        ann_file (str, optional): JSON file. Defaults to None: the data set's,
            by its ``metainfo['ann_file']``.
        metric (str | Sequence[str]): Of 'bbox', 'segm'. Defaults to both.
        classwise (bool): Whether to add ``AP_iou_f1/<category>``. Defaults to
            False.
        format_only (bool): Only write the predictions. Defaults to False.
        outfile_prefix (str, optional): Path without ``.json`` of a file of
            predictions, as the data set's own package reads them: with
            ``attribute_ids``. Defaults to None, none is written.
        **kwargs: Arguments of ``BaseMetric``.

    Raises:
        ValueError: For an unknown metric; if the annotations are malformed or
            hold nothing to find, before anything is trained; if pictures have
            no result.
    """

    default_prefix = 'fashionpedia'

    def __init__(self,
                 ann_file: Optional[str] = None,
                 metric: Sequence[str] = KINDS,
                 classwise: bool = False,
                 format_only: bool = False,
                 outfile_prefix: Optional[str] = None,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.metrics = [metric] if isinstance(metric, str) else list(metric)
        unknown = [name for name in self.metrics if name not in KINDS]
        if unknown:
            raise ValueError(f'metric must be of {KINDS}, got {unknown[0]!r}')
        if format_only and outfile_prefix is None:
            raise ValueError('format_only needs outfile_prefix=...')
        self.ann_file = osp.expanduser(ann_file) if ann_file else None
        self.classwise = classwise
        self.format_only = format_only
        self.outfile_prefix = outfile_prefix

    @property
    def dataset_meta(self) -> Optional[dict]:
        """Meta information of the data set: ``ann_file``."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, meta: dict) -> None:
        self._dataset_meta = meta
        path = self.ann_file or meta['ann_file']
        file = read_fashion(path)
        if not self.format_only and all(a['iscrowd']
                                        for a in file.annotations):
            raise ValueError(f'{path}: nothing to evaluate: none of its '
                             f'{len(file.images)} pictures has a garment that '
                             'is no crowd')
        self.labels = FashionLabels(file, path)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep what was found, masks as run lengths.

        Args:
            data_batch (dict): Not used.
            data_samples (Sequence[dict]): With ``img_id`` and
                ``pred_instances``: ``bboxes``, ``scores``, ``labels``,
                ``attributes`` (n, 294), and ``masks`` if these are asked for.
        """
        for sample in data_samples:
            picture = sample['img_id']
            self.results.append(
                (picture,
                 to_predictions(picture, sample['pred_instances'], 'segm'
                                in self.metrics)))

    def compute_metrics(self, results: List[Tuple[int, List[dict]]]) -> dict:
        """Score all pictures of the file.

        Args:
            results (list[tuple[int, list[dict]]]): By picture its id and what
                was found, see :meth:`.FashionLabels.check`.

        Returns:
            dict[str, float]: See the class.
        """
        seen = {picture for picture, _ in results}
        predictions = [one for _, found in results for one in found]
        if self.outfile_prefix is not None:
            path = f'{self.outfile_prefix}.json'
            write_file(path, json.dumps(predictions).encode())
            print_log(f'{path}: {len(predictions)} predictions', 'current')
        if self.format_only:
            return {}
        missing = [name for name in self.labels.sizes if name not in seen]
        if missing:
            raise ValueError(
                f'{len(missing)} of {len(self.labels.sizes)} pictures of '
                f'{self.labels.path} have no result, first {missing[0]} '
                '(indices= set? another ann_file than the data set?)')
        if not predictions:
            print_log('Nothing was detected in any picture: AP 0', 'current',
                      logging.WARNING)
        return {
            f'{kind}_{key}': value
            for kind in self.metrics
            for key, value in self._score(predictions, kind).items()
        }

    def _score(self, predictions: List[dict], kind: str) -> Dict[str, float]:
        scores = score(self.labels.pair(predictions, kind))
        found = named_scores(scores)
        if self.classwise:
            for category, name in enumerate(self.labels.categories):
                value = scores.ap(categories=[category])
                if value is not None:
                    found[f'AP_iou_f1/{name}'] = value
        return found
