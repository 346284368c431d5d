import pytest
import torch
from torch import nn

pytest.importorskip('mmseg')

from mmengine.structures import PixelData  # noqa: E402
from mmseg.structures import SegDataSample  # noqa: E402

from saip_mm.tasks.part_seg import PartFlipTTA  # noqa: E402
from saip_mm.tasks.part_seg.lip import FLIP_PAIRS  # noqa: E402


class Silent(nn.Module):

    def test_step(self, data):
        raise AssertionError('not called here')


def version(logits, flip):
    sample = SegDataSample(
        metainfo=dict(
            flip=flip,
            flip_direction='horizontal' if flip else None,
            img_path='a.jpg'))
    sample.seg_logits = PixelData(data=logits)
    return sample


def mirrored_answer(logits):
    """What a perfectly symmetric model says of the mirror, mirrored back."""
    answer = logits.clone()
    for a, b in FLIP_PAIRS:
        answer[[a, b]] = logits[[b, a]]
    return answer


def test_a_symmetric_model_is_left_as_it_is():
    logits = torch.randn(20, 6, 4) * 3
    merged, = PartFlipTTA(Silent()).merge_preds([
        (version(logits, False), version(mirrored_answer(logits), True))
    ])
    torch.testing.assert_close(merged.seg_logits.data, logits.softmax(0))
    assert (merged.pred_sem_seg.data[0] == logits.argmax(0)).all()


def test_mean_of_probabilities():
    first, second = torch.randn(2, 20, 3, 5)
    label = PixelData(data=torch.zeros(1, 3, 5))
    plain = version(first, False)
    plain.gt_sem_seg = label
    merged, = PartFlipTTA(Silent()).merge_preds([(plain, version(second,
                                                                 True))])
    wanted = (first.softmax(0) + mirrored_answer(second.softmax(0))) / 2
    torch.testing.assert_close(merged.seg_logits.data, wanted)
    assert merged.gt_sem_seg is label and merged.img_path == 'a.jpg'


def test_a_vertical_flip_exchanges_nothing():
    logits = torch.randn(20, 2, 2)
    sample = version(logits, True)
    sample.set_metainfo(dict(flip_direction='vertical'))
    merged, = PartFlipTTA(Silent()).merge_preds([(sample, )])
    torch.testing.assert_close(merged.seg_logits.data, logits.softmax(0))
