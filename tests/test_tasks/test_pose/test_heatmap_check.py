"""Pipelines, heads and codecs that do not belong together."""
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

pytest.importorskip('mmpose')

from mmpose.codecs import MSRAHeatmap, UDPHeatmap  # noqa: E402
from mmpose.models.utils.tta import flip_heatmaps  # noqa: E402
from mmpose.registry import DATASETS, MODELS  # noqa: E402

from saip_mm.tasks.pose import check_codec, check_heatmaps  # noqa: E402
from ..tiny_backbone import shrink_backbone  # noqa: E402
from .coco_files import people, write_json  # noqa: E402

CONFIGS = Path(__file__).parents[3] / 'configs'
POSE = CONFIGS / 'pose/coco/vit_tiny.py'
WHOLE = CONFIGS / 'wholebody/coco_wholebody/vit_tiny.py'


@pytest.fixture
def parts(tmp_path):
    """Model and data set of a config after some changes."""

    def build(path=POSE, change=lambda cfg, steps: None):
        cfg = Config.fromfile(path)
        cfg.model.backbone = cfg.model.backbone.copy()
        cfg.model.head.in_channels = shrink_backbone(cfg.model.backbone)[-1]
        cfg.model.head.deconv_out_channels = (8, 8)
        data = cfg.train_dataloader.dataset
        change(cfg, {step.type: step for step in data.pipeline})
        data.ann_file = write_json(tmp_path / 'persons.json', people())
        data.data_root = None
        with DefaultScope.overwrite_default_scope('mmpose'):
            return MODELS.build(cfg.model), DATASETS.build(data)

    return build


@pytest.mark.parametrize('path', [POSE, WHOLE], ids=['pose', 'whole body'])
def test_configs_pass_and_the_model_is_left_as_it_was(path, parts):
    model, dataset = parts(path)
    model.train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    drawn = torch.get_rng_state()
    check_codec(model, dataset)
    check_heatmaps(model, dataset)
    assert all(module.training for module in model.modules())
    assert torch.equal(torch.get_rng_state(), drawn)
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_another_number_of_joints(parts):

    def change(cfg, steps):
        cfg.model.head.out_channels = 133

    error = 'head predicts 133 joints, data set PersonKeypoints.* has 17'
    with pytest.raises(ValueError, match=error):
        check_heatmaps(*parts(change=change))


def test_maps_of_another_size(parts):
    """Width and height mixed up, the usual cause."""

    def change(cfg, steps):
        cfg.model.head.decoder.heatmap_size = (64, 48)

    error = 'makes maps of 64x48 of pictures of 256x192, .* codec is 48x64'
    with pytest.raises(ValueError, match=error):
        check_heatmaps(*parts(change=change))


def test_a_deconvolution_too_few(parts):

    def change(cfg, steps):
        cfg.model.head.update(
            deconv_out_channels=(8, ), deconv_kernel_sizes=(4, ))

    with pytest.raises(ValueError, match='maps of 32x24 .* is 64x48'):
        check_heatmaps(*parts(change=change))


@pytest.mark.parametrize('change, error', [
    (lambda cfg, steps: steps['TopdownAffine'].update(input_size=(256, 192)),
     "crops 192x256, but the decoder's input_size is 256x192"),
    (lambda cfg, steps: steps['GenerateTarget'].encoder.update(
        heatmap_size=(96, 128)), 'heatmap_size 128x96, the head one of 64x48'),
    (lambda cfg, steps: steps['TopdownAffine'].update(use_udp=False),
     'use_udp is False with UDPHeatmap: it must be True'),
    (lambda cfg, steps: steps['GenerateTarget'].encoder.update(
        type='MSRAHeatmap'), 'encodes by MSRAHeatmap .* decodes by UDPHeat'),
    (lambda cfg, steps: cfg.model.test_cfg.update(shift_heatmap=True),
     'shift_heatmap is True with UDPHeatmap'),
])
def test_codecs_that_do_not_agree(parts, change, error):

    def copied(cfg, steps):
        steps['GenerateTarget'].encoder = steps['GenerateTarget'].encoder.copy(
        )
        change(cfg, steps)

    with pytest.raises(ValueError, match=error):
        check_codec(*parts(change=copied))


def test_an_unbiased_crop_with_rounded_targets(parts):

    def change(cfg, steps):
        steps['TopdownAffine'].use_udp = True

    with pytest.raises(ValueError, match='with MSRAHeatmap: it must be False'):
        check_codec(*parts(WHOLE, change))


def test_rounded_targets_whose_mirror_is_not_shifted(parts):

    def change(shift, flip=True):
        return lambda cfg, steps: cfg.model.test_cfg.update(
            shift_heatmap=shift, flip_test=flip)

    error = ('flip_test is on and shift_heatmap is not, with MSRAHeatmap, .* '
             '0.75 cells of 4 pixels .* 1.5 pixels of the crop off or more')
    with pytest.raises(ValueError, match=error):
        check_codec(*parts(WHOLE, change(False)))

    def unset(cfg, steps):
        del cfg.model.test_cfg['shift_heatmap']  # mmpose: as False

    with pytest.raises(ValueError, match=error):
        check_codec(*parts(WHOLE, unset))
    check_codec(*parts(WHOLE, change(True)))
    # without a flip test there is nothing to shift
    check_codec(*parts(WHOLE, change(False, flip=False)))
    check_codec(*parts(POSE, change(True, flip=False)))


@pytest.mark.parametrize('kind, unbiased, cell, error, shifted_error', [
    (MSRAHeatmap, False, 4, -2.2, 0.2),
    (MSRAHeatmap, True, 4, -1.5, 0.5),
    (MSRAHeatmap, False, 2, -0.8, 0.25),
    (MSRAHeatmap, True, 2, -0.5, 0.5),
    (MSRAHeatmap, False, 1, 0, 0.25),
    (MSRAHeatmap, True, 1, 0, 0.5),
    (UDPHeatmap, None, 4, 0, 2),
    (UDPHeatmap, None, 1, 0, 0.5),
])
def test_error_of_the_flip_test(kind, unbiased, cell, error, shifted_error,
                                parts):
    """Of perfect maps, in pixels of the crop, beside its check."""
    options = {} if unbiased is None else dict(unbiased=unbiased)
    codec = kind(
        input_size=(192, 256),
        heatmap_size=(192 // cell, 256 // cell),
        sigma=2,
        **options)
    rng = np.random.default_rng(0)
    joints = rng.uniform((30, 30), (160, 220), (10, 1, 17, 2))
    mirrored = joints.copy()
    mirrored[..., 0] = 191 - mirrored[..., 0]
    errors = {}
    for shift in (False, True):
        moved = []
        for one, other in zip(joints, mirrored):
            straight = codec.encode(one.astype(np.float32))['heatmaps']
            turned = codec.encode(other.astype(np.float32))['heatmaps']
            back = flip_heatmaps(
                torch.from_numpy(turned)[None], shift_heatmap=shift)[0]
            found = codec.decode((straight + back.numpy()) / 2)[0]
            # mmpose's way back to the picture: x / W, not x / (W - 1)
            scale = 191 / 192 if kind is UDPHeatmap else 1
            moved.append((found * scale - one)[..., 0])
        errors[shift] = np.mean(moved)
    assert errors[False] == pytest.approx(error, abs=0.15)
    assert errors[True] == pytest.approx(shifted_error, abs=0.15)
    model, dataset = parts(WHOLE if kind is MSRAHeatmap else POSE)
    model.head.decoder = codec
    for step in dataset.pipeline.transforms:
        if hasattr(step, 'encoder'):
            step.encoder = codec
    for shift, other in ((False, True), (True, False)):
        model.test_cfg['shift_heatmap'] = shift
        if abs(errors[shift]) > abs(errors[other]) + 0.3 and cell > 1:
            with pytest.raises(ValueError, match='shift_heatmap'):
                check_codec(model, dataset)
        elif abs(errors[shift]) < abs(errors[other]):
            check_codec(model, dataset)
