from typing import Tuple

import torch
from mmengine.dataset import BaseDataset
from mmengine.hooks import Hook
from mmpose.codecs import MSRAHeatmap, UDPHeatmap
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import HOOKS
from torch import nn

from saip_mm.engine.hooks.model_parts import bare_model


@HOOKS.register_module()
class HeatmapCheckHook(Hook):
    """Compares pipeline, head and codec before the first batch.

    What does not agree fails as a shape error in the loss, or not at all:
    a UDP codec with a plain crop costs half a pixel, mirrored maps that are
    not shifted cost more. Checked is what the config says: number of
    keypoints of the data set's ``metainfo``, sizes, codecs and flip test.

    Raises:
        ValueError: Before training, validation or testing, with both sides.
    """

    def before_train(self, runner) -> None:
        """Check with the training data, and those of the validation."""
        self._check(runner, runner.train_dataloader.dataset)
        if runner.val_loop is not None:
            self._check(runner, runner.val_dataloader.dataset)

    def before_val(self, runner) -> None:
        """Check with the validation data."""
        self._check(runner, runner.val_dataloader.dataset)

    def before_test(self, runner) -> None:
        """Check with the test data."""
        self._check(runner, runner.test_dataloader.dataset)

    def _check(self, runner, dataset: BaseDataset) -> None:
        model = bare_model(runner)
        check_codec(model, dataset)
        check_heatmaps(model, dataset)


def check_codec(model: nn.Module, dataset: BaseDataset) -> None:
    """Refuse a crop, a target or a flip test that belongs to another codec.

    Args:
        model (TopdownPoseEstimator): With a heat map head.
        dataset (BaseDataset): With its pipeline.

    Raises:
        ValueError: If sizes differ, or only one of them is unbiased (UDP),
            or the flip test would average maps that lie side by side.
    """
    codec, steps = model.head.decoder, _steps(dataset)
    crop, target = steps.get('TopdownAffine'), steps.get('GenerateTarget')
    if crop is not None and tuple(crop.input_size) != tuple(codec.input_size):
        raise ValueError(
            f'TopdownAffine crops {_size(crop.input_size)}, but the '
            f"decoder's input_size is {_size(codec.input_size)} (height x "
            'width; configs say width first)')
    encoder = getattr(target, 'encoder', codec)
    for name in ('input_size', 'heatmap_size'):
        ours, theirs = getattr(encoder, name), getattr(codec, name)
        if tuple(ours) != tuple(theirs):
            raise ValueError(
                f'GenerateTarget has a codec of {name} {_size(ours)}, the '
                f'head one of {_size(theirs)} (height x width)')
    if type(encoder) is not type(codec):
        raise ValueError(f'GenerateTarget encodes by {type(encoder).__name__} '
                         f'and the head decodes by {type(codec).__name__}')
    if not isinstance(codec, (MSRAHeatmap, UDPHeatmap)):
        return
    udp = isinstance(codec, UDPHeatmap)
    if crop is not None and crop.use_udp != udp:
        raise ValueError(
            f'TopdownAffine.use_udp is {crop.use_udp} with '
            f'{type(codec).__name__}: it must be {udp}, or all joints are off '
            'by half a pixel')
    _check_flip_test(model, codec)


def _check_flip_test(model: nn.Module, codec: BaseKeypointCodec) -> None:
    """Refuse mirrored maps that are averaged in the wrong place.

    With a plain crop, pixel x of W is W - 1 - x in the mirror. On maps with
    cells of s pixels, turned back, that is 1 - 1/s cells beside the other
    map, and 1/s with a shift by one; the mean is off by half of it. So from
    s = 3 on a shift is right, of rounded targets already at 2; of unbiased
    ones (UDP) first and last cell are first and last pixel, and nothing is
    to be shifted.
    """
    if not model.test_cfg.get('flip_test'):
        return
    shifted = bool(model.test_cfg.get('shift_heatmap'))
    if isinstance(codec, UDPHeatmap):
        if shifted:
            raise ValueError(
                'test_cfg.shift_heatmap is True with UDPHeatmap, whose '
                'mirrored maps need no shift: set it to False')
        return
    cell = codec.input_size[0] / codec.heatmap_size[0]
    if not shifted and (cell > 2 or cell == 2 and not codec.unbiased):
        raise ValueError(
            'test_cfg.flip_test is on and shift_heatmap is not, with '
            f'{type(codec).__name__}, whose mirrored maps lie '
            f'{1 - 1 / cell:.2f} cells of {cell:g} pixels to the side, so '
            f'that joints are {(cell - 1) / 2:g} pixels of the crop off or '
            'more: set shift_heatmap to True')


def check_heatmaps(model: nn.Module, dataset: BaseDataset) -> None:
    """Refuse a head that gives other maps than the data set's targets.

    Args:
        model (TopdownPoseEstimator): Is run on an empty picture, in eval
            mode.
        dataset (BaseDataset): With ``metainfo['num_keypoints']``.

    Raises:
        ValueError: If number or size of the maps differ.
    """
    head, codec = model.head, model.head.decoder
    joints = dataset.metainfo['num_keypoints']
    combined = getattr(codec, 'heatmap_type', '') == 'combined'
    if head.out_channels != joints * (3 if combined else 1):
        raise ValueError(f'head predicts {head.out_channels} joints, data set '
                         f'{type(dataset).__name__} has {joints}: set '
                         f'model.head.out_channels={joints}')
    width, height = codec.input_size
    mode, device = model.training, next(model.parameters()).device
    model.eval()
    with torch.no_grad():
        maps = model(torch.zeros(1, 3, height, width, device=device), None)
    model.train(mode)
    given = maps.shape[:-3:-1]  # width first, as the codec has it
    if tuple(given) != tuple(codec.heatmap_size):
        raise ValueError(
            f'the head makes maps of {_size(given)} of pictures of '
            f'{_size(codec.input_size)}, but the heatmap_size of its codec is '
            f'{_size(codec.heatmap_size)} (height x width; configs say width '
            'first): correct it, or the number of deconvolutions')


def _steps(dataset: BaseDataset) -> dict:
    return {type(step).__name__: step for step in dataset.pipeline.transforms}


def _size(width_first: Tuple[int, int]) -> str:
    width, height = width_first
    return f'{height}x{width}'
