from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from PIL import Image
from torch import nn

pytest.importorskip('mmseg')

from mmengine.registry import DefaultScope  # noqa: E402
from mmengine.structures import PixelData  # noqa: E402
from mmseg.models import BaseSegmentor  # noqa: E402
from mmseg.registry import DATASETS, MODELS  # noqa: E402
from mmseg.structures import SegDataSample  # noqa: E402
from mmseg.utils import register_all_modules  # noqa: E402

from saip_mm.tasks.part_seg import LIPPartsDataset, PartFlipTTA  # noqa: E402
from saip_mm.tasks.part_seg.lip import FLIP_PAIRS  # noqa: E402
from .lip_files import write_lip  # noqa: E402

CONFIG = Path(__file__).parents[3] / 'configs/part_seg/lip/vit_tiny.py'
# somebody who faces us, 8x8 pixels a class: every left is in the right half
PERSON = np.kron([[1, 2, 3, 0], [15, 4, 5, 6], [7, 8, 9, 14], [17, 19, 16, 10],
                  [11, 12, 13, 18]], np.ones((8, 8))).astype(np.uint8)  # 40x32


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


def colours():
    """``(20, 3)`` RGB by class; left and right look the same."""
    palette = np.array(LIPPartsDataset.METAINFO['palette'], dtype=np.uint8)
    for left, right in FLIP_PAIRS:
        palette[right] = palette[left]
    return palette


class ByColour(BaseSegmentor):
    """Tells parts by colour, left from right by the half of the picture."""

    align_corners = False

    def extract_feat(self, inputs):
        raise AssertionError('not called here')

    encode_decode = loss = _forward = extract_feat

    def predict(self, inputs, data_samples):
        rgb = inputs * self.data_preprocessor.std + self.data_preprocessor.mean
        parts = torch.from_numpy(colours()).float()[:, :, None, None]
        far = (rgb[:, None] - parts).abs().sum(2)  # (B, 20, H, W)
        middle = rgb.shape[-1] // 2
        for left, right in FLIP_PAIRS:
            far[:, left, :, :middle] += 100
            far[:, right, :, middle:] += 100
        return self.postprocess_result(-far / 50, data_samples)


def test_from_files_to_the_unflipped_answer(tmp_path):
    """The config's pipeline; mirrored, the model swaps the sides."""
    root = write_lip(tmp_path)
    Image.fromarray(colours()[PERSON]).save(
        tmp_path / 'val_images/0_0.jpg', format='PNG')  # colours stay
    Image.fromarray(PERSON).save(tmp_path / 'val_segmentations/0_0.png')
    register_all_modules(init_default_scope=False)
    cfg = Config.fromfile(CONFIG)
    data = cfg.test_dataloader.dataset
    data.data_root = root
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = ByColour(cfg.model.data_preprocessor)
        tta = MODELS.build(dict(cfg.tta_model, module=model))
        plain, several = [
            pseudo_collate([dataset[i] for i in range(3)]) for dataset in (
                DATASETS.build(data),
                DATASETS.build(dict(data, pipeline=cfg.tta_pipeline)))
        ]
    assert len(several['inputs']) == 2
    assert [s.flip for s in several['data_samples'][1]] == [True] * 3
    wanted, merged = model.test_step(plain), tta.test_step(several)
    assert (wanted[0].pred_sem_seg.data[0].numpy() == PERSON).all()
    assert (merged[0].pred_sem_seg.data[0].numpy() == PERSON).all()
    for own, other in zip(merged, wanted):
        torch.testing.assert_close(own.seg_logits.data,
                                   other.seg_logits.data.softmax(0))
        assert torch.equal(own.gt_sem_seg.data, other.gt_sem_seg.data)
        assert own.img_path == other.img_path
