"""A known proposal comes out at the picture's own size."""
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData

pytest.importorskip('mmdet')

from mmdet.registry import MODELS  # noqa: E402
from mmdet.structures import DetDataSample  # noqa: E402
from mmdet.utils import register_all_modules  # noqa: E402

from saip_mm.tasks import detection  # noqa: E402,F401
from ..tiny_backbone import shrink_backbone  # noqa: E402

CONFIGS = Path(__file__).parents[3] / 'configs/detection/crowdhuman'
BOX = [-10., 20., 50., 100.]  # in the network's picture, leaving it


def build(path):
    model = Config.fromfile(path).model
    widths = shrink_backbone(model.backbone)
    model.neck.update(in_channels=list(widths), out_channels=8)
    model.rpn_head.update(in_channels=8, feat_channels=8)
    model.roi_head.bbox_roi_extractor.out_channels = 8
    model.roi_head.bbox_head.update(in_channels=8, fc_out_channels=8)
    model['_scope_'] = 'mmdet'
    return MODELS.build(model).eval()


@pytest.mark.parametrize('name', ['starnet_s3', 'starnet_s3_crowddet'])
@torch.no_grad()
def test_boxes_are_those_of_the_picture(name):
    register_all_modules(init_default_scope=False)
    model = build(CONFIGS / f'{name}.py')
    for parameter in model.roi_head.bbox_head.parameters():
        parameter.zero_()  # boxes stay where they were proposed
    proposal = InstanceData(
        bboxes=torch.tensor([BOX]),
        scores=torch.ones(1),
        labels=torch.zeros(1, dtype=torch.long))
    model.rpn_head.predict = lambda *args, **kwargs: [proposal]
    sample = DetDataSample(
        metainfo=dict(
            img_shape=(128, 96),
            ori_shape=(64, 24),
            scale_factor=(4., 2.),  # width, height
            batch_input_shape=(128, 128)))
    result, = model.predict(torch.zeros(1, 3, 128, 128), [sample])
    boxes = result.pred_instances.bboxes
    assert result.pred_instances.labels.dtype == torch.int64
    assert len(boxes)
    wanted = torch.tensor(BOX) / torch.tensor([4., 2., 4., 2.])
    torch.testing.assert_close(boxes, wanted.expand_as(boxes))
