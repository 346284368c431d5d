import json

import numpy as np
import pytest
import torch

from saip_mm.datasets.fashion_taxonomy import attribute_index
from .fashion_files import (GARMENTS, SIZES, changed, content, rectangle,
                            write_fashion)

pytest.importorskip('mmdet')

from saip_mm.tasks.part_attributes import FashionpediaDataset  # noqa: E402
from saip_mm.tasks.part_attributes import FashionpediaMetric  # noqa: E402
from saip_mm.tasks.part_attributes.attribute_scores import score  # noqa: E402
from saip_mm.tasks.part_attributes.fashion_file import \
    read_fashion  # noqa: E402
from saip_mm.tasks.part_attributes.predictions import \
    FashionLabels  # noqa: E402

NAME = 'instances_attributes_val2020.json'
AVERAGES = ('AP_iou_f1', 'AP_iou', 'AP_f1', 'AP50_f150', 'AP_o', 'AP_a',
            'AP_p', 'AP_s', 'AR@100')


def metric_of(root, **kwargs):
    metric = FashionpediaMetric(**kwargs)
    metric.dataset_meta = FashionpediaDataset(
        ann_file=NAME,
        data_root=root,
        data_prefix=dict(img='test/'),
        test_mode=True).metainfo
    return metric


def samples(shift=0, drop_attributes=False):
    """Predictions as the labels are, boxes moved."""
    for picture, size in SIZES.items():
        own = [garment for garment in GARMENTS if garment[0] == picture]
        boxes = torch.tensor([box for _, _, box, _ in own]).float()
        boxes[:, 2:] += boxes[:, :2]
        masks = torch.zeros(len(own), *size, dtype=torch.bool)
        flags = torch.zeros(len(own), 294, dtype=torch.bool)
        for mask, row, (_, _, (x, y, w, h), ids) in zip(masks, flags, own):
            mask[y:y + h, x:x + w] = True
            if not drop_attributes:
                row[[attribute_index(i) for i in ids]] = True
        found = dict(
            bboxes=boxes + shift,
            scores=torch.linspace(.9, .5, len(own)),
            labels=torch.tensor([garment[1] for garment in own]),
            masks=masks,
            attributes=flags,
            attribute_scores=flags.float())
        yield dict(img_id=picture, ori_shape=size, pred_instances=found)


def evaluate(metric, batch):
    metric.process({}, batch)
    return {
        key.removeprefix('fashionpedia/'): value
        for key, value in metric.evaluate(len(batch)).items()
    }


def test_all_right(tmp_path):
    found = evaluate(metric_of(write_fashion(tmp_path)), list(samples()))
    assert found == {
        f'{kind}_{key}': pytest.approx(1.)
        for kind in ('bbox', 'segm')
        for key in (*AVERAGES, 'AP_m')
    }  # no large object: no such key


def test_wrong_attributes_count_by_f1_alone(tmp_path):
    """Two objects without attributes stay right: shoe, and shirt."""
    metric = metric_of(write_fashion(tmp_path), metric='bbox', classwise=True)
    found = evaluate(metric, list(samples(drop_attributes=True)))
    for key in ('iou', 'iou_f1/shoe', 'iou_f1/shirt, blouse'):
        assert found[f'bbox_AP_{key}'] == pytest.approx(1.)
    # almost half of F1 is for attributes that nobody names
    assert found['bbox_AP_iou_f1/dress'] == 0
    assert found['bbox_AP_iou_f1'] == pytest.approx((1 + 10) / 51)
    assert 'bbox_AP_iou_f1/vest' not in found
    assert not any(key.startswith('segm') for key in found)


def test_moved_boxes_are_worse_than_masks(tmp_path):
    found = evaluate(metric_of(write_fashion(tmp_path)), list(samples(2)))
    assert 0 < found['bbox_AP_iou_f1'] < 1
    assert found['segm_AP_iou_f1'] == pytest.approx(1.)


def test_numbering_from_0_misses_nothing(tmp_path):
    """The file's annotations count from 0, which means 'none' to COCO."""
    root = write_fashion(tmp_path)
    file = read_fashion(f'{root}/{NAME}')
    assert content()['annotations'][0]['id'] == 0
    assert [one['id'] for one in file.annotations] == [1, 2, 3, 4, 5, 6]


def test_crowds_are_neither_found_nor_missed(tmp_path):
    root = write_fashion(tmp_path, **changed(2, iscrowd=1))
    whole = evaluate(metric_of(root, classwise=True), list(samples()))
    assert 'bbox_AP_iou_f1/shoe' not in whole
    assert whole['bbox_AP_iou_f1'] == pytest.approx(1.)


def test_nothing_is_detected(tmp_path, log):
    batch = list(samples())
    for one in batch:
        for key, value in one['pred_instances'].items():
            one['pred_instances'][key] = value[:0]
    found = evaluate(metric_of(write_fashion(tmp_path)), batch)
    assert set(found.values()) == {0.}
    assert 'bbox_AP_iou_f1' in found
    assert 'Nothing was detected' in log.text


def test_pictures_without_result(tmp_path):
    metric = metric_of(write_fashion(tmp_path))
    with pytest.raises(ValueError, match='2 of 3 pictures of .*first 8'):
        evaluate(metric, list(samples())[:1])


def test_nothing_to_evaluate(tmp_path):
    root = write_fashion(tmp_path, annotations=[])
    with pytest.raises(ValueError, match='nothing to evaluate: none of its 3'):
        metric_of(root)


def test_written_with_ids(tmp_path):
    prefix = str(tmp_path / 'found')
    metric = metric_of(
        write_fashion(tmp_path / 'data'),
        format_only=True,
        outfile_prefix=prefix)
    assert evaluate(metric, list(samples())) == {}
    rows = json.loads((tmp_path / 'found.json').read_text())
    assert [row['category_id'] for row in rows] == [g[1] for g in GARMENTS]
    assert rows[0]['attribute_ids'] == [115, 136, 317]
    assert rows[0]['bbox'] == [4, 6, 28, 40]
    assert rows[0]['segmentation']['size'] == [60, 40]
    # and can be scored from the file
    root = str(tmp_path / 'data')
    labels = FashionLabels(read_fashion(f'{root}/{NAME}'), NAME)
    for kind in ('bbox', 'segm'):
        assert score(labels.pair(rows, kind)).ap() == pytest.approx(1.)


def test_refused_settings():
    with pytest.raises(ValueError, match="must be of .*got 'mask'"):
        FashionpediaMetric(metric=['bbox', 'mask'])
    with pytest.raises(ValueError, match='format_only needs outfile_prefix'):
        FashionpediaMetric(format_only=True)


@pytest.mark.parametrize('change, error', [
    (dict(image_id=99), 'val.json has no picture 99'),
    (dict(category_id=46), 'category id 46 does not exist; ids are 0-45'),
    (dict(attribute_ids=[250]), 'attribute id 250 does not exist'),
    (dict(attribute_ids=[284]), 'attribute id 284 does not exist'),
])
def test_predictions_of_what_is_unknown(tmp_path, change, error):
    file = read_fashion(f'{write_fashion(tmp_path)}/{NAME}')
    one = dict(
        image_id=7,
        category_id=10,
        score=1.,
        bbox=[4, 6, 28, 40],
        segmentation=rectangle(4, 6, 28, 40),
        attribute_ids=[115])
    labels = FashionLabels(file, 'val.json')
    with pytest.raises(ValueError, match=error):
        labels.pair([one | change], 'bbox')


def test_more_than_a_hundred_of_a_category(tmp_path):
    """The hundred best count: the one that fits is the last, or left out."""
    file = read_fashion(f'{write_fashion(tmp_path)}/{NAME}')
    labels = FashionLabels(file, NAME)

    def row(number, box):
        return dict(
            image_id=7,
            category_id=23,
            score=1 - number / 1000,
            bbox=box,
            attribute_ids=[])

    for wrong, right in ((99, 1.), (100, 0.)):
        rows = [row(i, [0, 0, 3, 3]) for i in range(wrong)]
        rows.append(row(wrong, [10, 50, 12, 8]))
        pairs = labels.pair(rows, 'bbox')[23]
        assert len(pairs[0].scores) == 100
        scores = score({23: pairs})
        assert scores.ar() == right
        assert scores.ar(10) == 0
        assert scores.ap() == pytest.approx(right / 100)


def test_scores_of_equal_worth_keep_their_order(tmp_path):
    file = read_fashion(f'{write_fashion(tmp_path)}/{NAME}')
    labels = FashionLabels(file, NAME)
    right, wrong = [10, 50, 12, 8], [0, 0, 3, 3]
    for boxes, wanted in (((right, wrong), 1.), ((wrong, right), .5)):
        rows = [
            dict(
                image_id=7,
                category_id=23,
                score=.5,
                bbox=box,
                attribute_ids=[]) for box in boxes
        ]
        found = score(labels.pair(rows, 'bbox'))
        assert np.isclose(found.ap(categories=[23]), wanted)
