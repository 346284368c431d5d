import numpy as np
import pytest
import torch

from mmpretrain.registry import METRICS
from saip_mm.tasks.attributes import AttributeMetric
from .test_scores import LABELS, SCORES


def samples(labels=LABELS, scores=SCORES, losses=None):
    found = [
        dict(
            gt_score=torch.tensor(label, dtype=torch.float32),
            pred_score=torch.tensor(score, dtype=torch.float32),
            img_path=f'{place}.jpg')
        for place, (label, score) in enumerate(zip(labels, scores))
    ]
    for sample, loss in zip(found, losses or ()):
        sample['loss'] = torch.tensor(loss)
    return found


def metric(names='abcd', **kwargs):
    made = METRICS.build(dict(type='AttributeMetric', **kwargs))
    made.dataset_meta = dict(classes=tuple(names))
    return made


@pytest.mark.parametrize('batches', [[4], [1, 3], [1, 1, 1, 1]])
def test_every_picture_counts_once(batches):
    made, rest = metric(), samples(losses=[1., 2., 3., 6.])
    for count in batches:
        made.process(None, rest[:count])
        rest = rest[count:]
    assert made.evaluate(4) == pytest.approx({
        'attribute/mA': 70.83333,
        'attribute/Acc': 41.66667,
        'attribute/Prec': 54.16667,
        'attribute/Rec': 62.5,
        'attribute/F1': 58.03571,
        'attribute/loss': 3.
    })


def test_table_and_what_lowers_the_mean(log):
    made = metric(['hat', 'bag', 'shoes', 'scarf'])
    made.process(None, samples())
    assert 'attribute/loss' not in made.evaluate(4)
    assert '| hat ' in log.text and '83.33' in log.text
    assert 'no picture has scarf: the mA of such an attribute' in log.text
    made = metric(table=False)
    made.process(None, samples(np.ones((2, 4)), np.ones((2, 4))))
    log.clear()
    made.evaluate(2)
    assert 'all have a, b, c, d' in log.text and '| a' not in log.text


def test_bad_input():
    made = metric()
    with pytest.raises(ValueError, match='1.jpg is not a number'):
        made.process(None,
                     samples(LABELS, np.where(SCORES == .6, np.nan, SCORES)))
    with pytest.raises(ValueError, match=r'scores \(4,\) but labels \(3,\)'):
        made.process(None, samples(LABELS[:, :3]))
    unlabelled = samples()[0]
    del unlabelled['gt_score']
    with pytest.raises(ValueError, match='0.jpg has no gt_score'):
        made.process(None, [unlabelled])
    with pytest.raises(ValueError, match='nothing to evaluate'):
        AttributeMetric().compute_metrics([])
