import logging
from typing import Dict, List, Optional, Sequence

import numpy as np
import torch
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger, print_log
from prettytable import PrettyTable

from saip_mm.evaluation import confusion_matrix, part_scores
from .label_files import Split, read_maps
from .parsing_scores import (HALF, THRESHOLDS, Matches, check_parsings,
                             match_persons, paint_persons, person_scores)
from .parts import join_maps, named_source
from .person_index import load_index


@METRICS.register_module()
class ParsingMetric(BaseMetric):
    """mIoU, AP^p and PCP of persons and their parts, as fractions.

    Pictures are compared with their labels, read at their own size, as they
    come, and a table of a few kilobytes is kept of each. Keys: ``mIoU``,
    ``mAcc``, ``pixel_acc`` over all pixels; ``APp_50`` and ``APp_vol``, at an
    overlap of 0.5 and the mean from 0.1 to 0.9; ``PCP_50``, the share of
    correctly found parts. See :mod:`.parsing_scores`.

    Args:
        score_thr (float): Persons that are painted for mIoU have at least
            this score. Defaults to 0.3.
        min_score (float): Persons that count in AP^p and PCP have at least
            this score. Defaults to 0.001.
        skip_empty (bool): Whether mIoU leaves out pictures in which nobody
            was detected, as Parsing R-CNN's does; otherwise they are all
            background. Defaults to False.
        details (bool): Whether IoU of each part, and AP^p and PCP at each of
            the nine thresholds are returned, too. Defaults to False.
        **kwargs: ``collect_device`` and ``prefix``, see mmengine's
            ``BaseMetric``.

    Raises:
        ValueError: Before anything is trained, if nobody is annotated; if a
            picture is unknown, has another size than its labels or persons
            beyond its border; if pictures have no result.
    """

    default_prefix = 'cihp'

    def __init__(self,
                 score_thr: float = 0.3,
                 min_score: float = 0.001,
                 skip_empty: bool = False,
                 details: bool = False,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.score_thr = score_thr
        self.min_score = min_score
        self.skip_empty = skip_empty
        self.details = details

    @property
    def dataset_meta(self) -> Optional[dict]:
        """Meta information of the data set: ``parts``, ``split``."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, meta: dict) -> None:
        self._dataset_meta = meta
        self.split = Split(**meta['split'])
        pictures = load_index(self.split, len(meta['parts']),
                              named_source(meta['parts']))
        if not any(picture.persons for picture in pictures):
            raise ValueError(f'{self.split.ann_file}: no person to evaluate '
                             f'in its {len(pictures)} pictures')
        self._names = {picture.id: picture.name for picture in pictures}

    def process(self, data_batch: Sequence[dict],
                data_samples: Sequence[dict]) -> None:
        """Compare pictures with their labels.

        Args:
            data_batch (Sequence[dict]): Not used.
            data_samples (Sequence[dict]): ``img_id``, ``ori_shape``, and
                ``pred_instances`` with ``scores`` and ``parsings`` at the
                picture's own size.
        """
        for sample in data_samples:
            self.results.append(self._compare(sample))

    def _compare(self, sample: dict) -> tuple:
        names = self._dataset_meta['parts']
        number = len(names)
        name = self._names.get(sample['img_id'])
        if name is None:
            raise ValueError(f'picture {sample["img_id"]} is not in '
                             f'{self.split.ann_file}')
        paths = self.split.paths(name)
        parts, humans = read_maps(paths['category_path'], paths['human_path'],
                                  number, named_source(names))
        size = tuple(sample['ori_shape'][:2])
        if size != parts.shape:
            raise ValueError(f'{name}: predicted at {size}, its labels are of '
                             f'{parts.shape} (height, width)')
        found = sample['pred_instances']
        scores = found['scores'].cpu().numpy().astype(np.float64)
        parsings = found['parsings']
        check_parsings(parsings, size, number, name)
        painted = paint_persons(parsings, scores, *size, self.score_thr)
        table = confusion_matrix(
            torch.from_numpy(parts.astype(np.uint8)),
            torch.from_numpy(painted), number)
        if self.skip_empty and not len(scores):
            table.zero_()
        matches = match_persons(parsings, scores,
                                join_maps(parts, humans, number), number)
        return sample['img_id'], table.numpy(), matches

    def compute_metrics(self, results: List[tuple]) -> Dict[str, float]:
        """Score all pictures of the index.

        Args:
            results (list[tuple]): Number, table of pixels and matches of each
                picture; of two of one picture the first counts.

        Returns:
            dict[str, float]: See the class; not rounded.

        Raises:
            ValueError: If a picture has no result.
        """
        # mmengine hands named tuples on as bare ones
        by_id = {
            number: (table, Matches(*matches))
            for number, table, matches in reversed(results)
        }
        missing = [name for i, name in self._names.items() if i not in by_id]
        if missing:
            raise ValueError(
                f'{len(missing)} of {len(self._names)} pictures of '
                f'{self.split.ann_file} have no result, first {missing[0]} '
                '(indices= set? another data set?)')
        ordered = [by_id[number] for number in self._names]
        if not any(len(matches.scores) for _, matches in ordered):
            print_log('Nobody was detected in any picture', 'current',
                      logging.WARNING)
        table = sum(table for table, _ in ordered)
        persons = person_scores([matches for _, matches in ordered],
                                self.min_score)
        return self._report(table, persons)

    def _report(self, table: np.ndarray, persons: dict) -> Dict[str, float]:
        names = self._dataset_meta['parts']
        if not table.any():  # skip_empty, and nobody anywhere
            nothing = np.zeros(len(names))
            pixels = dict(mIoU=0., mAcc=0., aAcc=0., IoU=nothing)
        else:
            pixels = part_scores(table)
        log = PrettyTable(['Part', 'IoU'])
        for name, iou in zip(names, pixels['IoU']):
            log.add_row([name, f'{iou:.2f}'])
        print_log(f'\n{log}', MMLogger.get_current_instance())
        scores = {
            'mIoU': pixels['mIoU'] / 100,
            'APp_vol': persons['AP'].mean(),
            'APp_50': persons['AP'][HALF],
            'PCP_50': persons['PCP'][HALF],
            'mAcc': pixels['mAcc'] / 100,
            'pixel_acc': pixels['aAcc'] / 100
        }
        if self.details:
            for name, iou in zip(names, pixels['IoU']):
                scores[f'IoU/{name}'] = iou / 100
            for threshold, *values in zip(THRESHOLDS, persons['AP'],
                                          persons['PCP']):
                for key, value in zip(('APp', 'PCP'), values):
                    scores[f'{key}/{round(100 * threshold)}'] = value
        return {key: float(value) for key, value in scores.items()}
