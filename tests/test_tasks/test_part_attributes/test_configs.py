"""Fashionpedia's configs: two steps of training and a test, tiny."""
from pathlib import Path

import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.runner import Runner

pytest.importorskip('mmdet')

from saip_mm.apis import evaluate  # noqa: E402
from saip_mm.engine.launch_options import adapt_amp_to_cpu  # noqa: E402
from saip_mm.tasks.part_attributes.knowledge import \
    write_knowledge  # noqa: E402
from ..photographs import REAL  # noqa: E402
from ..photographs import needs_photographs  # noqa: E402
from ..tiny_backbone import shrink_backbone  # noqa: E402
from ..tiny_backbone import shrink_run  # noqa: E402
from .fashion_files import write_fashion  # noqa: E402
from .tiny_head import WIDTH  # noqa: E402
from .tiny_head import shrink_head  # noqa: E402

FOLDER = Path(__file__).parents[3] / 'configs/part_attributes'
CONFIGS = sorted((FOLDER / 'fashionpedia').glob('*.py'))
PAPER = [p for p in CONFIGS if not p.stem.startswith('demo')]
AUTHORS = [p for p in PAPER if p.stem.endswith('_authors')]
DEFAULT = [p for p in PAPER if p not in AUTHORS]
PHOTOGRAPHS = REAL / 'fashionpedia'
SCALE = (96, 96)


def name_of(path):
    return path.stem


def shrink(path, knowledge, work_dir):
    """Same parts and wiring, small widths and pictures, one epoch; drawn."""
    cfg = shrink_run(Config.fromfile(path), work_dir)
    model = cfg.model
    widths = shrink_backbone(model.backbone)
    plain = model.neck.type == 'mmpretrain.SimpleFPN'
    model.neck.update(
        in_channels=widths[0] if plain else list(widths), out_channels=WIDTH)
    model.rpn_head.update(in_channels=WIDTH, feat_channels=WIDTH)
    shrink_head(model.roi_head, knowledge)
    for part in (model.train_cfg.rpn_proposal, model.test_cfg.rpn):
        part.update(nms_pre=60, max_per_img=40)
    model.test_cfg.rcnn.update(score_thr=0.01, max_per_img=20)
    adapt_amp_to_cpu(cfg)
    return cfg


def set_data(cfg, root, scale=SCALE):
    """Other pictures, in another size, for one epoch; drawn."""
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


LOSSES = {
    'loss', 'loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'loss_bbox',
    'loss_mask', 'loss_attribute'
}
KEYS = ('AP_iou_f1', 'AP_iou', 'AP_f1', 'AP50_f150', 'AR@100')


def check_run(runner):
    """All losses of the model, finite, and the metric of a training."""
    scalars = runner.message_hub.log_scalars
    losses = {name for name in scalars if name.startswith('train/loss')}
    assert {name[len('train/'):] for name in losses} == LOSSES
    for name in losses:
        assert torch.tensor(scalars[name].data[0]).isfinite().all(), name
    for parameter in runner.model.parameters():
        assert parameter.isfinite().all()
    for kind in ('bbox', 'segm'):
        for key in KEYS:
            value = scalars[f'val/fashionpedia/{kind}_{key}'].current()
            assert 0 <= value <= 1


def knowledge_of(folder, out):
    path = str(out / 'knowledge.npy')
    write_knowledge(folder, path)
    return path


@pytest.fixture
def root(tmp_path):
    return write_fashion(tmp_path / 'fashion')


@pytest.mark.slow
@pytest.mark.parametrize('path', CONFIGS, ids=name_of)
def test_trains_and_tests(path, root, tmp_path):
    ann_file = f'{root}/instances_attributes_train2020.json'
    knowledge = knowledge_of(ann_file, tmp_path)
    cfg = set_data(shrink(path, knowledge, tmp_path / 'work'), root)
    cfg.train_dataloader.batch_size = 2
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.iter == 2  # three pictures, of two forms
    check_run(runner)
    # the checkpoint holds the knowledge: no file is needed to test
    cfg.model.roi_head.attribute_head.knowledge = None
    small = str(tmp_path / 'small.py')
    cfg.dump(small)
    drawn = list((tmp_path / 'work').rglob('vis_image/val_img*.png'))
    assert len(drawn) == 3
    metrics = evaluate(
        small,
        str(tmp_path / 'work/epoch_1.pth'),
        work_dir=str(tmp_path / 'test'))
    assert {f'fashionpedia/bbox_{key}' for key in KEYS} <= set(metrics)
    assert 'fashionpedia/segm_AP_iou_f1/dress' in metrics


@pytest.mark.slow
@needs_photographs
@pytest.mark.parametrize('path', PAPER, ids=name_of)
def test_on_a_photograph(path, tmp_path):
    """Six garments of one picture, long side 128, four steps; drawn."""
    ann_file = 'instances_attributes_final_taxonomy.json'
    knowledge = knowledge_of(str(PHOTOGRAPHS / ann_file), tmp_path)
    cfg = shrink(path, knowledge, tmp_path / 'work')
    set_data(cfg, str(PHOTOGRAPHS), (128, 128))
    for name in ('train', 'val', 'test'):
        cfg[f'{name}_dataloader'].dataset.update(
            ann_file=ann_file, data_prefix=dict(img='images/'))
    cfg.train_dataloader.batch_size = 1
    cfg.train_cfg.update(max_epochs=4, val_interval=4)
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.iter == 4
    check_run(runner)
    assert 0 <= runner.test()['fashionpedia/segm_AP_iou_f1/dress'] <= 1
    assert len(list((tmp_path / 'work').rglob('test_img*.png'))) == 1


PARAMETERS = dict(
    vit_tiny=29_944_730, starnet_s3=29_745_994, tinyvit_5m=29_372_990)
RESULTS = dict(
    vit_tiny=(38.0, 35.5), starnet_s3=(33.9, 31.3), tinyvit_5m=(39.2, 35.8))


@pytest.mark.parametrize('path', PAPER, ids=name_of)
def test_full_size_parameters(path):
    """The metafile's, and the paper's results with the default alone."""
    from mmdet.registry import MODELS
    from mmdet.utils import register_all_modules
    register_all_modules(init_default_scope=False)
    cfg = Config.fromfile(path)
    cfg.model['_scope_'] = 'mmdet'
    cfg.model.roi_head.attribute_head.knowledge = None
    count = sum(p.numel() for p in MODELS.build(cfg.model).parameters())
    backbone = path.stem.removesuffix('_authors')
    assert count == PARAMETERS[backbone]
    metafile = yaml.safe_load((FOLDER / 'metafile.yml').read_text())
    own = path.relative_to(FOLDER.parents[1]).as_posix()
    row, = (row for row in metafile['Models'] if row['Config'] == own)
    numbers = row['Metadata']
    assert numbers['Parameters'] == count
    assert numbers['Epochs'] == cfg.train_cfg.max_epochs == 32
    assert numbers['Batch Size'] == 8 * cfg.train_dataloader.batch_size
    results = [result['Metrics'] for result in row.get('Results', [])]
    keys = ('AP box IoU+F1 (paper)', 'AP segm IoU+F1 (paper)')
    wanted = dict(zip(keys, RESULTS[backbone]))
    assert results == ([wanted] if path in DEFAULT else [])


def resize_of(cfg):
    step, = (
        step for step in cfg.train_dataloader.dataset.pipeline
        if step.type == 'RandomResize')
    return step


@pytest.mark.parametrize('path', DEFAULT, ids=name_of)
def test_defaults(path):
    """KE-RCNN's numbers, with a clip; a plain transformer's are its own."""
    cfg = Config.fromfile(path, import_custom_modules=False)
    plain = path.stem == 'vit_tiny'
    assert resize_of(cfg).ratio_range == ((0.5, 1.5) if plain else (0.5, 2.0))
    assert cfg.optim_wrapper.optimizer.lr == 1e-4
    assert cfg.optim_wrapper.clip_grad.max_norm == 1
    rate = cfg.optim_wrapper.paramwise_cfg.layer_decay_rate
    assert rate == (0.7 if plain else 1)
    assert cfg.model.backbone.get('drop_path_rate', 0) == 0.1 * plain


@pytest.mark.parametrize('path', CONFIGS, ids=name_of)
def test_what_every_config_holds(path):
    cfg = Config.fromfile(path, import_custom_modules=False)
    head = cfg.model.roi_head
    assert head.bbox_head.num_classes == head.mask_head.num_classes == 47
    assert head.attribute_head.loss.loss_weight == 5
    assert head.bbox_head.fc_out_channels == head.attribute_head.class_channels
    sampler = cfg.model.train_cfg.rcnn.sampler
    assert sampler.add_gt_as_proposals and sampler.pos_fraction == 0.25
    assert cfg.default_hooks.checkpoint.save_best == \
        'fashionpedia/bbox_AP_iou_f1'
    assert cfg.auto_scale_lr.base_batch_size == \
        8 * cfg.train_dataloader.batch_size or path.stem.startswith('demo')
    for name in ('train', 'val', 'test'):
        dataset = cfg[f'{name}_dataloader'].dataset
        steps = [step.type for step in dataset.pipeline]
        assert steps[:2] == ['LoadImageFromFile', 'CheckImageSize']
        train = name == 'train'
        assert ('FilterFashionAnnotations' in steps) is train
        assert dataset.data_prefix.img == ('train/' if train else 'test/')
        assert dataset.pipeline[-1].type == 'PackFashionInputs'
