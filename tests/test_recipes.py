"""Numbers that papers state, and what must hold between those of a config.

What is ours stands in the configs alone.
"""
import copy
import math
from pathlib import Path

import pytest
from mmengine.config import Config

from mmpretrain.registry import HOOKS, MODELS, TRANSFORMS
from saip_mm.engine import launch_options

CONFIGS = Path(__file__).parents[1] / 'configs'
GPUS = 8


def leaves(*folders):
    return sorted(
        p for folder in folders for p in (CONFIGS / folder).rglob('*.py')
        if not p.stem.startswith('demo') and p.parent.name != 'own')


def read(path):
    """Without the import of the task's library."""
    return Config.fromfile(CONFIGS / path, import_custom_modules=False)


def name_of(path):
    return str(path.relative_to(CONFIGS))


METHODS = leaves('saip', 'dino', 'mae', 'mae_dino', 'hap', 'solider')
OFFICIAL = [p for p in METHODS if 'official' in p.stem]
PROTOCOL = [p for p in METHODS if p not in OFFICIAL]
TASKS = leaves('pose', 'wholebody', 'part_seg', 'detection', 'parsing')
AUTHORS = [p for p in TASKS if p.stem.endswith('_authors')]  # test_authors.py
OURS = [p for p in TASKS if p not in AUTHORS]


def steps_of(loader):
    """Transforms by type, in their order."""
    steps = {step.type: step for step in loader.dataset.pipeline}
    assert len(steps) == len(loader.dataset.pipeline)
    return steps


# what SAIP's paper states


@pytest.mark.parametrize('path', PROTOCOL, ids=name_of)
def test_protocol_of_paper_4_2(path):
    """2.5e-4 per 256 images, 2048 of them, 300 epochs, 10 of warm-up, AMP."""
    cfg = read(path)
    assert cfg.train_dataloader.batch_size * GPUS == 2048
    assert cfg.optim_wrapper.type == 'TensorClipAmpOptimWrapper'
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr) == ('AdamW', 2.5e-4 * 2048 / 256)
    assert cfg.train_cfg.max_epochs == 300
    warm_up, cosine = cfg.param_scheduler[:2]
    assert (warm_up.type, warm_up.begin, warm_up.end) == ('LinearLR', 0, 10)
    assert (cosine.type, cosine.begin) == ('CosineAnnealingLR', 10)
    crops = TRANSFORMS.build(cfg.train_dataloader.dataset.pipeline[-1])
    assert crops.views[0].name == 'anchor'
    assert tuple(crops.views[0].size) == (256, 128)


@pytest.mark.parametrize('path', leaves('saip'), ids=name_of)
def test_views_of_paper_3_2(path):
    """Scales of 0.75 to 1.5, and three quarters of the patches hidden."""
    cfg = read(path)
    preprocessor = MODELS.build(cfg.model.data_preprocessor)
    assert preprocessor.scale_range == (0.75, 1.5)
    csr = cfg.model.heads.get('csr')
    assert not csr or csr.mask_ratio == 0.75


# what the compared methods' papers and codes state


@pytest.mark.parametrize('path', leaves('dino', 'solider'), ids=name_of)
def test_views_of_dino(path):
    """Two global crops of one size, and eight local ones."""
    cfg = read(path)
    crops = TRANSFORMS.build(cfg.train_dataloader.dataset.pipeline[-1])
    kinds = [view.name.split('_')[0] for view in crops.views]
    assert kinds == ['anchor', 'scale'] + ['local'] * 8
    preprocessor = MODELS.build(cfg.model.data_preprocessor)
    assert preprocessor.scales_for((256, 128)) == [1.0]


@pytest.mark.parametrize('path', OFFICIAL, ids=name_of)
def test_methods_own_schedules(path):
    cfg = read(path)
    optimizer = cfg.optim_wrapper.optimizer
    found = (cfg.train_cfg.max_epochs, cfg.auto_scale_lr.base_batch_size,
             optimizer.lr, optimizer.betas, optimizer.weight_decay,
             cfg.param_scheduler[0].end)
    name = path.parent.name + '_warm' * path.stem.endswith('_warm')
    assert found == {
        'dino': (100, 512, 1e-3, (0.9, 0.999), 0.04, 10),
        'mae_dino': (100, 512, 1e-3, (0.9, 0.999), 0.04, 10),
        'mae': (800, 4096, 2.4e-3, (0.9, 0.95), 0.05, 40),
        'hap': (400, 4096, 2.4e-3, (0.9, 0.95), 0.05, 40),
        'solider': (100, 384, 7.5e-4, (0.9, 0.999), 0.04, 10),
        'solider_warm': (10, 384, 7.5e-5, (0.9, 0.999), 0.04, 1),
    }[name]
    if name in ('mae', 'hap'):
        # the rate alone changes, no clip, nothing that follows an expert
        assert len(cfg.param_scheduler) == 2
        assert cfg.optim_wrapper.clip_grad is None and cfg.custom_hooks == []


def test_hap_and_solider_are_as_published():
    hap = read('hap/vit_tiny.py')
    head = hap.model.heads.hap
    assert (head.mask_ratio, head.temperature, head.align_weight) == (0.5, 0.2,
                                                                      0.05)
    crops = TRANSFORMS.build(hap.train_dataloader.dataset.pipeline[-1])
    view, = crops.views
    assert (view.area, view.aspect) == ((0.8, 1.0), (0.375, 0.667))
    head = read('solider/starnet_s3.py').model.heads.dino
    assert (head.num_parts, head.semantic_weight) == (3, 1.0)
    assert head.decoder.num_prototypes == 65536


def test_mae_dino_is_half_of_each_and_has_a_crop_of_its_own():
    cfg = read('mae_dino/vit_tiny.py')
    assert [h.loss_weight for h in cfg.model.heads.values()] == [0.5, 0.5]
    crops = TRANSFORMS.build(cfg.train_dataloader.dataset.pipeline[-1])
    clean = crops.views[-1]
    assert (clean.name, clean.area) == ('clean', (0.2, 1.0))
    assert clean.aspect == (0.375, 0.667)


# what must hold between the numbers of a config


@pytest.mark.parametrize('path', METHODS + TASKS, ids=name_of)
def test_the_rate_is_meant_for_eight_gpus(path):
    """The authors' for as many as make the batch, whose number is open."""
    cfg = read(path)
    batch = cfg.train_dataloader.batch_size
    gpus, rest = divmod(cfg.auto_scale_lr.base_batch_size, batch)
    assert rest == 0 and (path in AUTHORS or gpus == GPUS)
    assert cfg.param_scheduler[0].type == 'LinearLR'  # warms up, from 0
    assert cfg.param_scheduler[0].begin == 0


@pytest.mark.parametrize('path', PROTOCOL, ids=name_of)
def test_pretraining_runs_without_a_gpu(path, monkeypatch, capsys):
    cfg = read(path)
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


HIERARCHICAL = [
    p for folder in ('saip', 'dino', 'solider', 'pose', 'wholebody',
                     'part_seg', 'detection', 'parsing')
    for p in leaves(folder) if p.stem.startswith(('starnet', 'tinyvit'))
]


@pytest.mark.parametrize('path', HIERARCHICAL, ids=name_of)
def test_last_stride(path):
    """1 in pose and parts, as the authors have it; 2 for the pyramids of
    detectors, and in pretraining, where it searched better."""
    model = read(path).model
    backbone = model.get('backbone') or model.encoder.backbone
    fine = path.stem.endswith('_authors') or path.relative_to(
        CONFIGS).parts[0] in ('pose', 'wholebody', 'part_seg')
    assert backbone.last_stride == (1 if fine else 2)


DEMOS = sorted(
    p for folder in ('saip', 'dino', 'mae', 'hap', 'solider')
    for p in (CONFIGS / folder).glob('demo*.py'))


@pytest.mark.parametrize('path', DEMOS, ids=name_of)
def test_demo_is_in_single_precision(path):
    assert read(path).optim_wrapper.type == 'TensorClipOptimWrapper'


@pytest.mark.parametrize('path', leaves('saip'), ids=name_of)
def test_workers_cut_what_the_objectives_use(path):
    cfg = read(path)
    heads = {name for name, head in cfg.model.heads.items() if head}
    wanted = {'anchor', 'scale'}
    if heads & {'csm', 'align'}:
        wanted.add('local')
    if 'css' in heads:
        wanted.add('background')
    crops = TRANSFORMS.build(cfg.train_dataloader.dataset.pipeline[-1])
    assert {view.name.split('_')[0] for view in crops.views} == wanted


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


@pytest.mark.parametrize('path', TASKS, ids=name_of)
def test_pixels_are_those_of_the_pretraining(path):
    """Read as BGR, handed on as RGB by the same statistics."""
    preprocessor = read(path).model.data_preprocessor
    views = MODELS.build(read('saip/vit_tiny.py').model.data_preprocessor)
    for name in ('mean', 'std'):
        own = [255 * value for value in getattr(views, name)]
        assert preprocessor[name] == pytest.approx(own)
    assert preprocessor.bgr_to_rgb is True


@pytest.mark.parametrize('path', OURS, ids=name_of)
def test_only_the_plain_transformer_has_layer_decay_and_drop_path(path):
    cfg = read(path)
    rate = cfg.optim_wrapper.paramwise_cfg.layer_decay_rate
    drop = cfg.model.backbone.get('drop_path_rate', 0)
    plain = path.stem.startswith('vit')
    assert (rate < 1) is (drop > 0) is plain


@pytest.mark.parametrize('path', leaves('pose', 'wholebody'), ids=name_of)
def test_heatmaps_fit_their_decoder(path):
    """Stride 4 from 16; a shift at test time is for maps that are biased."""
    cfg = read(path)
    head = cfg.model.head
    width, height = head.decoder.input_size
    assert head.decoder.heatmap_size == (width // 4, height // 4)
    assert 2**len(head.deconv_out_channels) == 16 // 4
    unbiased = head.decoder.type == 'UDPHeatmap'
    assert cfg.model.test_cfg.shift_heatmap is not unbiased
    assert cfg.model.test_cfg.flip_test
    codecs = steps_of(cfg.train_dataloader)['GenerateTarget']
    assert codecs.encoder == head.decoder
    for loader in (cfg.train_dataloader, cfg.val_dataloader,
                   cfg.test_dataloader):
        affine = steps_of(loader)['TopdownAffine']
        assert affine.input_size == head.decoder.input_size
        assert affine.get('use_udp', False) is unbiased


@pytest.mark.parametrize('path', leaves('pose', 'wholebody'), ids=name_of)
def test_boxes_are_detected_unless_the_name_says_otherwise(path):
    """The authors test pose with annotated boxes, too."""
    cfg = read(path)
    annotated = path.stem.endswith('_gt_boxes') or (path in AUTHORS and
                                                    path.parent.name == 'coco')
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        assert (loader.dataset.bbox_file is None) is annotated


@pytest.mark.parametrize(
    'path',
    [p for p in leaves('part_seg/lip') if not p.stem.endswith('_authors')],
    ids=name_of)
def test_parts_are_tested_at_the_size_they_are_trained_at(path):
    cfg = read(path)
    size = cfg.model.data_preprocessor.size
    train = steps_of(cfg.train_dataloader)
    assert train['RandomCrop'].crop_size == size
    assert train['RandomResize'].scale == size
    low, high = train['RandomResize'].ratio_range
    assert low < 1 < high
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        assert steps_of(loader)['Resize'].scale == size
    for head in ('decode_head', 'auxiliary_head'):
        assert cfg.model[head].loss_decode.avg_non_ignore


@pytest.mark.parametrize('path', leaves('detection/crowdhuman'), ids=name_of)
def test_persons_are_tested_at_the_size_they_are_trained_at(path):
    """CrowdDet resizes the batch as a whole, on the device."""
    cfg = read(path)
    preprocessor = cfg.model.data_preprocessor
    train = steps_of(cfg.train_dataloader)
    resize = train.get('Resize')
    if cfg.model.type == 'CrowdDet':
        assert resize is None and not cfg.train_dataloader.batch_sampler
        resize, = preprocessor.batch_augments
        assert resize.pad_size_divisor == preprocessor.pad_size_divisor
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        tested = steps_of(loader)['Resize']
        assert tested.scale == resize.scale and tested.keep_ratio
    strides = cfg.model.rpn_head.anchor_generator.strides
    assert preprocessor.pad_size_divisor % strides[-2] == 0
    assert [math.log2(stride) for stride in strides] == [2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    'path', sorted(CONFIGS.glob('detection/*/*.py')), ids=name_of)
def test_detection_checks_sizes_of_files(path):
    cfg = read(path)
    for name in ('train', 'val', 'test'):
        steps = list(steps_of(cfg[f'{name}_dataloader']))
        assert steps[:2] == ['LoadImageFromFile', 'CheckImageSize']
