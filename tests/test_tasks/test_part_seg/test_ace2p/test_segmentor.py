import copy

import numpy as np
import pytest
import torch

pytest.importorskip('mmseg')

from mmseg.structures import SegDataSample  # noqa: E402

from saip_mm.tasks.part_seg.ace2p import bring_back, fit_matrix  # noqa: E402
from .tiny import build_model, samples  # noqa: E402


def test_the_average_is_asked_and_is_no_part_of_the_model():
    model = build_model(dropout_ratio=0)
    average = copy.deepcopy(model).eval()
    names = list(model.state_dict())
    model.learn_from(average, 2)
    assert list(model.state_dict()) == names
    assert len(list(model.modules())) == len(list(average.modules()))
    inputs = torch.randn(2, 3, 48, 32)
    refined = model.loss(inputs, samples())
    sum(v for k, v in refined.items() if 'loss' in k).backward()
    assert all(p.grad is None for p in average.parameters())
    assert all(p.grad is not None for p in model.parameters())

    with torch.no_grad():
        said = average.decode_head.forward_branches(
            average.extract_feat(inputs))
        wanted = model.decode_head.loss(
            model.extract_feat(inputs), samples(), average=said, count=2)
    for name, value in wanted.items():
        torch.testing.assert_close(refined[f'decode.{name}'], value)
    model.learn_from(None, 0)
    hard = model.loss(inputs, samples())
    assert set(hard) == set(refined)
    assert hard['decode.loss_edge'] != refined['decode.loss_edge']


def fitted(shape, crop, **meta):
    return SegDataSample(
        metainfo=dict(
            ori_shape=shape,
            crop_shape=crop,
            crop_matrix=fit_matrix(shape, crop),
            **meta))


def test_classes_go_back_to_the_pictures():
    """At another size than the crop's, one of them a mirror image."""
    model = build_model()
    torch.manual_seed(0)
    logits = torch.randn(2, 5, 24, 16)
    given = [
        fitted((30, 11), (48, 32)),
        fitted((20, 40), (48, 32), flip=True, flip_direction='horizontal')
    ]
    found = model.postprocess_result(logits.clone(), given)
    for sample, own in zip(found, (logits[:1], logits[1:].flip(3))):
        own = torch.nn.functional.interpolate(
            own, size=(48, 32), mode='bilinear', align_corners=False)
        torch.testing.assert_close(sample.seg_logits.data, own[0])
        wanted = bring_back(
            own.argmax(1), sample.crop_matrix, sample.ori_shape)
        assert torch.equal(sample.pred_sem_seg.data, wanted)
        assert wanted.shape == (1, *sample.ori_shape)


def test_pictures_that_were_not_fitted_are_left_to_the_parent():
    model = build_model()
    logits = torch.randn(1, 5, 48, 32)
    sample = SegDataSample(metainfo=dict(ori_shape=(24, 16)))
    found, = model.postprocess_result(logits, [sample])
    assert found.seg_logits.data.shape == (5, 24, 16)
    assert model.postprocess_result(logits)[0].pred_sem_seg.data.shape == (1,
                                                                           48,
                                                                           32)


def test_predicts_for_a_fitted_picture():
    model = build_model().eval()
    sample = fitted((33, 20), (48, 32), img_shape=(48, 32))
    picture = np.random.default_rng(0).integers(0, 255, (3, 48, 32))
    data = dict(
        inputs=[torch.from_numpy(picture.astype(np.uint8))],
        data_samples=[sample])
    with torch.no_grad():
        found, = model.test_step(data)
    assert found.pred_sem_seg.data.shape == (1, 33, 20)
