import math

import cv2
import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmengine.evaluator import Evaluator
from mmengine.model import BaseModel
from mmengine.runner import Runner

from mmpretrain.models import ClsDataPreprocessor
from mmpretrain.registry import METRICS
from mmpretrain.structures import DataSample
from saip_mm.evaluation import PersonRetrievalMetric


def samples(features, pids, cams, is_query):
    """As a model's predict returns them."""
    found = []
    for i, feature in enumerate(features):
        who = DataSample(
            metainfo=dict(
                pid=int(pids[i]),
                camid=int(cams[i]),
                is_query=bool(is_query[i]),
                img_path=f'{i}.jpg'))
        who.feature = torch.as_tensor(feature)
        found.append(who)
    return found


def evaluate(data_samples, batch=3, **settings):
    evaluator = Evaluator(PersonRetrievalMetric(**settings))
    for start in range(0, len(data_samples), batch):
        evaluator.process(data_samples[start:start + batch])
    return evaluator.evaluate(len(data_samples))


# Unit circle, two queries of persons 5 and 6 by camera 0, in one order with
# the gallery. To (1, 0) the gallery's directions are similar in the order
#   (1, .1) 5   (.9, -.4) 5   (.5, .5) 6   (0, 2) 0   (-.2, 1) 6
# both right ones first: AP 1, INP 2/2. To (0, 1) in the order
#   (0, 2) 0   (-.2, 1) 6   (.5, .5) 6   (1, .1) 5   (.9, -.4) 5
# right ones second and third: AP (1/2 + 2/3) / 2 = 7/12, INP 2/3.
BY_HAND = dict(
    features=[(1., .1), (0., 1.), (.5, .5), (-.2, 1.), (1., 0.), (.9, -.4),
              (0., 2.)],
    pids=[5, 6, 6, 6, 5, 5, 0],
    cams=[1, 0, 1, 2, 0, 2, 3],
    is_query=[False, True, False, False, True, False, False])


def test_by_hand():
    assert evaluate(
        samples(**BY_HAND), ranks=(1, 2)) == {
            'reid/Rank-1': 50.,
            'reid/Rank-2': 100.,
            'reid/mAP': pytest.approx(100 * (1 + 7 / 12) / 2),
            'reid/mINP': pytest.approx(100 * (1 + 2 / 3) / 2),
            'reid/num_valid_queries': 2
        }


def test_queries_that_cannot_be_answered_are_said(log):
    case = {key: list(value) for key, value in BY_HAND.items()}
    case['pids'][1] = 9  # a query of a person not in the gallery
    found = evaluate(samples(**case))
    assert found['reid/num_valid_queries'] == 1 and found['reid/mAP'] == 100
    assert '1 of 2 queries have no picture of the same person' in log.text


def test_a_query_of_no_camera_is_answered_by_all():
    case = {key: list(value) for key, value in BY_HAND.items()}
    case['cams'] = [0] * 7  # all by one camera: nothing is left
    with pytest.raises(ValueError, match='none of the 2 .*1 cameras found'):
        evaluate(samples(**case))
    case['cams'] = [-1 if query else 0 for query in case['is_query']]
    assert evaluate(samples(**case))['reid/num_valid_queries'] == 2


def slow_scores(features, pids, cams, is_query):
    """Squared distances of unit vectors, a stable sort, one query a turn."""
    unit = features.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    gallery = np.flatnonzero(~is_query)
    hits_at, average, penalty = [], [], []
    for query in np.flatnonzero(is_query):
        far = ((unit[gallery] - unit[query])**2).sum(1)
        order = gallery[np.argsort(far, kind='stable')]
        same = pids[order] == pids[query]
        order = order[~(same & (cams[order] == cams[query]))]
        matches = pids[order] == pids[query]
        if not matches.any():
            continue
        ranks = np.flatnonzero(matches) + 1
        hits_at.append([ranks[0] <= k for k in (1, 5, 10)])
        average.append(
            np.mean([(i + 1) / rank for i, rank in enumerate(ranks)]))
        penalty.append(len(ranks) / ranks[-1])
    return (*np.mean(hits_at, 0), np.mean(average), np.mean(penalty),
            len(average))


@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize('gallery', [6, 60])
def test_equals_a_slow_loop(seed, gallery):
    rng = np.random.default_rng(seed)
    count = 20 + gallery
    case = dict(
        features=rng.normal(size=(count, 8)).astype(np.float32),
        pids=rng.integers(0, 5, count),
        cams=rng.integers(0, 3, count),
        is_query=rng.permutation(count) < 20)
    *shares, queries = slow_scores(**case)
    names = ('Rank-1', 'Rank-5', 'Rank-10', 'mAP', 'mINP')
    expected = {f'x/{n}': 100 * v for n, v in zip(names, shares)}
    expected['x/num_valid_queries'] = queries
    assert evaluate(
        samples(**case), prefix='x') == pytest.approx(
            expected, abs=1e-9)


def test_a_second_evaluation_starts_anew():
    metric = METRICS.build(dict(type='PersonRetrievalMetric'))
    who = [sample.to_dict() for sample in samples(**BY_HAND)]
    scores = []
    for _ in range(2):
        metric.process(None, who)
        scores.append(metric.evaluate(len(who)))
    assert scores[0] == scores[1]


@pytest.mark.parametrize('key', ['feature', 'pid', 'camid', 'is_query'])
def test_what_is_missing_is_said(key):
    found = samples(**BY_HAND)
    delattr(found[1], key)
    with pytest.raises(ValueError, match=f"has no .'{key}'.*PackPerson"):
        evaluate(found)


@pytest.mark.parametrize('value', [math.nan, math.inf])
def test_the_picture_of_a_feature_not_finite_is_named(value):
    case = dict(BY_HAND, features=list(BY_HAND['features']))
    case['features'][4] = (1., value)
    with pytest.raises(ValueError, match="'4.jpg' holds NaN or infinity"):
        evaluate(samples(**case))


@pytest.mark.parametrize('is_query', [True, False])
def test_one_side_alone_is_an_error(is_query):
    with pytest.raises(ValueError, match='a search needs both.*ConcatData'):
        evaluate(samples(**dict(BY_HAND, is_query=[is_query] * 7)))


class MeanColour(BaseModel):
    """As small as a model with ``predict`` comes."""

    def forward(self, inputs, data_samples, mode='predict'):
        for image, who in zip(inputs, data_samples):
            who.feature = image.mean((1, 2))
        return data_samples


def test_in_the_test_loop_of_a_runner(tmp_path):
    """Query and gallery in one loader, the last batch a short one."""
    reds = {1: 250, 2: 130, 3: 10}
    for folder, cam in (('query', 1), ('bounding_box_test', 2)):
        (tmp_path / 'market' / folder).mkdir(parents=True)
        for pid, red in reds.items():
            image = np.full((64, 32, 3), (90, 140, red), np.uint8)
            name = f'{pid:04d}_c{cam}s1_000151_00.png'
            cv2.imwrite(str(tmp_path / 'market' / folder / name), image)
    sets = [
        dict(
            type='MarketDataset',
            data_root=str(tmp_path / 'market'),
            split=split) for split in ('query', 'gallery')
    ]
    runner = Runner(
        MeanColour(ClsDataPreprocessor()),
        str(tmp_path / 'work'),
        test_dataloader=dict(
            batch_size=4,
            dataset=dict(
                type='ConcatDataset',
                datasets=sets,
                ignore_keys=['num_ids', 'num_cams']),
            sampler=dict(type='DefaultSampler', shuffle=False)),
        test_evaluator=dict(type='PersonRetrievalMetric'),
        test_cfg=dict(),
        default_scope='mmpretrain',
        experiment_name='person_retrieval')
    assert runner.test() == {
        'reid/Rank-1': 100.,
        'reid/Rank-5': 100.,
        'reid/Rank-10': 100.,
        'reid/mAP': 100.,
        'reid/mINP': 100.,
        'reid/num_valid_queries': 3
    }


def work(rank, port, folder):
    """Rank r has samples r, r + 2, ..; the shorter share is filled up."""
    dist.init_process_group(
        'gloo', f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    who = samples(**BY_HAND)
    share = (who + who[:1])[rank::2]
    evaluator = Evaluator(PersonRetrievalMetric(collect_dir=f'{folder}/parts'))
    evaluator.process(share)
    torch.save(evaluator.evaluate(len(who)), f'{folder}/rank_{rank}.pth')
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_ranks_equal_one(tmp_path, free_port):
    mp.spawn(work, (free_port, str(tmp_path)), 2)
    expected = evaluate(samples(**BY_HAND))
    for rank in range(2):
        found = torch.load(tmp_path / f'rank_{rank}.pth', weights_only=True)
        assert found == expected


def test_reranking_is_an_option():
    rng = np.random.default_rng(0)
    case = dict(
        features=rng.normal(size=(40, 4)).astype(np.float32),
        pids=np.arange(40) % 5,
        cams=np.arange(40) // 10,
        is_query=np.arange(40) < 10)
    plain = evaluate(samples(**case))
    assert evaluate(samples(**case), rerank=False) == plain
    found = evaluate(samples(**case), rerank=True)
    assert found == evaluate(samples(**case), rerank=dict(k1=20, k2=6))
    assert found['reid/mAP'] != plain['reid/mAP']
    assert found['reid/num_valid_queries'] == 10
