"""Averages over sizes and mirrors, up to files and the config's pipeline."""
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from PIL import Image

pytest.importorskip('mmseg')

from mmengine.registry import DefaultScope  # noqa: E402
from mmengine.structures import PixelData  # noqa: E402
from mmseg.models import BaseSegmentor  # noqa: E402
from mmseg.registry import DATASETS, MODELS  # noqa: E402
from mmseg.structures import SegDataSample  # noqa: E402
from mmseg.utils import register_all_modules  # noqa: E402

from saip_mm.tasks.part_seg import ace2p  # noqa: E402
from saip_mm.tasks.part_seg.lip import FLIP_PAIRS  # noqa: E402
from ..lip_files import write_lip  # noqa: E402
from ..test_flip_tta import PERSON, Silent, colours  # noqa: E402

CONFIG = (
    Path(__file__).parents[4] / 'configs/part_seg/lip/starnet_s3_authors.py')


def version(logits, flip=False, **meta):
    sample = SegDataSample(
        metainfo=dict(flip=flip, flip_direction='horizontal', **meta))
    sample.seg_logits = PixelData(data=logits)
    return sample


def test_logits_are_averaged_left_and_right_exchanged():
    logits = torch.randn(3, 4, 5, 6)
    meta = dict(
        ori_shape=(9, 4),
        crop_shape=(5, 6),
        crop_matrix=ace2p.fit_matrix((9, 4), (5, 6)))
    merged, = ace2p.PartLogitTTA(
        Silent(), flip_pairs=[(1, 3)]).merge_preds([[
            version(logits[0], **meta),
            version(logits[1], flip=True, **meta),
            version(logits[2], **meta),
        ]])
    mean = (logits[0] + logits[1][[0, 3, 2, 1]] + logits[2]) / 3
    torch.testing.assert_close(merged.seg_logits.data, mean)
    wanted = ace2p.bring_back(
        mean.argmax(0, keepdim=True), meta['crop_matrix'], (9, 4))
    assert torch.equal(merged.pred_sem_seg.data, wanted)


def test_without_a_crop_it_decides_in_the_picture():
    logits = torch.randn(4, 5, 6)
    merged, = ace2p.PartLogitTTA(
        Silent(), flip_pairs=[]).merge_preds([[version(logits)]])
    assert torch.equal(merged.pred_sem_seg.data[0], logits.argmax(0))


class ByColour(ace2p.ACE2P):
    """Tells parts by colour, left from right by the half of the crop."""

    align_corners = False

    def __init__(self, data_preprocessor):
        BaseSegmentor.__init__(self, data_preprocessor)

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
    """Ten versions of the config's pipeline; mirrored, sides are swapped."""
    root = write_lip(tmp_path)
    Image.fromarray(colours()[PERSON]).save(
        tmp_path / 'val_images/0_0.jpg', format='PNG')  # colours stay
    Image.fromarray(PERSON).save(tmp_path / 'val_segmentations/0_0.png')
    (tmp_path / 'val_id.txt').write_text('0_0\n')
    register_all_modules(init_default_scope=False)
    cfg = Config.fromfile(CONFIG)
    assert cfg.tta_model.type == 'PartLogitTTA'
    data = cfg.test_dataloader.dataset
    data.data_root = root
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = ByColour(cfg.model.data_preprocessor)
        tta = MODELS.build(dict(cfg.tta_model, module=model))
        several = pseudo_collate(
            [DATASETS.build(dict(data, pipeline=cfg.tta_pipeline))[0]])
    sizes = [tuple(inputs[0].shape[1:]) for inputs in several['inputs']]
    wanted = [(288, 192), (432, 288), (576, 384), (720, 480), (864, 576)]
    assert sizes == [size for size in wanted for _ in range(2)]
    flips = [s[0].flip for s in several['data_samples']]
    assert flips == [False, True] * 5
    merged, = tta.test_step(several)
    assert merged.seg_logits.data.shape == (20, 576, 384)
    found = merged.pred_sem_seg.data[0].numpy()
    assert found.shape == PERSON.shape == (40, 32)
    # colours mix along borders, which are between the blocks of 8x8
    inner = np.kron(np.ones((5, 4)), np.pad(np.ones((6, 6)), 1)) > 0
    assert (found == PERSON)[inner].all()
    assert (found == PERSON).mean() > 0.9
