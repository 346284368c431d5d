"""The numbers of the recipes, restated: a config that drifts is caught."""
import copy
from pathlib import Path

import pytest
from mmengine.config import Config

from mmpretrain.registry import HOOKS, MODELS, TRANSFORMS
from saip_mm.engine import launch_options

CONFIGS = Path(__file__).parents[1] / 'configs'


def leaves(folder):
    return sorted(
        p for p in (CONFIGS / folder).rglob('*.py')
        if not p.stem.startswith('demo') and p.parent.name != 'own')


def read(path):
    """Without the import of the task's library."""
    return Config.fromfile(CONFIGS / path, import_custom_modules=False)


def name_of(path):
    return str(path.relative_to(CONFIGS))


def warm_up_of(cfg):
    first = cfg.param_scheduler[0]
    assert first.type == 'LinearLR' and first.begin == 0
    return first.start_factor, first.end, first.by_epoch


def drops_of(cfg):
    """Milestones, factor and epochs of a training in steps."""
    steps = cfg.param_scheduler[1]
    assert steps.type == 'MultiStepLR' and steps.by_epoch
    return steps.milestones, steps.gamma, cfg.train_cfg.max_epochs


def check_adamw(cfg, lr, weight_decay, clip):
    optimizer = cfg.optim_wrapper.optimizer
    assert optimizer == dict(
        type='AdamW', lr=lr, betas=(0.9, 0.999), weight_decay=weight_decay)
    assert cfg.optim_wrapper.clip_grad == dict(max_norm=clip)


def check_plain_transformer(cfg, path, rate):
    """It alone has layer decay and drop path."""
    rate, drop = (rate, 0.1) if path.stem.startswith('vit') else (1.0, None)
    assert cfg.optim_wrapper.paramwise_cfg == dict(layer_decay_rate=rate)
    assert cfg.model.backbone.get('drop_path_rate') == drop


def check_batch(cfg, gpu):
    """8 GPUs, and the rate meant for all of them."""
    assert cfg.train_dataloader.batch_size == gpu
    assert cfg.auto_scale_lr.base_batch_size == 8 * gpu


def check_pixels(cfg):
    """Read as BGR, handed on as in pretraining."""
    preprocessor = cfg.model.data_preprocessor
    assert preprocessor.mean == [123.675, 116.28, 103.53]
    assert preprocessor.std == [58.395, 57.12, 57.375]
    assert preprocessor.bgr_to_rgb is True


def steps_of(loader):
    """Transforms by type, in their order."""
    steps = {step.type: step for step in loader.dataset.pipeline}
    assert len(steps) == len(loader.dataset.pipeline)
    return steps


# pretraining

OFFICIAL = [p for p in leaves('dino') + leaves('mae') if 'official' in p.stem]
PROTOCOL = [
    p for p in leaves('saip') + leaves('dino') + leaves('mae')
    if p not in OFFICIAL
]


@pytest.mark.parametrize('path', PROTOCOL, ids=name_of)
def test_pretraining(path, monkeypatch, capsys):
    cfg = read(path)
    assert cfg.optim_wrapper.type == 'TensorClipAmpOptimWrapper'
    check_adamw(cfg, 2e-3, 0.04, 3.0)
    check_batch(cfg, 256)
    assert warm_up_of(cfg) == (1e-6, 10, True)
    assert cfg.train_cfg.max_epochs == 300
    cosine, decay = cfg.param_scheduler[1:]
    assert (cosine.type, cosine.eta_min) == ('CosineAnnealingLR', 1e-6)
    assert (decay.param_name, decay.eta_min_ratio) == ('weight_decay', 10)
    # and on machines without a GPU
    monkeypatch.setattr(launch_options, 'has_gpu', lambda: False)
    for bfloat16, wrapper, said in (
        (False, 'TensorClipOptimWrapper', 'training in float32'),
        (True, 'TensorClipCpuAmpOptimWrapper', 'bfloat16'),
    ):
        monkeypatch.setattr(launch_options, 'cpu_has_bfloat16',
                            lambda: bfloat16)
        here = copy.deepcopy(cfg)
        here.launcher = 'none'
        launch_options.adapt_to_device(here)
        assert here.optim_wrapper.type == wrapper
        assert said in capsys.readouterr().out


@pytest.mark.parametrize('path', OFFICIAL, ids=name_of)
def test_methods_own_schedules(path):
    cfg = read(path)
    assert warm_up_of(cfg)[0] == 1e-6
    optimizer = cfg.optim_wrapper.optimizer
    found = (cfg.train_cfg.max_epochs, cfg.auto_scale_lr.base_batch_size,
             8 * cfg.train_dataloader.batch_size,
             optimizer.lr, optimizer.betas, optimizer.weight_decay,
             warm_up_of(cfg)[1], [s.type for s in cfg.param_scheduler[1:]],
             cfg.custom_hooks and [h.type for h in cfg.custom_hooks])
    cosine = ['CosineAnnealingLR', 'CosineAnnealingParamScheduler']
    if path.parent.name == 'dino':
        assert found == (100, 512, 512, 1e-3, (0.9, 0.999), 0.04, 10, cosine,
                         ['ExpertUpdateHook', 'FreezePrototypesHook'])
        check_adamw(cfg, 1e-3, 0.04, 3.0)
    else:
        assert found == (800, 4096, 4096, 2.4e-3, (0.9, 0.95), 0.05, 40,
                         cosine[:1], [])
        assert cfg.optim_wrapper.clip_grad is None
        assert cfg.param_scheduler[1].eta_min == 0


@pytest.mark.parametrize('path', leaves('dino') + leaves('mae'), ids=name_of)
def test_views_of_the_methods(path):
    """Height x width, area, aspect, number of each kind."""
    cfg = read(path)
    crops = TRANSFORMS.build(cfg.train_dataloader.dataset.pipeline[-1])
    views = {}
    for view in crops.views:
        views.setdefault(view.name.split('_')[0], []).append(tuple(view[1:]))
    person = ((256, 128), (0.8, 1.0), (0.4, 0.6))
    if path.parent.name == 'dino':
        assert views == dict(
            anchor=[person],
            scale=[person],
            local=[((128, 64), (0.05, 0.8), (0.4, 0.6))] * 8)
        preprocessor = MODELS.build(cfg.model.data_preprocessor)
        assert preprocessor.scales_for((256, 128)) == [1.0]
        drop = cfg.model.encoder.backbone.get('drop_path_rate')
        assert drop == (0.1 if 'vit_tiny' == path.stem[:8] else None)
    else:
        assert views == dict(anchor=[((256, 128), (0.2, 1.0), (0.375, 0.667))])


DEMOS = sorted(
    p for folder in ('saip', 'dino', 'mae')
    for p in (CONFIGS / folder).glob('demo*.py'))


@pytest.mark.parametrize('path', DEMOS, ids=name_of)
def test_demo_is_in_single_precision(path):
    assert read(path).optim_wrapper.type == 'TensorClipOptimWrapper'


@pytest.mark.parametrize('path', leaves('saip'), ids=name_of)
def test_workers_cut_what_the_objectives_use(path):
    cfg = read(path)
    heads = {name for name, head in cfg.model.heads.items() if head}
    wanted = {'anchor', 'scale'}
    if 'csm' in heads:
        wanted.add('local')
    if 'css' in heads:
        wanted.add('background')
    crops = TRANSFORMS.build(cfg.train_dataloader.dataset.pipeline[-1])
    assert {view.name.split('_')[0] for view in crops.views} == wanted


def test_crops():
    """Height x width, area, aspect (width / height) by name of view."""
    cfg = read('saip/vit_tiny.py')
    crops = TRANSFORMS.build(cfg.train_dataloader.dataset.pipeline[-1])
    person = ((256, 128), (0.8, 1.0), (0.4, 0.6))
    local = ((128, 64), (0.05, 0.8), (0.4, 0.6))
    assert {
        view.name: view[1:]
        for view in crops.views
    } == {
        'anchor': person,
        'scale_1': person,
        'scale_2': person,
        **{
            f'local_{i}': local
            for i in range(1, 7)
        },
        'background': ((256, 256), (0.2, 1.0), (3 / 4, 4 / 3)),
    }
    assert crops.flip == 0.5


def test_photometry_and_canvas():
    cfg = read('saip/vit_tiny.py')
    preprocessor = MODELS.build(cfg.model.data_preprocessor)
    assert preprocessor.blur == dict(
        anchor=1.0, scale=0.1, local=0.5, background=0.1)
    assert preprocessor.solarize == dict(scale=0.2, background=0.2)
    assert preprocessor.colour == dict(
        jitter=(0.4, 0.4, 0.2, 0.1), jitter_prob=0.8, gray_prob=0.2)
    assert preprocessor.sigma == (0.1, 2.0)
    assert preprocessor.scale_range == (0.75, 1.5)
    assert preprocessor.canvas == dict(
        size=(256, 256), factor=0.5, alpha=0.7, distractors=1)


def test_market1501_can_be_watched(tmp_path):
    config = tmp_path / 'watched.py'
    bases = ['saip/vit_tiny.py', '_base_/monitors/knn_market1501.py']
    config.write_text(f'_base_ = {[str(CONFIGS / b) for b in bases]}\n'
                      'default_hooks = dict(knn=_base_.knn_market1501)\n')
    cfg = read(config)
    assert 'checkpoint' in cfg.default_hooks
    hook = HOOKS.build(cfg.default_hooks.knn)
    assert hook.interval == 10
    with pytest.raises(FileNotFoundError, match='data/market1501/query'):
        hook.before_train(None)


# tasks


@pytest.mark.parametrize(
    'path', leaves('pose') + leaves('wholebody'), ids=name_of)
def test_pose(path):
    cfg = read(path)
    check_adamw(cfg, 5e-4, 0.1, 1.0)
    check_plain_transformer(cfg, path, 0.8)
    check_batch(cfg, 64)
    assert warm_up_of(cfg) == (0.001, 500, False)
    assert drops_of(cfg) == ([170, 200], 0.1, 210)
    assert cfg.train_cfg.val_interval == 10
    check_pixels(cfg)
    body = path.is_relative_to(CONFIGS / 'pose')
    prefix = 'coco' if body else 'coco-wholebody'
    assert cfg.default_hooks.checkpoint.save_best == f'{prefix}/AP'
    udp = body or path.stem.endswith('_udp')
    assert cfg.model.test_cfg == dict(
        flip_test=True, flip_mode='heatmap', shift_heatmap=not udp)
    head = cfg.model.head
    assert head.decoder == dict(
        type='UDPHeatmap' if udp else 'MSRAHeatmap',
        input_size=(192, 256),  # width, height
        heatmap_size=(48, 64),
        sigma=2)
    ups = 2 if path.stem.startswith('vit') else 3  # to stride 4
    assert head.deconv_out_channels == (256, ) * ups
    assert head.deconv_kernel_sizes == (4, ) * ups
    assert head.loss == dict(type='KeypointMSELoss', use_target_weight=True)
    assert list(steps_of(cfg.train_dataloader)) == [
        'LoadPersonImage', 'GetBBoxCenterScale', 'RandomFlip',
        'RandomHalfBody', 'RandomBBoxTransform', 'TopdownAffine',
        'GenerateTarget', 'PackPoseInputs'
    ]
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        boxes = loader.dataset.bbox_file
        if path.stem.endswith('_gt_boxes'):
            assert boxes is None
        else:
            assert boxes.endswith(
                'COCO_val2017_detections_AP_H_56_person.json')


@pytest.mark.parametrize('path', leaves('part_seg/lip'), ids=name_of)
def test_part_seg(path):
    cfg = read(path)
    check_adamw(cfg, 5e-4, 0.1, 1.0)
    check_plain_transformer(cfg, path, 0.75)
    check_batch(cfg, 4)
    assert warm_up_of(cfg) == (0.01, 1500, False)
    cosine = cfg.param_scheduler[1]
    assert (cosine.type, cosine.eta_min, cosine.begin) == ('CosineAnnealingLR',
                                                           0, 1500)
    loop = cfg.train_cfg
    assert (loop.max_iters, loop.val_interval) == (40000, 4000)
    assert cfg.default_hooks.checkpoint.save_best == 'mIoU'
    assert cfg.sync_bn == 'torch'
    check_pixels(cfg)
    size = (480, 480)
    assert cfg.model.data_preprocessor.size == size
    steps = steps_of(cfg.train_dataloader)
    assert list(steps) == [
        'LoadPartImage', 'LoadPartLabels', 'RandomResize', 'RandomCrop',
        'RandomPartFlip', 'PackSegInputs'
    ]
    assert steps['RandomResize'] == dict(
        type='RandomResize',
        scale=size,
        ratio_range=(0.5, 1.6),
        keep_ratio=False)
    assert steps['RandomCrop'].crop_size == size
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        assert steps_of(loader)['Resize'] == dict(
            type='Resize', scale=size, keep_ratio=False)
    for head, weight in (('decode_head', 1.0), ('auxiliary_head', 0.4)):
        assert cfg.model[head].loss_decode == dict(
            type='CrossEntropyLoss', loss_weight=weight, avg_non_ignore=True)


@pytest.mark.parametrize('path', leaves('detection/crowdhuman'), ids=name_of)
def test_detection(path):
    cfg = read(path)
    check_adamw(cfg, 1e-4, 0.05, 1.0)
    check_plain_transformer(cfg, path, 0.7)
    check_batch(cfg, 2)
    assert warm_up_of(cfg) == (0.001, 800, False)
    assert drops_of(cfg) == ([24, 27], 0.1, 30)
    assert cfg.train_cfg.val_interval == 5
    hook = cfg.default_hooks.checkpoint
    assert (hook.save_best, hook.rule) == ('crowd_human/mMR', 'less')
    assert cfg.sync_bn == 'torch'
    check_pixels(cfg)
    model = cfg.model
    anchors = model.rpn_head.anchor_generator
    assert anchors.ratios == [1.0, 2.0, 3.0]
    assert (anchors.scales, anchors.strides) == ([8], [4, 8, 16, 32, 64])
    stds = model.roi_head.bbox_head.bbox_coder.target_stds
    assert stds == [0.1, 0.1, 0.2, 0.2]
    sampler = model.train_cfg.rcnn.sampler
    assert (sampler.num, sampler.pos_fraction) == (512, 0.5)
    assert model.test_cfg.rcnn == dict(
        score_thr=0.01,
        nms=dict(type='nms', iou_threshold=0.5),
        max_per_img=500)
    resize = dict(type='Resize', scale=(1400, 800), keep_ratio=True)
    train = steps_of(cfg.train_dataloader)
    batch_sampler = cfg.train_dataloader.batch_sampler
    proposals = [(stage.nms_pre, stage.max_per_img, stage.nms.iou_threshold)
                 for stage in (model.train_cfg.rpn_proposal,
                               model.test_cfg.rpn)]
    if 'crowddet' in path.stem:
        assert proposals == [(2400, 2000, 0.7), (1200, 1000, 0.7)]
        assert model.data_preprocessor.pad_size_divisor == 64
        assert model.data_preprocessor.batch_augments == [
            dict(type='BatchResize', scale=(1400, 800), pad_size_divisor=64)
        ]
        assert 'Resize' not in train and batch_sampler is None
        # its second stage knows ignored regions by itself, its RPN none
        assert model.train_cfg.rpn.assigner.ignore_iof_thr == -1
        assert model.train_cfg.rcnn.assigner.type == 'FewBoxesAssigner'
        assert model.rpn_head.loss_bbox.type == 'SmoothL1Loss'
    else:
        assert proposals == [(2000, 2000, 0.7), (1000, 1000, 0.7)]
        assert model.data_preprocessor.pad_size_divisor == 32
        assert train['Resize'] == dict(resize, clip_object_border=False)
        assert batch_sampler == dict(type='AspectRatioBatchSampler')
        for stage in (model.train_cfg.rpn, model.train_cfg.rcnn):
            assert stage.assigner.type == 'PersonFirstAssigner'
            assert stage.assigner.ignore_iof_thr == 0.5
    anchors = model.train_cfg.rpn.assigner
    assert (anchors.type, anchors.neg_iou_thr) == ('PersonFirstAssigner', 0.3)
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        assert steps_of(loader)['Resize'] == resize
        assert loader.sampler == dict(type='DefaultSampler', shuffle=False)


@pytest.mark.parametrize(
    'path', sorted(CONFIGS.glob('detection/*/*.py')), ids=name_of)
def test_detection_checks_sizes_of_files(path):
    cfg = read(path)
    for name in ('train', 'val', 'test'):
        steps = list(steps_of(cfg[f'{name}_dataloader']))
        assert steps[:2] == ['LoadImageFromFile', 'CheckImageSize']
