import logging
from typing import Dict, List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mmpretrain.registry import METRICS
from .retrieval import retrieval_scores

WANTED = ('feature', 'pid', 'camid', 'is_query')


@METRICS.register_module()
class PersonRetrievalMetric(BaseMetric):
    """Search for persons: every query in the whole gallery.

    Cosine similarity under the Market-1501 protocol, see
    :func:`retrieval_scores`. Keys, in per cent and not rounded: ``Rank-1``,
    ``Rank-5``, ``Rank-10``, ``mAP``, ``mINP``; and ``num_valid_queries``,
    the queries with a right answer in the gallery. The others count nowhere;
    a warning says how many.

    Query and gallery come in one loader, in any order: ``is_query`` of each
    sample tells them apart. A query of no camera has ``camid`` -1, so that
    nothing is left out of its ranking.

    Args:
        ranks (Sequence[int]): k of Rank-k. Defaults to 1, 5 and 10.
        rerank (bool | dict): Whether to rank by :class:`~.rerank.Reranking`;
            a dict has its ``k1``, ``k2`` and ``weight``. Results of the
            literature are mostly without. Defaults to False.
        collect_device (str): 'cpu' or 'gpu'. Defaults to 'cpu'.
        prefix (str, optional): Defaults to None, which is 'reid'.
        collect_dir (str, optional): Folder through which ranks hand on what
            they have. Defaults to None.

    Raises:
        ValueError: If a sample lacks one of ``feature``, ``pid``, ``camid``,
            ``is_query``, a feature is not finite, or no query can be
            answered.

    Example:
        >>> val_dataloader = dict(
        ...     dataset=dict(
        ...         type='ConcatDataset',
        ...         datasets=[dict(type='MarketDataset', split='query'),
        ...                   dict(type='MarketDataset', split='gallery')],
        ...         ignore_keys=['num_ids', 'num_cams']))
        >>> val_evaluator = dict(type='PersonRetrievalMetric')
    """

    default_prefix: Optional[str] = 'reid'

    def __init__(self,
                 ranks: Sequence[int] = (1, 5, 10),
                 rerank: Union[bool, dict] = False,
                 collect_device: str = 'cpu',
                 prefix: Optional[str] = None,
                 collect_dir: Optional[str] = None) -> None:
        super().__init__(collect_device, prefix, collect_dir)
        self.ranks = tuple(ranks)
        self.rerank = dict() if rerank is True else rerank
        if self.rerank is False:
            self.rerank = None

    def process(self, data_batch, data_samples: Sequence[dict]) -> None:
        """Keep features and whose they are.

        Args:
            data_batch (Any): Not used.
            data_samples (Sequence[dict]): ``feature``, a tensor ``(D, )`` of
                any norm and device, ``pid`` and ``camid`` (int), ``is_query``
                (bool).
        """
        for sample in data_samples:
            missing = [key for key in WANTED if key not in sample]
            if missing:
                raise ValueError(
                    f'a data sample has no {missing}: the pipeline ends in '
                    'PackPerson, which gives pid, camid and is_query, and '
                    "the model's predict sets feature")
        # one copy off the device a batch
        features = torch.stack([sample['feature'] for sample in data_samples])
        features = features.detach().float().cpu().numpy()
        for feature, sample in zip(features, data_samples):
            if not np.isfinite(feature).all():
                raise ValueError('the feature of '
                                 f"'{sample.get('img_path', 'a picture')}' "
                                 'holds NaN or infinity')
            # arrays: a tensor would be pickled with all of its batch
            self.results.append((feature, *(sample[k] for k in WANTED[1:])))

    def compute_metrics(
            self, results: List[Tuple[np.ndarray, int, int,
                                      bool]]) -> Dict[str, float]:
        """Scores of all ranks' results."""
        total = sum(bool(is_query) for *_, is_query in results)
        if not 0 < total < len(results):
            raise ValueError(
                f'{total} queries and {len(results) - total} gallery pictures '
                'came in, a search needs both: the loader runs over a '
                "ConcatDataset of split 'query' and split 'gallery'")
        features, pids, cams, is_query = zip(*results)
        columns = [
            torch.from_numpy(np.stack(features)),
            torch.tensor(pids),
            torch.tensor(cams)
        ]
        asks = torch.tensor(is_query, dtype=torch.bool)
        scores = retrieval_scores(
            *(column[asks] for column in columns),
            *(column[~asks] for column in columns),
            ranks=self.ranks,
            rerank=self.rerank)
        if scores.queries < total:
            print_log(
                f'{total - scores.queries} of {total} queries have no picture '
                'of the same person by another camera in the gallery and are '
                'not counted',
                logger='current',
                level=logging.WARNING)
        metrics = {f'Rank-{k}': 100 * v for k, v in scores.cmc.items()}
        metrics.update(mAP=100 * scores.map, mINP=100 * scores.minp)
        return dict(metrics, num_valid_queries=scores.queries)
