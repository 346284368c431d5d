import logging
from typing import Dict, List, Optional, Sequence

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger, print_log
from prettytable import PrettyTable

from mmpretrain.registry import METRICS
from .scores import AttributeScores, attribute_scores

COLUMNS = ('share', 'mA', 'posrec', 'negrec', 'prec', 'F1')


@METRICS.register_module()
class AttributeMetric(BaseMetric):
    """mA and instance scores of attributes, in per cent; a table of each.

    Keys: ``attribute/mA``, ``Acc``, ``Prec``, ``Rec``, ``F1``, see
    :func:`attribute_scores`, not rounded; ``attribute/loss``, the mean over
    the pictures, where the head predicts it.

    Args:
        thr (float): An attribute is told to be there above it. Defaults to
            0.5.
        table (bool): Whether a line for each attribute is logged. Defaults
            to True.
        **kwargs: Of ``BaseMetric``.

    Raises:
        ValueError: If a score is NaN, numbers of scores and labels differ, or
            no picture came in.
    """

    default_prefix: Optional[str] = 'attribute'

    def __init__(self, thr: float = 0.5, table: bool = True, **kwargs) -> None:
        super().__init__(**kwargs)
        self.thr = thr
        self.table = table

    def process(self, data_batch, data_samples: Sequence[dict]) -> None:
        """Keep one batch.

        Args:
            data_batch (Any): Not used.
            data_samples (Sequence[dict]): ``pred_score`` and ``gt_score``,
                tensors ``(M, )``; optional ``loss``, a scalar.
        """
        for sample in data_samples:
            if 'gt_score' not in sample:
                raise ValueError(f'{_name(sample)} has no gt_score: test on '
                                 'an AttributeDataset')
            # arrays: a tensor would be handed on with all of its batch
            scores = sample['pred_score'].detach().float().cpu().numpy()
            labels = sample['gt_score'].cpu().numpy()
            if np.isnan(scores).any():
                raise ValueError(f'a score of {_name(sample)} is not a '
                                 'number (NaN)')
            if scores.shape != labels.shape:
                raise ValueError(f'{_name(sample)}: scores {scores.shape} but '
                                 f'labels {labels.shape}')
            loss = sample.get('loss')
            self.results.append(
                (scores, labels, None if loss is None else float(loss)))

    def compute_metrics(self, results: List[tuple]) -> Dict[str, float]:
        """Scores of all pictures of all ranks."""
        if not results:
            raise ValueError('nothing to evaluate: no pictures came in')
        probabilities, labels, losses = zip(*results)
        scores = attribute_scores(
            np.stack(labels), np.stack(probabilities), self.thr)
        names = self.dataset_meta['classes']
        if self.table:
            print_log(f'\n{draw_table(names, scores)}',
                      MMLogger.get_current_instance())
        self._warn(names, scores)
        metrics = {key: 100 * value for key, value in scores.mean.items()}
        if None not in losses:
            metrics['loss'] = float(np.mean(losses))
        return metrics

    @staticmethod
    def _warn(names: Sequence[str], scores: AttributeScores) -> None:
        share = scores.each['share']
        kinds = (('no picture has', share == 0), ('all have', share == 1))
        odd = [
            f'{what} {", ".join(np.array(names)[which])}'
            for what, which in kinds if which.any()
        ]
        if odd:
            print_log(
                f'{"; ".join(odd)}: the mA of such an attribute is 50 at '
                'most, and lowers the mean', 'current', logging.WARNING)


def draw_table(names: Sequence[str], scores: AttributeScores) -> str:
    """A line for each attribute, in per cent, the mean below.

    Args:
        names (Sequence[str]): Of the attributes.
        scores (AttributeScores): Of :func:`attribute_scores`.
    """
    table = PrettyTable(['Attribute', *COLUMNS])
    table.align['Attribute'] = 'l'
    for place, name in enumerate(names):
        table.add_row([
            name, *(f'{100 * scores.each[key][place]:.2f}' for key in COLUMNS)
        ])
    table.add_row(
        ['mean', *(f'{100 * scores.each[key].mean():.2f}' for key in COLUMNS)])
    return str(table)


def _name(sample: dict) -> str:
    return str(sample.get('img_path', 'a picture'))
