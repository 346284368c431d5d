"""CrowdHuman's configs: two steps of training and a test, tiny."""
from pathlib import Path

import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.runner import Runner

pytest.importorskip('mmdet')

from saip_mm.apis import evaluate  # noqa: E402
from ..photographs import REAL, needs_photographs  # noqa: E402
from ..tiny_backbone import shrink_backbone, shrink_run  # noqa: E402
from .coco_files import write_coco  # noqa: E402
from .crowd_files import PICTURES, write_crowd  # noqa: E402

FOLDER = Path(__file__).parents[3] / 'configs/detection'
CONFIGS = sorted((FOLDER / 'crowdhuman').rglob('*.py'))
OWN = FOLDER / 'own/example.py'
WHOLE = [p for p in CONFIGS if not p.stem.startswith('demo')]
PAPER = [p for p in WHOLE if not p.stem.endswith('_authors')]
SCALE = (96, 64)
QUARTER = (350, 200)  # long and short side of the configs, over four
WIDTH = 8


def shrink(path, root, work_dir):
    cfg = shrink_run(Config.fromfile(path), work_dir)
    model = cfg.model
    widths = shrink_backbone(model.backbone)
    shrink_neck(model, widths)
    model.rpn_head.update(in_channels=WIDTH, feat_channels=WIDTH)
    model.roi_head.bbox_roi_extractor.out_channels = WIDTH
    model.roi_head.bbox_head.update(in_channels=WIDTH, fc_out_channels=16)
    for part in (model.train_cfg.rpn_proposal, model.test_cfg.rpn):
        part.update(nms_pre=60, max_per_img=40)
    return set_data(cfg, root, SCALE)


def shrink_neck(model, widths):
    """Of one neck, or of what stands before an FPN and that."""
    *before, neck = model.neck if isinstance(model.neck,
                                             list) else [model.neck]
    width = widths[-1]
    for part in before:
        if part.type == 'mmpretrain.MapPyramid':
            part.in_channels = width
            widths = (width // 4, width // 2, width, width)
        else:
            part.channels = width
    if model.backbone.get('neck_channels'):
        model.backbone.neck_channels = WIDTH
        widths = (*widths[:2], width, WIDTH)
    plain = neck.type == 'mmpretrain.SimpleFPN'
    neck.update(
        in_channels=width if plain else list(widths), out_channels=WIDTH)


def set_data(cfg, root, scale):
    """Other pictures, in another size, for one epoch; drawn."""
    for augment in cfg.model.data_preprocessor.get('batch_augments', []):
        augment.scale = scale
    for name in ('train', 'val', 'test'):
        dataset = cfg[f'{name}_dataloader'].dataset
        dataset.data_root = root
        for transform in dataset.pipeline:
            if transform.type in ('Resize', 'RandomResize'):
                transform.scale = scale
    cfg.train_cfg.update(max_epochs=1, val_interval=1)
    cfg.param_scheduler = cfg.param_scheduler[1:]
    cfg.default_hooks.checkpoint.interval = 1
    cfg.default_hooks.logger.interval = 1
    cfg.default_hooks.visualization.update(draw=True, interval=1)
    return cfg


def check_run(runner):
    """All losses of the model, finite, and the metric of a training."""
    scalars = runner.message_hub.log_scalars
    losses = [name for name in scalars if name.startswith('train/loss')]
    model = runner.cfg.model
    parts = {'loss_cls', 'loss_bbox'}
    if model.type == 'CrowdDet':
        parts = {'loss_rcnn_emd', 'loss_rcnn_emd_ref'}
        if not model.roi_head.bbox_head.with_refine:
            parts = {'loss_rcnn_emd'}
    wanted = parts | {'loss', 'loss_rpn_cls', 'loss_rpn_bbox'}
    assert {name[len('train/'):] for name in losses} == wanted
    for name in losses:
        assert torch.tensor(scalars[name].data[0]).isfinite().all(), name
    for parameter in runner.model.parameters():
        assert parameter.isfinite().all()
    assert 0 <= scalars['val/crowd_human/mMR'].current() <= 1


@pytest.fixture
def root(tmp_path):
    write_crowd(tmp_path / 'crowd', PICTURES)
    return write_crowd(tmp_path / 'crowd', PICTURES, 'val')


@pytest.mark.slow
@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_trains_and_tests(path, root, tmp_path):
    cfg = shrink(path, root, tmp_path / 'work')
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.iter == 2  # three pictures show persons
    check_run(runner)
    small = str(tmp_path / 'small.py')
    cfg.dump(small)
    drawn = list((tmp_path / 'work').rglob('vis_image/val_img*.png'))
    assert len(drawn) == 4
    metrics = evaluate(
        small,
        str(tmp_path / 'work/epoch_1.pth'),
        work_dir=str(tmp_path / 'test'))
    assert set(metrics) == {
        f'crowd_human/{name}'
        for name in ('mAP', 'mMR', 'recall', 'JI')
    }


@pytest.mark.slow
def test_categories_of_ones_own(tmp_path):
    """By the example of COCO's format."""
    files = write_coco(tmp_path / 'own')
    cfg = shrink(OWN, files, tmp_path / 'work')
    runner = Runner.from_cfg(cfg)
    runner.train()
    scalars = runner.message_hub.log_scalars
    for name in ('bbox_mAP', 'person_precision', 'bicycle_precision'):
        assert 0 <= scalars[f'val/coco/{name}'].current() <= 1
    assert 'coco/bbox_mAP' in runner.test()
    assert len(list((tmp_path / 'work').rglob('vis_image/test_img*.png'))) == 3
    cfg.model.roi_head.bbox_head.num_classes = 3
    cfg.work_dir = str(tmp_path / 'other')
    cfg.experiment_name = 'other'
    error = 'roi_head.bbox_head.num_classes is 3, but CocoBoxesDataset has 2'
    with pytest.raises(ValueError, match=error):
        Runner.from_cfg(cfg).train()


@pytest.mark.parametrize('path', WHOLE, ids=lambda path: path.stem)
def test_full_size_parameters(path):
    """CrowdDet adds its second person and the refinement; the metafile."""
    from mmdet.registry import MODELS
    from mmdet.utils import register_all_modules
    register_all_modules(init_default_scope=False)
    cfg = Config.fromfile(path)
    cfg.model['_scope_'] = 'mmdet'
    count = sum(p.numel() for p in MODELS.build(cfg.model).parameters())
    assert round(count / 1e6, 2) == {
        'vit_tiny': 22.67,
        'starnet_s3': 22.47,
        'tinyvit_5m': 22.10,
        'vit_tiny_crowddet': 23.76,
        'starnet_s3_crowddet': 23.56,
        'tinyvit_5m_crowddet': 23.19,
        # a head less, and what makes stride 32
        'vit_tiny_authors': 23.01,
        'starnet_s3_authors': 23.07,
        'tinyvit_5m_authors': 22.80,
    }[path.stem]
    metafile = yaml.safe_load((path.parents[1] / 'metafile.yml').read_text())
    own = path.relative_to(path.parents[3]).as_posix()
    row, = (row for row in metafile['Models'] if row['Config'] == own)
    numbers = row['Metadata']
    assert numbers['Parameters'] == count
    assert numbers['Epochs'] == cfg.train_cfg.max_epochs
    assert numbers['Batch Size'] == cfg.auto_scale_lr.base_batch_size
    paper = {
        'vit_tiny': (87.1, 49.6),
        'starnet_s3': (88.1, 47.4),
        'tinyvit_5m': (90.5, 40.4),
    }.get(path.stem)
    results = [result['Metrics'] for result in row.get('Results', [])]
    keys = ('AP (paper)', 'MR^-2 (paper)')
    assert results == ([dict(zip(keys, paper))] if paper else [])


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_boxes_may_leave_the_picture(path):
    model = Config.fromfile(path).model
    for head in (model.rpn_head, model.roi_head.bbox_head):
        assert head.bbox_coder.clip_border is False
    for transform in Config.fromfile(path).train_dataloader.dataset.pipeline:
        if transform.type in ('Resize', 'RandomResize'):
            assert transform.clip_object_border is False


@pytest.mark.slow
@needs_photographs
@pytest.mark.parametrize('path', PAPER, ids=lambda path: path.stem)
def test_whole_width_on_photographs(path, tmp_path):
    """Four steps and two tests on three photos, drawn; short side 200."""
    cfg = shrink_run(Config.fromfile(path), tmp_path / 'work')
    set_data(cfg, str(REAL / 'coco'), QUARTER)
    cfg.train_dataloader.batch_size = 1
    for name in ('train', 'val', 'test'):
        split = 'train' if name == 'train' else 'val'
        cfg[f'{name}_dataloader'].dataset.update(
            ann_file=f'crowdhuman_style/annotation_{split}.odgt',
            data_prefix=dict(img=f'{split}2017/'))
    cfg.train_dataloader.dataset.indices = 4
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.iter == 4
    check_run(runner)
    assert 0 <= runner.test()['crowd_human/JI'] <= 1
    for mode in ('val', 'test'):
        pictures = (tmp_path / 'work').rglob(f'vis_image/{mode}_img*.png')
        assert len(list(pictures)) == 3
