import json
import os

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from PIL import Image

from saip_mm.tasks.parsing import ParsingMetric
from saip_mm.tasks.parsing.archive_check import split_of
from saip_mm.tasks.parsing.parts import PARTS
from .cihp_files import write_cihp
from .golden import GOLDEN, PICTURES

NAMES = ('0000003', '0000001')  # the list's order is another


def write_golden(root):
    """The worked pictures as a data set; meta information for the metric."""
    write_cihp(root, {name: ((8, 10), []) for name in NAMES}, 'val')
    folder = root / 'Validation'
    for name, (persons, _) in zip(NAMES, PICTURES):
        humans = sum(number * (g > 0) for number, g in enumerate(persons, 1))
        for kind, values in (('Category_ids', sum(persons)), ('Human_ids',
                                                              humans)):
            Image.fromarray(values.astype(np.uint8)).save(folder / kind /
                                                          f'{name}.png')
    split = split_of(str(root), 'val')
    return dict(parts=PARTS, split=split._asdict())


def sample(number, found, size=(8, 10)):
    return dict(
        img_id=number,
        ori_shape=size,
        pred_instances=dict(
            scores=torch.tensor([score for score, _ in found]),
            parsings=[(0, 0, p.astype(np.uint8)) for _, p in found]))


SAMPLES = [sample(int(name), found)
           for name, (_, found) in zip(NAMES, PICTURES)]  # yapf: disable


@pytest.fixture
def meta(tmp_path):
    return write_golden(tmp_path)


def evaluate(meta, samples, **kwargs):
    metric = ParsingMetric(**kwargs)
    metric.dataset_meta = meta
    for one in samples:
        metric.process({}, [one])
    return metric.evaluate(2)


@pytest.mark.parametrize('order', [1, -1])
def test_worked_case(meta, order):
    """Whatever order the pictures come in."""
    scores = evaluate(meta, SAMPLES[::order])
    assert scores == pytest.approx(
        {
            'cihp/mIoU': GOLDEN['mIoU'],
            'cihp/APp_vol': GOLDEN['vol'],
            'cihp/APp_50': GOLDEN['AP'][4],
            'cihp/PCP_50': GOLDEN['PCP'][4],
            'cihp/mAcc': GOLDEN['mAcc'],
            'cihp/pixel_acc': GOLDEN['pixel']
        },
        abs=1e-10)
    assert all(type(value) is float for value in scores.values())


def test_details(meta):
    scores = evaluate(meta, SAMPLES, details=True)
    assert [scores[f'cihp/APp/{t}']
            for t in range(10, 100, 10)] == pytest.approx(GOLDEN['AP'])
    assert [scores[f'cihp/PCP/{t}']
            for t in range(10, 100, 10)] == pytest.approx(
                GOLDEN['PCP'], abs=1e-9)
    assert scores['cihp/IoU/Background'] == 1
    assert scores['cihp/IoU/Torso-skin'] == 1
    assert np.isnan(scores['cihp/IoU/Hat'])


def test_what_is_kept_is_small(meta):
    metric = ParsingMetric()
    metric.dataset_meta = meta
    metric.process({}, SAMPLES)
    for number, table, matches in metric.results:
        arrays = (table, *matches)
        assert sum(array.nbytes for array in arrays) < 4000
        assert all(array.base is None or array.base.nbytes < 4000
                   for array in arrays)


def test_nobody_detected(meta, log):
    nothing = [sample(int(name), []) for name in NAMES]
    scores = evaluate(meta, nothing)
    assert scores['cihp/APp_vol'] == scores['cihp/PCP_50'] == 0
    # all background, one of nine that are there
    labelled = sum((g > 0).sum() for persons, _ in PICTURES for g in persons)
    assert scores['cihp/pixel_acc'] == (160 - labelled) / 160
    assert scores['cihp/mIoU'] == pytest.approx((160 - labelled) / 160 / 9)
    assert 'Nobody was detected' in log.text
    assert evaluate(meta, nothing, skip_empty=True)['cihp/mIoU'] == 0


def test_empty_pictures_may_be_left_out_of_miou(meta):
    samples = [SAMPLES[0], sample(1, [])]
    whole = evaluate(meta, samples)
    left_out = evaluate(meta, samples, skip_empty=True)
    assert left_out['cihp/mIoU'] > whole['cihp/mIoU']
    for key in ('APp_vol', 'PCP_50'):
        assert left_out[f'cihp/{key}'] == whole[f'cihp/{key}']


def test_pixels_of_nobody_count_in_miou_alone(meta, tmp_path):
    path = tmp_path / 'Validation/Category_ids/0000001.png'
    parts = np.array(Image.open(path))
    before = evaluate(meta, SAMPLES)
    parts[0, 0] = 9
    Image.fromarray(parts).save(path)
    after = evaluate(meta, SAMPLES)
    assert after['cihp/mIoU'] < before['cihp/mIoU']
    for key in ('APp_vol', 'APp_50', 'PCP_50'):
        assert after[f'cihp/{key}'] == before[f'cihp/{key}']


def test_the_first_of_two_of_a_picture_counts(meta):
    padded = [*SAMPLES, sample(3, [])]
    assert evaluate(meta, SAMPLES) == evaluate_all(meta, padded)


def evaluate_all(meta, samples):
    metric = ParsingMetric()
    metric.dataset_meta = meta
    metric.process({}, samples)
    scores = metric.compute_metrics(metric.results)
    return {f'cihp/{key}': value for key, value in scores.items()}


@pytest.mark.parametrize('samples, error', [
    ([SAMPLES[0], sample(7, [])], 'picture 7 is not in .*cihp_val.json'),
    ([SAMPLES[0]], '1 of 2 pictures of .* have no result, first 0000001'),
    ([sample(3, [], (9, 10))], r'0000003: predicted at \(9, 10\), its lab'),
    ([sample(3, [(0.5, np.zeros((9, 10)))])], '0000003: person 0 covers'),
    ([sample(3, [(0.5, np.full((8, 10), 20))])], 'person 0 has a part 20'),
])
def test_what_does_not_belong_together(meta, samples, error):
    with pytest.raises(ValueError, match=error):
        evaluate(meta, samples)


def test_nobody_annotated_is_told_before_training(tmp_path):
    write_cihp(tmp_path, {'0000001': ((8, 10), [])}, 'val')
    split = split_of(str(tmp_path), 'val')
    with pytest.raises(ValueError, match='no person to evaluate in its 1 pic'):
        ParsingMetric().dataset_meta = dict(parts=PARTS, split=split._asdict())


def evaluate_as_rank(rank, port, meta, root):
    os.chdir(root)  # mmengine collects in a folder there
    dist.init_process_group(
        'gloo', f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    scores = evaluate(meta, SAMPLES[rank::2])
    (root / f'{rank}.json').write_text(json.dumps(scores))
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_give_the_same(meta, tmp_path, free_port):
    mp.spawn(evaluate_as_rank, (free_port, meta, tmp_path), 2)
    wanted = evaluate(meta, SAMPLES)
    for rank in range(2):
        assert json.loads((tmp_path / f'{rank}.json').read_text()) == wanted


def test_errors_name_whose_parts_they_are(meta, tmp_path):
    """Not CIHP's, where a user has others."""
    folder = tmp_path / 'Validation/Category_ids'
    metric = ParsingMetric()
    own = dict(meta, parts=('background', *'abcdefghijklmnopqrs'))
    metric.dataset_meta = own  # as many, other names
    Image.fromarray(np.full((8, 10), 20,
                            np.uint8)).save(folder / '0000003.png')
    with pytest.raises(ValueError, match=r"20; metainfo\['parts'\] has 0-19"):
        metric.process({}, SAMPLES[:1])
