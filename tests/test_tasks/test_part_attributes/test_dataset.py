import pytest

from .fashion_files import GARMENTS, changed, rectangle, write_fashion

pytest.importorskip('mmdet')

from saip_mm.tasks.part_attributes import FashionpediaDataset  # noqa: E402


def data(root, **kwargs):
    return FashionpediaDataset(**dict(
        ann_file='instances_attributes_train2020.json',
        data_root=root,
        data_prefix=dict(img='train/')) | kwargs)


def test_yields_garments(tmp_path):
    dataset = data(write_fashion(tmp_path))
    info = dataset.get_data_info(0)
    assert (info['img_id'], info['height'], info['width']) == (7, 60, 40)
    assert info['img_path'].endswith('train/7.jpg')
    assert info['instances'][0] == dict(
        bbox=[4, 6, 32, 46],
        bbox_label=10,
        ignore_flag=0,
        mask=rectangle(*GARMENTS[0][2]),
        attributes=[115, 136, 270],
        annotation_id=0)
    labels = [[one['bbox_label'] for one in info['instances']]
              for info in dataset]
    assert labels == [[10, 31, 23], [4], [0, 33]]


def test_tells_model_and_metric_what_there_is(tmp_path):
    meta = data(write_fashion(tmp_path)).metainfo
    assert len(meta['classes']) == len(meta['palette']) == 47
    assert meta['classes'][0] == 'shirt, blouse'
    assert meta['classes'][46] == 'human'
    assert meta['attributes'][183] == 'v-neck'
    assert meta['attribute_ids'][235] == 281
    assert meta['ann_file'].endswith('instances_attributes_train2020.json')


def test_pictures_without_garments_are_left_out_of_training(tmp_path, log):
    root = write_fashion(tmp_path, **changed(3, iscrowd=1))
    rule = dict(filter_empty_gt=True)
    assert len(data(root, filter_cfg=rule)) == 2
    assert '1 of 3 pictures show nothing to be found' in log.text
    assert len(data(root, filter_cfg=rule, test_mode=True)) == 3


def test_a_picture_whose_outlines_show_nothing_is_left_out(tmp_path):
    """There would be no human either: nobody's mask is a union of nothing."""
    root = write_fashion(tmp_path, **changed(3, segmentation=[[1, 1, 2, 2]]))
    assert len(data(root, filter_cfg=dict(filter_empty_gt=True))) == 2
    assert data(root)[1]['instances'][0]['ignore_flag'] == 1


def test_nothing_to_train_on(tmp_path):
    root = write_fashion(tmp_path, annotations=[])
    with pytest.raises(ValueError, match='box of one of the 47 categories'):
        data(root)


def test_pictures_of_another_folder(tmp_path):
    root = write_fashion(tmp_path)
    with pytest.raises(
            FileNotFoundError,
            match=r"val/7.jpg .* val and test pictures live in one folder, "
            r"data_prefix=dict\(img='test/'\)"):
        data(root, data_prefix=dict(img='val/'))


def test_other_classes_are_refused(tmp_path):
    with pytest.raises(ValueError, match='metainfo.classes cannot be chosen'):
        data(write_fashion(tmp_path), metainfo=dict(classes=('dress', )))
