"""The written config: complete, readable, and what the plan says."""
import itertools

import pytest
from mmengine.config import Config

from saip_mm.apis.start_plan import BACKBONES, Machine, make_plan
from saip_mm.apis.start_text import config_text, literal
from saip_mm.engine.config_doors import check_training, complete_config

MACHINES = dict(
    laptop=Machine(0, 0., 4, False), server=Machine(8, 79.1, 64, True))
# pictures, processes, matching, size
RUNS = [(30, 1, None, None), (1094, 2, 'prototypes', (64, 32)),
        (200_000, 1, None, (128, 48)), (1_284_228, 8, None, None)]


def read(text, folder):
    path = folder / 'pretrain.py'
    path.write_text(text)
    cfg = Config.fromfile(path)
    complete_config(cfg)
    check_training(cfg)
    return cfg


def written(folder, images=1094, backbone='vit_tiny', machine='laptop', **kw):
    start, seed = kw.pop('start', None), kw.pop('seed', 0)
    plan = make_plan(images, backbone, MACHINES[machine], **kw)
    text = config_text(plan, '/pictures', seed=seed, start=start)
    return plan, text, read(text, folder)


@pytest.mark.parametrize('backbone, machine, run',
                         itertools.product(BACKBONES, MACHINES, RUNS))
def test_a_config_says_what_was_planned(backbone, machine, run, tmp_path):
    images, processes, matching, size = run
    plan, text, cfg = written(
        tmp_path,
        images,
        backbone,
        machine,
        processes=processes,
        matching=matching,
        size=size)
    assert cfg.work_dir == f'{tmp_path}/run'
    assert cfg.train_cfg.max_epochs == plan.epochs.value
    loader = cfg.train_dataloader
    assert loader.batch_size == plan.batch_size.value
    assert loader.num_workers == plan.workers.value
    assert loader.dataset.sources == [dict(data_root='/pictures')]
    assert loader.pin_memory is (machine == 'server')
    height, width = plan.size.value
    crops = loader.dataset.pipeline[1]
    assert tuple(crops.size) == (height, width)
    assert tuple(crops.background_size) == (height, 2 * width)
    low, high = crops.get('aspect')
    assert low < width / height < high
    views = cfg.model.data_preprocessor
    assert tuple(views.canvas.size) == (height, 2 * width)
    assert tuple(views.scale_range) == plan.scales.value
    in_batch = plan.matching.value == 'batch'
    assert cfg.model.heads.csm.type == ('InstanceMatchingHead' if in_batch else
                                        'CrossScaleMatchingHead')
    hooks = {hook.type: hook for hook in cfg.custom_hooks}
    assert hooks['ExpertUpdateHook'].base_momentum == plan.momentum.value
    assert ('FreezePrototypesHook' in hooks) is not in_batch
    assert cfg.optim_wrapper.optimizer.lr == plan.rate.value
    assert ('Amp'
            in cfg.optim_wrapper.type) is (plan.precision.value == 'mixed')
    assert cfg.optim_wrapper.optimizer.weight_decay == 0.04  # inherited
    assert max(map(len, text.splitlines())) <= 79


def rise_in_steps(plan, cfg):
    first = cfg.param_scheduler[0]
    if first.type != 'LinearLR':
        return 0
    an_epoch = plan.steps // plan.epochs.value
    return first.end * (an_epoch if first.get('by_epoch', True) else 1)


@pytest.mark.parametrize('images, processes, epochs', [(1094, 1, None),
                                                       (1_284_228, 8, None),
                                                       (1_284_228, 8, 60),
                                                       (1_284_228, 1, 5),
                                                       (30, 1, 3)])
def test_the_rate_rises_and_falls(images, processes, epochs, tmp_path):
    plan, _, cfg = written(
        tmp_path, images, machine='server', processes=processes, epochs=epochs)
    rise = rise_in_steps(plan, cfg)
    # whole epochs of the recipe are rounded
    an_epoch = plan.steps // plan.epochs.value
    assert rise == pytest.approx(plan.warm_up.value, abs=an_epoch / 2 + 1)
    fall = next(s for s in cfg.param_scheduler
                if s.type == 'CosineAnnealingLR')
    assert fall.begin == cfg.param_scheduler[0].get('end', 0)
    decay = [s for s in cfg.param_scheduler if 'param_name' in s]
    assert len(decay) == plan.is_long


def test_the_recipe_itself_is_inherited(tmp_path):
    """What the paper trains on its machines is not written down anew."""
    _, text, cfg = written(tmp_path, 1_284_228, machine='server', processes=8)
    shipped = tmp_path / 'shipped.py'
    shipped.write_text("_base_ = 'saip_mm::saip/vit_tiny.py'\n")
    shipped = Config.fromfile(shipped)
    assert 'param_scheduler' not in text
    assert cfg.param_scheduler == shipped.param_scheduler
    assert cfg.model.heads == shipped.model.heads
    assert cfg.custom_hooks == shipped.custom_hooks
    assert cfg.optim_wrapper == shipped.optim_wrapper
    assert cfg.train_dataloader.batch_size == 256
    ours = dict(cfg.train_dataloader.dataset.pipeline[1])
    for key, value in shipped.train_dataloader.dataset.pipeline[1].items():
        assert ours[key] == value, key


def test_starting_weights_and_seed(tmp_path):
    start = dict(
        last_stride=1,
        init_cfg=dict(type='Pretrained', checkpoint='/a.pth', prefix='b.'))
    _, text, cfg = written(
        tmp_path, backbone='starnet_s3', start=start, seed=7)
    backbone = cfg.model.encoder.backbone
    assert backbone.last_stride == 1 and cfg.randomness.seed == 7
    assert backbone.init_cfg == start['init_cfg']
    assert backbone.model_name == 'starnet_s3'


def test_positions_of_a_file_are_not_started_anew(tmp_path):
    start = dict(init_cfg=dict(type='Pretrained', checkpoint='/a.pth'))
    assert 'sincos' not in written(tmp_path, start=start)[1]
    assert 'sincos' in written(tmp_path)[1]


def test_folders_of_any_name(tmp_path):
    plan = make_plan(30, 'vit_tiny', MACHINES['laptop'])
    for name in ("it's", 'a b', 'größe', 'back\\slash'):
        cfg = read(config_text(plan, f'/{name}'), tmp_path)
        assert cfg.train_dataloader.dataset.sources[0].data_root == f'/{name}'
    quoted = tmp_path / "it's"
    quoted.mkdir()
    assert read(config_text(plan, '/a'), quoted).work_dir == f'{quoted}/run'


def test_a_literal_is_written_as_in_configs():
    assert literal(dict(a=1, b=dict(c='d'))) == "dict(a=1, b=dict(c='d'))"
