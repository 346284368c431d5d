import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip('mmseg')

from mmseg.evaluation import IoUMetric  # noqa: E402

from saip_mm.tasks import part_seg  # noqa: E402
from saip_mm.tasks.part_seg import PartSegMetric  # noqa: E402

META = part_seg.LIPPartsDataset.METAINFO


def rows(text):
    """'2·4 0 ×2 / 5·4' -> array; c·n is n pixels of class c."""
    result = []
    for row in text.split('/'):
        row, _, times = row.partition('×')
        pixels = []
        for run in row.split():
            value, _, count = run.partition('·')
            pixels += [int(value)] * int(count or 1)
        result += [pixels] * int(times or 1)
    return torch.tensor(result)


# two people worked out by hand
LABEL_1 = rows('2·4 0 13·4 0 ×2/13·4 0 5·4 0 ×2/5·4 0 5·4 0 ×2/'
               '5·4 0 16 16 17 17 0 ×2')
PREDICTION_1 = rows('2·4 0 13·4 0 ×2/13·4 0 7·4 0 ×3/5·4 0 7·4 0 ×1/'
                    '5·4 0 17 17 16 16 0 ×2')
LABEL_2 = rows('0·10 ×1/0·2 13·6 0·2 ×3/0·2 14 10·4 15 0·2 ×2/'
               '0·2 10·6 0·2 ×2')
PREDICTION_2 = LABEL_2.clone()
PREDICTION_2[1, 2:8] = 2
PEOPLE = [(LABEL_1, PREDICTION_1), (LABEL_2, PREDICTION_2)]


def evaluate(people, metric=None):
    metric = metric or PartSegMetric()
    metric.dataset_meta = META
    samples = [
        dict(
            gt_sem_seg=dict(data=label[None]),
            pred_sem_seg=dict(data=prediction[None]),
            img_path=f'folder/{i}.jpg')
        for i, (label, prediction) in enumerate(people)
    ]
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def test_worked_case():
    scores = evaluate(PEOPLE)
    assert scores['mIoU'] == pytest.approx(56.8327067669, abs=1e-9)
    assert scores['mAcc'] == pytest.approx(68.8725490196, abs=1e-9)
    assert scores['aAcc'] == 78.75
    confusion = sum(part_seg.confusion_matrix(*p, 20) for p in PEOPLE)
    iou = part_seg.part_scores(confusion.numpy())['IoU']
    wanted = {
        0: 1.0,
        2: 0.57142857,
        5: 0.375,
        7: 0.0,  # predicted, nowhere labelled
        10: 1.0,
        13: 0.73684211,
        14: 1.0,
        15: 1.0,
        16: 0.0,
        17: 0.0
    }
    for name in range(20):
        if name in wanted:
            assert iou[name] == pytest.approx(100 * wanted[name], abs=1e-6)
        else:
            assert np.isnan(iou[name])


def test_restated_pixel_by_pixel_and_by_mmseg():
    rng = np.random.default_rng(0)
    people = []
    for size in ((7, 5), (4, 9), (11, 3)):
        label = rng.integers(0, 20, size)
        label[rng.random(size) < 0.2] = 255
        people.append(
            (torch.tensor(label), torch.tensor(rng.integers(0, 18, size))))
    scores = evaluate(people)
    pixels = [(a, b) for label, prediction in people
              for a, b in zip(label.flatten().tolist(),
                              prediction.flatten().tolist()) if a != 255]
    ious, accs = [], []
    for c in range(20):
        both = sum(a == b == c for a, b in pixels)
        either = sum(c in (a, b) for a, b in pixels)
        labelled = sum(a == c for a, b in pixels)
        ious += [100 * both / either] if either else []
        accs += [100 * both / labelled] if labelled else []
    assert scores['mIoU'] == pytest.approx(np.mean(ious), abs=1e-9)
    assert scores['mAcc'] == pytest.approx(np.mean(accs), abs=1e-9)
    hits = 100 * sum(a == b for a, b in pixels) / len(pixels)
    assert scores['aAcc'] == pytest.approx(hits, abs=1e-9)
    theirs = evaluate(people, IoUMetric())
    for key in scores:  # rounded to two decimals there
        assert theirs[key] == pytest.approx(scores[key], abs=0.0051)


def test_ignored_picture_adds_nothing():
    nothing = torch.full((3, 3), 255)
    assert evaluate(PEOPLE + [(nothing, nothing * 0)]) == evaluate(PEOPLE)
    with pytest.raises(ValueError, match='no pixel to evaluate'):
        evaluate([(nothing, nothing * 0)])


@pytest.mark.parametrize('label, prediction, error', [
    (torch.tensor([[37]]), torch.tensor([[0]]), '0.jpg: a label holds cl.*37'),
    (torch.tensor([[0]]), torch.tensor([[20]]), 'prediction holds class 20'),
    (torch.tensor([[0]]), torch.tensor([[0, 1]]), r'\(1, 1\).*\(1, 2\)'),
])
def test_bad_values(label, prediction, error):
    with pytest.raises(ValueError, match=error):
        evaluate([(label, prediction)])


def test_predictions_are_written_with_the_palette(tmp_path):
    evaluate(PEOPLE, PartSegMetric(output_dir=str(tmp_path / 'out')))
    with Image.open(tmp_path / 'out/1.png') as image:
        assert (np.array(image) == PREDICTION_2.numpy()).all()
        assert image.convert('RGB').getpixel((2, 1)) == (255, 0, 0)  # hair


def test_ignored_labels_are_counted_in_the_log(monkeypatch):
    lines = []
    monkeypatch.setattr('saip_mm.tasks.part_seg.metric.print_log',
                        lambda message, *args: lines.append(message))
    nothing = torch.full((3, 3), 255)
    evaluate(PEOPLE)
    assert len(lines) == 1  # the table
    evaluate([(nothing, nothing * 0), *PEOPLE, (nothing, nothing * 0)])
    assert any('2 of 4 labels are 255 (ignored)' in line for line in lines)


def test_two_pictures_of_one_name_are_not_written_over(tmp_path):
    metric = PartSegMetric(output_dir=str(tmp_path / 'out'))
    metric.dataset_meta = META
    sample = dict(
        gt_sem_seg=dict(data=LABEL_1[None]),
        pred_sem_seg=dict(data=PREDICTION_1[None]))
    metric.process({}, [dict(sample, img_path='a/1.jpg')] * 2)
    with pytest.raises(ValueError, match='b/1.png and a/1.jpg would both'):
        metric.process({}, [dict(sample, img_path='b/1.png')])


def test_twelve_classes_of_ones_own():
    """Two of 12 are seen; the others do not count."""
    metric = PartSegMetric()
    metric.dataset_meta = dict(classes=[str(i) for i in range(12)])
    label = torch.tensor([[11, 11, 11, 4]])
    metric.process({}, [
        dict(
            gt_sem_seg=dict(data=label[None]),
            pred_sem_seg=dict(data=torch.tensor([[[11, 11, 4, 4]]])),
            img_path='a.jpg')
    ])
    scores = metric.evaluate(1)
    assert scores['mIoU'] == pytest.approx(100 * (2 / 3 + 1 / 2) / 2)
    assert scores['mAcc'] == pytest.approx(100 * (2 / 3 + 1) / 2)
