"""Search by text: every sentence among all pictures."""
import logging
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from mmpretrain.registry import METRICS
from saip_mm.evaluation.retrieval import retrieval_scores

WANTED = ('feature', 'caption_features', 'pid')
RANKS = (1, 5, 10)
NO_CAMERA = -1  # of a query: nothing is left out of its ranking


@METRICS.register_module()
class CaptionRetrievalMetric(BaseMetric):
    """Rank pictures by their cosine similarity to a sentence.

    A picture of the person described is right, and none is left out of the
    ranking: no camera is known, and the picture that the sentence was written
    for is among them. Keys, in per cent and not rounded: ``Rank-1``,
    ``Rank-5``, ``Rank-10``, ``mAP``, ``mINP``. Of answers equally similar the
    wrong ones rank first, see :func:`retrieval_scores`; ranks beyond the
    gallery have the last one's value. Queries nobody of whose person is in
    the gallery count nowhere; a warning says how many.

    Args:
        direction (str): 't2i', or 'i2t' for every picture among all
            sentences. Defaults to 't2i'.
        ranks (Sequence[int]): k of Rank-k. Defaults to 1, 5 and 10.
        collect_device (str): 'cpu' or 'gpu'. Defaults to 'cpu'.
        prefix (str, optional): Defaults to None, which is the direction.
        collect_dir (str, optional): Folder through which ranks hand on what
            they have. Defaults to None.

    Raises:
        ValueError: If there is no such direction; a sample lacks something; a
            vector is zero or not finite; queries or gallery are empty, or no
            query can be answered.

    Source:
        IRRA's, whose order of ties is not defined.
    """

    def __init__(self,
                 direction: str = 't2i',
                 ranks: Sequence[int] = RANKS,
                 collect_device: str = 'cpu',
                 prefix: Optional[str] = None,
                 collect_dir: Optional[str] = None) -> None:
        if direction not in ('t2i', 'i2t'):
            raise ValueError(f"direction '{direction}' is unknown: use 't2i' "
                             "or 'i2t'")
        super().__init__(collect_device, prefix or direction, collect_dir)
        self.direction = direction
        self.ranks = tuple(ranks)

    def process(self, data_batch, data_samples: Sequence[dict]) -> None:
        """Keep vectors and whose they are.

        Args:
            data_batch (Any): Not used.
            data_samples (Sequence[dict]): ``feature`` ``(D, )``,
                ``caption_features`` ``(k, D)``, ``pid`` (int), and
                ``captions`` and ``img_path`` for errors.
        """
        for sample in data_samples:
            missing = [key for key in WANTED if key not in sample]
            if missing:
                raise ValueError(
                    f'a data sample has no {missing}: the pipeline ends in '
                    "PackCaptions, which gives pid, and the model's predict "
                    'sets the features')
            image, texts = (
                sample[key].detach().float().cpu().numpy()
                for key in WANTED[:2])
            path = sample.get('img_path', 'a picture')
            captions = sample.get('captions', ())
            _check_vector(image, f"'{path}'")
            for text, caption in zip(texts, captions):
                _check_vector(text, f'the caption {caption!r:.80} of '
                              f"'{path}'")
            # copies: an array is pickled with all of what it is a part of
            self.results.append((image.copy(), texts.copy(), sample['pid']))

    def compute_metrics(
            self, results: List[Tuple[np.ndarray, np.ndarray,
                                      int]]) -> Dict[str, float]:
        """Scores of all ranks' results."""
        images, texts, pids = zip(*results)
        counts = torch.tensor([len(vectors) for vectors in texts])
        pids = torch.tensor(pids)
        gallery = (torch.from_numpy(np.stack(images)), pids)
        query = (torch.from_numpy(np.concatenate(texts)),
                 pids.repeat_interleave(counts))
        if self.direction == 'i2t':
            query, gallery = gallery, query
        return search_scores(*query, *gallery, ranks=self.ranks)


def _check_vector(vector: np.ndarray, whose: str) -> None:
    if not np.isfinite(vector).all():
        raise ValueError(f'the vector of {whose} holds NaN or infinity')
    if not vector.any():
        raise ValueError(f'the vector of {whose} is zero: it has no direction')


def search_scores(query: Tensor,
                  query_pids: Tensor,
                  gallery: Tensor,
                  gallery_pids: Tensor,
                  ranks: Sequence[int] = RANKS) -> Dict[str, float]:
    """Scores of a search without cameras.

    Args:
        query (Tensor): ``(Q, D)`` float, any norm.
        query_pids (Tensor): ``(Q, )`` int.
        gallery (Tensor): ``(G, D)`` float, any norm.
        gallery_pids (Tensor): ``(G, )`` int.
        ranks (Sequence[int]): k of Rank-k. Defaults to 1, 5 and 10.

    Returns:
        dict[str, float]: ``Rank-k``, ``mAP``, ``mINP`` in per cent.

    Raises:
        ValueError: If one side is empty, or no query can be answered.
    """
    if not len(query) or not len(gallery):
        raise ValueError(f'{len(query)} queries and a gallery of '
                         f'{len(gallery)}: a search needs both, captions and '
                         'pictures')
    lost = int((~torch.isin(query_pids, gallery_pids)).sum())
    if lost == len(query):
        raise ValueError(f'none of {lost} queries is of a person of the '
                         f'gallery ({len(gallery)} entries): check the ids')
    if lost:
        print_log(
            f'{lost} of {len(query)} queries are of nobody in the gallery '
            'and are not counted', 'current', logging.WARNING)
    scores = retrieval_scores(
        query,
        query_pids,
        torch.full_like(query_pids, NO_CAMERA),
        gallery,
        gallery_pids,
        torch.zeros_like(gallery_pids),
        ranks=ranks)
    metrics = {f'Rank-{k}': 100 * v for k, v in scores.cmc.items()}
    return dict(metrics, mAP=100 * scores.map, mINP=100 * scores.minp)
