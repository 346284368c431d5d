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
        if not p.stem.startswith('demo'))


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


def check_layer_decay(cfg, path, rate):
    """Only a plain transformer has one."""
    expected = rate if path.stem.startswith('vit') else 1.0
    paramwise = cfg.optim_wrapper.paramwise_cfg
    assert paramwise == dict(layer_decay_rate=expected)


def check_batch(cfg, gpu):
    """8 GPUs, and the rate meant for all of them."""
    assert cfg.train_dataloader.batch_size == gpu
    assert cfg.auto_scale_lr.base_batch_size == 8 * gpu


# pretraining


@pytest.mark.parametrize('path', leaves('saip'), ids=name_of)
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


@pytest.mark.parametrize('path', sorted(CONFIGS.glob('saip/demo*.py')))
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
    check_layer_decay(cfg, path, 0.8)
    check_batch(cfg, 64)
    assert warm_up_of(cfg) == (0.001, 500, False)
    assert drops_of(cfg) == ([170, 200], 0.1, 210)
    assert cfg.train_cfg.val_interval == 10


@pytest.mark.parametrize('path', leaves('part_seg'), ids=name_of)
def test_part_seg(path):
    cfg = read(path)
    check_adamw(cfg, 5e-4, 0.1, 1.0)
    check_layer_decay(cfg, path, 0.75)
    check_batch(cfg, 4)
    assert warm_up_of(cfg) == (0.01, 1500, False)
    cosine = cfg.param_scheduler[1]
    assert (cosine.type, cosine.eta_min, cosine.begin) == ('CosineAnnealingLR',
                                                           0, 1500)
    assert cfg.train_cfg.max_iters == 40000
    assert cfg.model.decode_head.loss_decode.loss_weight == 1.0
    assert cfg.model.auxiliary_head.loss_decode.loss_weight == 0.4


@pytest.mark.parametrize('path', leaves('detection'), ids=name_of)
def test_detection(path):
    cfg = read(path)
    check_adamw(cfg, 1e-4, 0.05, 1.0)
    check_layer_decay(cfg, path, 0.7)
    check_batch(cfg, 2)
    assert warm_up_of(cfg) == (0.001, 800, False)
    assert drops_of(cfg) == ([24, 27], 0.1, 30)
    model = cfg.model
    assert model.rpn_head.anchor_generator.ratios == [1.0, 2.0, 3.0]
    assert model.train_cfg.rcnn.sampler.pos_fraction == 0.5
    assert model.test_cfg.rcnn == dict(
        score_thr=0.01,
        nms=dict(type='nms', iou_threshold=0.5),
        max_per_img=500)
    if 'crowddet' not in path.stem:  # its assigner knows ignored regions
        for stage in (model.train_cfg.rpn, model.train_cfg.rcnn):
            assert stage.assigner.ignore_iof_thr == 0.5
