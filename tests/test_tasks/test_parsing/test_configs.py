"""CIHP's configs: two steps of training and a test, tiny."""
from pathlib import Path

import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.runner import Runner

from saip_mm.apis import evaluate
from ..photographs import REAL, needs_photographs
from ..tiny_backbone import shrink_backbone, shrink_run
from .cihp_files import write_cihp

FOLDER = Path(__file__).parents[3] / 'configs/parsing'
CONFIGS = sorted((FOLDER / 'cihp').rglob('*.py'))
PAPER = [p for p in CONFIGS if not p.stem.startswith('demo')]
SCALE = (96, 64)
SIXTH = (224, 134)  # long and short side of the configs, over six
WIDTH = 8
METRICS = {'mIoU', 'APp_vol', 'APp_50', 'PCP_50', 'mAcc', 'pixel_acc'}


def shrink(path, root, work_dir):
    cfg = shrink_run(Config.fromfile(path), work_dir)
    model = cfg.model
    widths = shrink_backbone(model.backbone)
    plain = model.neck.type == 'mmpretrain.SimpleFPN'
    model.neck.update(
        in_channels=widths[0] if plain else list(widths), out_channels=WIDTH)
    model.rpn_head.update(in_channels=WIDTH, feat_channels=WIDTH)
    for extractor in ('bbox_roi_extractor', 'mask_roi_extractor'):
        model.roi_head[extractor].out_channels = WIDTH
    model.roi_head.bbox_head.update(in_channels=WIDTH, fc_out_channels=16)
    model.roi_head.mask_head.update(
        in_channels=WIDTH, conv_channels=32, aspp_channels=8, num_convs=1)
    for part in (model.train_cfg.rpn_proposal, model.test_cfg.rpn):
        part.update(nms_pre=60, max_per_img=40)
    shrink_maps(model, side=8, out=32)
    return set_data(cfg, root, SCALE, max_iters=2)


def shrink_maps(model, side, out):
    model.roi_head.mask_roi_extractor.roi_layer.output_size = side
    model.roi_head.mask_head.update(roi_feat_size=side, out_size=out)
    # sure of nobody at the start: draw and parse somebody all the same
    model.test_cfg.rcnn.update(score_thr=0., max_per_img=4)


def set_data(cfg, root, scale, max_iters):
    """Other pictures, in another size, for some iterations; drawn."""
    for name in ('train', 'val', 'test'):
        dataset = cfg[f'{name}_dataloader'].dataset
        dataset.data_root = root
        for transform in dataset.pipeline:
            if transform.type == 'Resize':
                transform.scale = scale
            elif transform.type == 'RandomChoiceResize':
                transform.scales = [scale, (scale[0] // 2, scale[1] // 2)]
    cfg.train_cfg.update(max_iters=max_iters, val_interval=max_iters)
    cfg.param_scheduler = [
        dict(type='LinearLR', start_factor=0.1, end=max_iters, by_epoch=False)
    ]
    cfg.default_hooks.checkpoint.interval = max_iters
    cfg.default_hooks.logger.interval = 1
    cfg.default_hooks.visualization.update(draw=True, interval=1, score_thr=0.)
    return cfg


def check_run(runner, steps):
    """All losses of the model, finite, and the metric of a training."""
    scalars = runner.message_hub.log_scalars
    losses = {name for name in scalars if name.startswith('train/loss')}
    assert losses == {
        f'train/{name}'
        for name in ('loss', 'loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls',
                     'loss_bbox', 'loss_parsing')
    }
    for name in losses:
        history = torch.tensor(scalars[name].data[0])
        assert len(history) == steps and history.isfinite().all(), name
    assert scalars['train/loss_parsing'].data[0].min() > 0
    for parameter in runner.model.parameters():
        assert parameter.isfinite().all()
    for metric in METRICS:
        assert 0 <= scalars[f'val/cihp/{metric}'].current() <= 1


@pytest.fixture
def root(tmp_path):
    write_cihp(tmp_path / 'cihp')
    return write_cihp(tmp_path / 'cihp', split='val')


@pytest.mark.slow
@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_trains_and_tests(path, root, tmp_path):
    cfg = shrink(path, root, tmp_path / 'work')
    runner = Runner.from_cfg(cfg)
    runner.train()
    check_run(runner, steps=2)
    small = str(tmp_path / 'small.py')
    cfg.dump(small)
    drawn = list((tmp_path / 'work').rglob('vis_image/val_img*.png'))
    assert len(drawn) == 4
    metrics = evaluate(
        small,
        str(tmp_path / 'work/iter_2.pth'),
        work_dir=str(tmp_path / 'test'))
    assert {f'cihp/{name}' for name in METRICS} < set(metrics)
    assert {'cihp/APp/90', 'cihp/PCP/10', 'cihp/IoU/Hair'} < set(metrics)
    best = list((tmp_path / 'work').glob('best_cihp_mIoU_iter_2.pth'))
    assert len(best) == 1


def test_a_head_of_another_number_of_parts(root, tmp_path):
    cfg = shrink(CONFIGS[0], root, tmp_path / 'work')
    cfg.model.roi_head.mask_head.num_parts = 19
    error = 'roi_head.mask_head.num_parts is 19, but CIHPDataset has 20 parts'
    with pytest.raises(ValueError, match=error):
        Runner.from_cfg(cfg).train()


@pytest.mark.parametrize('path', PAPER, ids=lambda path: path.stem)
def test_full_size_parameters(path):
    """The detector's of the pedestrians and 13.2 M; and the metafile."""
    from mmdet.registry import MODELS
    from mmdet.utils import register_all_modules
    register_all_modules(init_default_scope=False)
    cfg = Config.fromfile(path)
    cfg.model['_scope_'] = 'mmdet'
    model = MODELS.build(cfg.model)
    head = sum(p.numel() for p in model.roi_head.mask_head.parameters())
    assert head == 13_212_436
    count = sum(p.numel() for p in model.parameters())
    assert round(count / 1e6, 2) == {
        'vit_tiny': 35.88,
        'starnet_s3': 35.69,
        'tinyvit_5m': 35.31,
    }[path.stem]
    metafile = yaml.safe_load((path.parents[1] / 'metafile.yml').read_text())
    own = path.relative_to(path.parents[3]).as_posix()
    row, = (row for row in metafile['Models'] if row['Config'] == own)
    numbers = row['Metadata']
    assert numbers['Parameters'] == count
    assert numbers['Iterations'] == cfg.train_cfg.max_iters
    assert numbers['Batch Size'] == 8 * cfg.train_dataloader.batch_size
    paper = {
        'vit_tiny': (48.2, 46.9),
        'starnet_s3': (50.3, 48.6),
        'tinyvit_5m': (51.8, 50.7),
    }[path.stem]
    results = [result['Metrics'] for result in row['Results']]
    assert results == [dict(zip(('mIoU (paper)', 'AP_p (paper)'), paper))]


@pytest.mark.parametrize('path', PAPER, ids=lambda path: path.stem)
def test_recipe_of_the_reference(path):
    """Parsing R-CNN's "1x multi-scale", but for the optimiser."""
    cfg = Config.fromfile(path)
    model, rcnn = cfg.model, cfg.model.train_cfg.rcnn
    anchors = model.rpn_head.anchor_generator
    assert (anchors.scales, anchors.ratios) == ([8], [0.5, 1.0, 2.0])
    assert (rcnn.sampler.num, rcnn.sampler.pos_fraction) == (512, 0.25)
    for cfgs, number in ((model.train_cfg.rpn_proposal, 2000),
                         (model.test_cfg.rpn, 1000)):
        assert (cfgs.nms_pre, cfgs.max_per_img) == (number, number)
    tested = model.test_cfg.rcnn
    assert (tested.score_thr, tested.nms.iou_threshold,
            tested.max_per_img) == (0.05, 0.5, 100)
    assert model.roi_head.train_rois == 16
    head = model.roi_head.mask_head
    assert head.loss_parsing.loss_weight == 2
    assert (head.roi_feat_size, head.out_size) == (32, 128)
    assert model.roi_head.mask_roi_extractor.featmap_strides == [4]
    assert model.data_preprocessor.seg_pad_value == 0
    assert cfg.train_cfg.max_iters == 45_000
    warm_up, steps = cfg.param_scheduler
    assert (warm_up.start_factor, warm_up.end) == (0.01, 500)
    assert steps.milestones == [30_000, 40_000]
    assert [step.type for step in cfg.train_dataloader.dataset.pipeline] == [
        'LoadImageFromFile', 'CheckImageSize', 'LoadParsing',
        'RandomChoiceResize', 'ParsingRandomFlip', 'PackParsingInputs'
    ]


@pytest.mark.slow
@needs_photographs
@pytest.mark.parametrize('path', PAPER, ids=lambda path: path.stem)
def test_whole_width_on_photographs(path, tmp_path):
    """Four steps and two tests on two photos, drawn; short side 134."""
    cfg = shrink_run(Config.fromfile(path), tmp_path / 'work')
    set_data(cfg, str(REAL / 'cihp'), SIXTH, max_iters=4)
    cfg.train_dataloader.batch_size = 1
    cfg.model.roi_head.train_rois = 2
    shrink_maps(cfg.model, side=16, out=64)
    for name in ('train', 'val', 'test'):  # there are training pictures only
        cfg[f'{name}_dataloader'].dataset.update(
            ann_file=str(tmp_path / 'index.json'),
            id_file='train_id.txt',
            data_prefix=dict(
                img='images', category='Category_ids', human='Human_ids'))
    runner = Runner.from_cfg(cfg)
    runner.train()
    check_run(runner, steps=4)
    assert 0 < runner.test()['cihp/pixel_acc'] <= 1
    for mode in ('val', 'test'):
        pictures = (tmp_path / 'work').rglob(f'vis_image/{mode}_img*.png')
        assert len(list(pictures)) == 2
