import numpy as np
import pytest

from .fashion_files import GARMENTS, changed, rectangle, write_fashion

pytest.importorskip('mmdet')

import pycocotools.mask as mask_utils  # noqa: E402
from mmcv.transforms import Compose  # noqa: E402
from mmdet.registry import TRANSFORMS  # noqa: E402
from mmdet.utils import register_all_modules  # noqa: E402

from saip_mm.tasks.part_attributes import FashionpediaDataset  # noqa: E402
from saip_mm.tasks.part_attributes.annotations import HUMAN_LABEL  # noqa: E402
from saip_mm.tasks.part_attributes.annotations import make_human  # noqa: E402

register_all_modules(init_default_scope=False)


def pipeline(*steps):
    return Compose([TRANSFORMS.build(dict(step)) for step in steps])


LOAD = dict(type='LoadImageFromFile')
LABELS = dict(type='LoadFashionAnnotations')
FILTER = dict(type='FilterFashionAnnotations')
PACK = dict(type='PackFashionInputs')


def first(root, *steps, test_mode=False, **changes):
    dataset = FashionpediaDataset(
        ann_file='instances_attributes_train2020.json',
        data_root=write_fashion(root, **changes),
        data_prefix=dict(img='train/'),
        test_mode=test_mode)
    return pipeline(*steps)(dataset.get_data_info(0))


def masks_of(*boxes, size=(60, 40)):
    masks = np.zeros((len(boxes), *size), np.uint8)
    for mask, (x, y, w, h) in zip(masks, boxes):
        mask[y:y + h, x:x + w] = 1
    return masks


BOXES = [garment[2] for garment in GARMENTS[:3]]


def test_human_comes_last_and_wears_everything(tmp_path):
    results = first(tmp_path, LOAD, LABELS)
    assert results['gt_bboxes_labels'].tolist() == [10, 31, 23, HUMAN_LABEL]
    # 4 - 10, 6 - 10, 32 + 10, 58 + 10, cut to 40x60
    assert results['gt_bboxes'].tensor[-1].tolist() == [0, 0, 40, 60]
    masks = results['gt_masks'].masks
    assert (masks[:3] == masks_of(*BOXES)).all()
    assert (masks[3] == masks[:3].max(0)).all()
    flags = results['gt_attributes']
    assert flags.dtype == np.uint8 and flags.shape == (4, 294)
    assert [row.nonzero()[0].tolist() for row in flags] == [[115, 136, 270],
                                                            [157], [], []]
    assert not results['gt_ignore_flags'].any()


def test_margin_of_the_human():
    garments = [
        dict(bbox=[30, 40, 50, 60], mask=[]),
        dict(bbox=[45, 20, 80, 50], mask=[])
    ]
    assert make_human(garments, 300, 200)['bbox'] == [20, 10, 90, 70]
    # a box that is nowhere in the picture is worn by nobody in it
    outside = dict(bbox=[200, 0, 260, 300], mask=[])
    assert make_human([*garments, outside], 300,
                      200)['bbox'] == [20, 10, 90, 70]


def test_human_of_run_lengths(tmp_path):
    """A crowd's; it is not trained on, but worn."""
    x, y, w, h = BOXES[1]
    mask = masks_of(BOXES[1])[0]
    runs = np.flatnonzero(np.diff(mask.T.reshape(-1), prepend=0, append=0))
    counts = np.diff(runs, prepend=0).tolist()
    counts.append(mask.size - sum(counts))
    outline = dict(size=[60, 40], counts=counts)
    assert mask_utils.area(mask_utils.frPyObjects(outline, 60, 40)) == w * h
    results = first(tmp_path, LOAD, LABELS,
                    **changed(1, segmentation=outline, iscrowd=1))
    assert (results['gt_masks'].masks[3] == masks_of(*BOXES).max(0)).all()
    assert results['gt_ignore_flags'].tolist() == [False, True, False, False]
    with pytest.raises(
            ValueError,
            match=r'annotation 1: its run lengths are of \[9, 9\] pixels'):
        first(tmp_path, LOAD, LABELS,
              **changed(1, segmentation=dict(outline, size=[9, 9])))


def test_no_human_in_tests(tmp_path):
    no_human = dict(LABELS, with_human=False)
    results = first(tmp_path, LOAD, no_human)
    assert results['gt_bboxes_labels'].tolist() == [10, 31, 23]


def test_pictures_without_labels(tmp_path):
    """As mmdet's inferencer hands them on."""
    path = f'{write_fashion(tmp_path)}/train/7.jpg'
    for labels in (LABELS, dict(LABELS, with_human=False)):
        steps = pipeline(LOAD, labels, PACK)
        found = steps(dict(img_path=path))['data_samples'].gt_instances
        assert len(found) == 0 and found.attributes.shape == (0, 294)


def test_object_without_outline():
    info = dict(
        img_path='7.jpg',
        ori_shape=(60, 40),
        instances=[dict(annotation_id=17, attributes=[])])
    with pytest.raises(
            ValueError, match="annotation 17 of 7.jpg has no 'segmentation'"):
        pipeline(LABELS)(info)


def test_filter_drops_small_objects_whole(tmp_path):
    """A quarter of the size: shoe 3x2, sleeve 2x3.5."""
    results = first(tmp_path, LOAD, LABELS,
                    dict(type='Resize', scale=(10, 15), keep_ratio=True),
                    dict(FILTER, min_gt_bbox_wh=(2.5, 2.5)))
    assert results['gt_bboxes_labels'].tolist() == [10, HUMAN_LABEL]
    assert len(results['gt_attributes']) == len(results['gt_masks']) == 2
    packed = pipeline(PACK)(results)['data_samples'].gt_instances
    assert packed.attributes.sum(1).tolist() == [3, 0]


def test_one_pixel_is_enough_and_the_human_stays(tmp_path):
    tiny = changed(1, bbox=[6, 10, 1, 1], segmentation=rectangle(6, 10, 1, 1))
    flat = changed(2, bbox=[10, 50, 12, .5])
    annotations = tiny['annotations'][:2] + flat['annotations'][2:]
    results = first(tmp_path, LOAD, LABELS, FILTER, annotations=annotations)
    assert results['gt_bboxes_labels'].tolist() == [10, 31, HUMAN_LABEL]
    alone = first(tmp_path, LOAD, LABELS, dict(FILTER, min_gt_bbox_wh=(99, 9)))
    assert alone['gt_bboxes_labels'].tolist() == [HUMAN_LABEL]


def test_nothing_is_left(tmp_path):
    no_human = dict(LABELS, with_human=False)
    large = dict(FILTER, min_gt_bbox_wh=(99, 99))
    assert first(tmp_path, LOAD, no_human, large) is None
    large['keep_empty'] = False
    results = first(tmp_path, LOAD, no_human, large)
    assert len(results['gt_attributes']) == 0


def test_packed_with_boxes_and_masks(tmp_path):
    sample = first(tmp_path, LOAD, LABELS, PACK,
                   **changed(1, iscrowd=1))['data_samples']
    assert sample.gt_instances.attributes.shape == (3, 294)
    assert sample.gt_instances.attributes[0].nonzero().flatten().tolist() == [
        115, 136, 270
    ]
    assert sample.gt_instances.labels.tolist() == [10, 23, HUMAN_LABEL]
    assert sample.ignored_instances.attributes[:, 157].tolist() == [1]


def test_flips_change_no_attribute(tmp_path):
    plain = first(tmp_path, LOAD, LABELS)
    flipped = first(tmp_path, LOAD, LABELS, dict(type='RandomFlip', prob=1.))
    assert (plain['gt_attributes'] == flipped['gt_attributes']).all()
    assert (
        plain['gt_masks'].masks[..., ::-1] == flipped['gt_masks'].masks).all()


def test_stock_filter_is_noticed(tmp_path):
    stock = dict(type='FilterAnnotations', min_gt_bbox_wh=(10, 10))
    with pytest.raises(
            ValueError,
            match='2 boxes, 4 attribute rows .*use FilterFashionAnnotations'):
        first(tmp_path, LOAD, LABELS, stock, PACK)
