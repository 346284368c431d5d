"""Every config under configs/: parsed, built and run for a step, tiny."""
import argparse
import copy
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from mmengine.config import Config, DictAction
from mmengine.runner import Runner

from mmpretrain.registry import MODELS
from saip_mm.apis.edge.latency import count_flops
from saip_mm.engine.launch_options import adapt_amp_to_cpu
from saip_mm.engine.schedule import Room, fit_schedule, planned_length
from saip_mm.models import ViewPretraining
from saip_mm.weights import NoMatchError
from .expert_files import save_path_file
from .test_engine.toy import toy_loader, toy_runner
from .test_models.tiny_saip import ARCH, STARNET, TINYVIT

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / 'configs'
LEAVES = sorted(
    p for p in CONFIGS.rglob('*.py')
    if '_base_' not in p.relative_to(CONFIGS).parts)
LIBRARIES = dict(
    pose='mmpose',
    wholebody='mmpose',
    part_seg='mmseg',
    detection='mmdet',
    part_attributes='mmdet',
    parsing='mmdet')
METHODS = ('saip', 'dino', 'mae', 'mae_dino', 'hap', 'solider', 'evidence')
PRETRAINING = [p for p in LEAVES if p.relative_to(CONFIGS).parts[0] in METHODS]


def name_of(path):
    return str(path.relative_to(CONFIGS))


@pytest.fixture
def images(tmp_path):
    """A folder of five noisy photographs, tall and wide."""
    folder = tmp_path / 'persons'
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(5):
        size = (80, 40, 3) if i % 2 else (48, 64, 3)
        cv2.imwrite(str(folder / f'{i}.png'), rng.integers(0, 255, size))
    return str(folder)


def shrink(config, images, work_dir):
    """Same parts and wiring, small widths and pictures, five images."""
    backbone = config.model.encoder.backbone
    if backbone.type.endswith('GridVisionTransformer'):
        backbone.update(arch=ARCH, img_size=(64, 32))
        if 'last_block_heads' in backbone:
            backbone.update(num_heads=2, last_block_heads=4)
        encoder = config.model.encoder
        encoder.patch_index = min(encoder.get('patch_index', 1), 1)
    else:
        tiny = STARNET if 'starnet' in backbone.model_name else TINYVIT
        backbone.update(tiny, model_name=backbone.model_name)
    if config.model.encoder.get('blocks'):
        config.model.encoder.blocks.dims = 24  # 6 and 12 heads
    if 'checkpoint' in config.model.get('expert', {}):
        config.model.expert.checkpoint = save_path_file(
            Path(work_dir).parent / 'path_vitb.pth')
    views = config.model.data_preprocessor
    if views.scale_range[0] < views.scale_range[1]:
        views.scale_range = (0.5, 1.5)
    views.setdefault('canvas', {}).update(size=(64, 64))
    for name, head in config.model.heads.items():
        if head and name in ('csm', 'dino', 'align'):
            head.decoder.update(hidden_dims=16, bottleneck_dims=8)
            if head.decoder.get('type') == 'ImageDecoder':
                head.decoder.num_prototypes = 32
            if 'part_classifier' in head:
                head.part_classifier.update(hidden_dims=16, bottleneck_dims=8)
        elif head:
            head.decoder.update(dims=16, depth=1, num_heads=2)
    loader = config.train_dataloader
    loader.update(
        batch_size=2,
        num_workers=0,
        persistent_workers=False,
        pin_memory=False)
    loader.dataset.sources = [dict(data_root=images)]
    crops = loader.dataset.pipeline[-1]
    crops.update(size=(64, 32), local_size=(32, 16))
    if crops.background_size is not None:
        crops.background_size = (64, 64)
    config.train_cfg.max_epochs = 1
    # one epoch has no room for a warm-up
    config.param_scheduler = config.param_scheduler[1:]
    config.param_scheduler[0].begin = 0
    config.default_hooks.pop('knn', None)
    config.visualizer.vis_backends = [dict(type='LocalVisBackend')]
    config.env_cfg.dist_cfg.backend = 'gloo'
    config.work_dir = str(work_dir)
    config.experiment_name = Path(work_dir).name
    config.pop('sync_bn', None)
    adapt_amp_to_cpu(config)
    return config


@pytest.mark.parametrize('path', LEAVES, ids=name_of)
def test_parses_and_comes_back(path):
    task = path.relative_to(CONFIGS).parts[0]
    if task in LIBRARIES:  # its custom_imports need it
        pytest.importorskip(LIBRARIES[task])
    config = Config.fromfile(path)
    assert Config.fromstring(config.pretty_text, '.py').model == config.model
    assert config.default_hooks.checkpoint_fit.type.endswith('FitHook')


def rates_of(runner):
    """Learning rates of a run's steps, without running the model."""
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    schedulers = runner.build_param_scheduler(runner.param_schedulers)
    rates = []
    for step in range(runner.train_loop.max_iters):
        rates.append(runner.optim_wrapper.get_lr()['lr'][0])
        runner.optim_wrapper.step()
        ends = (step + 1) % len(runner.train_dataloader) == 0
        for scheduler in schedulers:
            if ends or not scheduler.by_epoch:
                scheduler.step()
    return np.array(rates)


@pytest.mark.parametrize('per_epoch', [5, 130])
@pytest.mark.parametrize('path', LEAVES, ids=name_of)
def test_shortest_run_has_a_schedule(path, per_epoch, tmp_path):
    """--cfg-options train_cfg.max_epochs=1, or max_iters."""
    config = Config.fromfile(path, import_custom_modules=False)
    planned = planned_length(config)
    config.train_cfg[planned.key] = (1 if planned.key == 'max_epochs' else
                                     per_epoch)
    runner = toy_runner(
        tmp_path,
        cfg=dict(train_cfg=config.train_cfg),
        train_cfg=config.train_cfg,
        train_dataloader=toy_loader(4 * per_epoch),
        param_scheduler=config.param_scheduler)
    fit_schedule(runner, planned)
    rates = rates_of(runner)
    assert len(rates) == per_epoch and (rates > 0).all()
    # of the toy's 0.01; the demos' cosine falls beside the warm-up
    assert 0.6 * 0.01 < rates.max() < 1.001 * 0.01
    if per_epoch < 20:
        assert rates[0] == pytest.approx(0.01)


@pytest.mark.parametrize('path', LEAVES, ids=name_of)
def test_full_schedule_is_left_as_it_is(path):
    config = Config.fromfile(path, import_custom_modules=False)
    planned = planned_length(config)
    per_epoch = 125  # a demo's; the real sets have hundreds to thousands
    whole = planned.length * (per_epoch if planned.key == 'max_epochs' else 1)
    given = config.param_scheduler
    assert Room(whole, per_epoch, whole).fit(given) == (given, '')
    assert given == Config.fromfile(
        path, import_custom_modules=False).param_scheduler


@pytest.mark.parametrize('path', PRETRAINING, ids=name_of)
def test_runs_two_steps(path, images, tmp_path):
    config = shrink(Config.fromfile(path), images, tmp_path / 'work')
    runner = Runner.from_cfg(config)
    runner.train()
    assert runner.iter == 2
    model = runner.model
    assert isinstance(model, ViewPretraining)
    wanted = {k for k, v in config.model.heads.items() if v}
    assert set(model.heads) == wanted
    logged = set(runner.message_hub.log_scalars)
    assert {f'train/loss_{name}' for name in wanted} <= logged
    assert {'train/lr', 'train/wd'} <= logged, logged
    if config.optim_wrapper.clip_grad:
        assert 'train/grad_norm' in logged
    assert ('train/momentum'
            in logged) == bool(model.expert and model.expert.trainable_average)
    for param in model.parameters():
        assert param.isfinite().all()
    checkpoint = torch.load(tmp_path / 'work/epoch_1.pth', weights_only=True)
    assert checkpoint['meta']['iter'] == 2
    frozen = '_path' in path.stem
    assert ('expert' in checkpoint['meta']) == frozen
    if frozen:
        assert not any(
            k.startswith('expert.') for k in checkpoint['state_dict'])


def ablations():
    """Config and options of each row of the table of ablations of ours."""
    text = (CONFIGS / 'saip/README.md').read_text()
    table = text.split('## Ablations of ours')[1].split('\n\nThe paper')[0]
    for row in re.findall('^[|].*[|]$', table, re.M)[2:]:
        question, options, files = row.strip('|').split('|')
        for name in re.findall('`(.+?)`', files) or ['vit_tiny.py']:
            for given in re.findall('`(.+?)`', options):
                yield pytest.param(
                    name, given.split(), id=f'{name}-{given.split()[-1]}')


@pytest.mark.parametrize('name, given', ablations())
def test_ablations_of_ours_run_two_steps(name, given, images, tmp_path):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    options = parser.parse_args(['--cfg-options', *given]).cfg_options
    config = Config.fromfile(CONFIGS / 'saip' / name)
    before = config.pretty_text
    config.merge_from_dict(options)
    assert config.pretty_text != before
    MODELS.build(copy.deepcopy(config.model))  # as it stands, at full size
    config.model.heads.csm.setdefault('decoder', {})
    config = shrink(config, images, tmp_path / 'work')
    if 'model.encoder.patch_index' in options:
        config.model.encoder.patch_index = 2  # the last of the tiny one
    runner = Runner.from_cfg(config)
    runner.train()
    assert runner.iter == 2
    for param in runner.model.parameters():
        assert param.isfinite().all()


def test_ablations_are_all_read():
    assert len({param.id for param in ablations()}) == 18


@pytest.mark.parametrize('path', PRETRAINING, ids=name_of)
def test_full_size_parameters(path):
    """The paper's backbones, to the parameter."""
    config = Config.fromfile(path)
    if path.name.startswith('demo'):
        pytest.skip('a reduced size')
    backbone = MODELS.build(config.model.encoder.backbone)
    count = sum(p.numel() for p in backbone.parameters())
    assert count == {
        'starnet_s3': 5_493_280,  # without the final BatchNorm
        'starnet_s3_authors': 5_493_280,
        'tinyvit_5m': 5_071_124,  # without the final LayerNorm
        'tinyvit_5m_authors': 5_743_892,  # with the neck
        'dino_vit_tiny': 5_490_240,  # 18 positions
        'dino_starnet_s3': 5_493_280,
        'dino_tinyvit_5m': 5_071_124,
        'solider_vit_tiny': 5_490_240,
        'solider_starnet_s3': 5_493_280,
        'solider_tinyvit_5m': 5_071_124,
        'saip_starnet_s4': 7_225_216,
        'starnet_s3_path_authors': 5_493_792,  # with the norm
        'tinyvit_5m_path_authors': 5_071_124,
        'starnet_s3_path': 5_493_280,
        'tinyvit_5m_path': 5_071_124
    }.get(re.sub('_official|_warm', '', path.stem), 5_511_360)


@pytest.mark.parametrize(
    'path', [p for p in PRETRAINING if p.parent.name in METHODS], ids=name_of)
def test_start_from_another_architecture_is_refused(path, tmp_path):
    """As ``--cfg-options model.encoder.backbone.init_cfg.checkpoint=``."""
    config = Config.fromfile(path)
    file = str(tmp_path / 'other.pth')
    torch.save({'backbone.fc.weight': torch.ones(2, 3)}, file)
    config.merge_from_dict(
        {'model.encoder.backbone.init_cfg.checkpoint': file})
    with pytest.raises(NoMatchError, match='other.pth does not fit'):
        MODELS.build(config.model.encoder).init_weights()


def rows_of_pretraining():
    return [
        model for method in METHODS[:-1]
        for model in yaml.safe_load((CONFIGS / method /
                                     'metafile.yml').read_text())['Models']
    ]


def test_every_pretraining_has_a_row():
    there = {model['Config'] for model in rows_of_pretraining()}
    wanted = {
        f'configs/{name_of(path)}'
        for path in PRETRAINING
        if not path.stem.startswith('demo') and path.parent.name != 'evidence'
    }
    same = {  # as vit_tiny.py
        f'configs/saip/{name}.py'
        for name in ('vit_tiny_shards', 'ablations/csm_csr_css',
                     'ablations/data_lup1m')
    }
    assert there == wanted - same


@pytest.mark.parametrize(
    'row', rows_of_pretraining(), ids=lambda row: row['Name'])
def test_row_has_the_size_of_its_backbone(row):
    """FLOPs of a picture of 256x128, attention included; parameters."""
    config = Config.fromfile(ROOT / row['Config'])
    backbone = MODELS.build(config.model.encoder.backbone)
    backbone.train(False)
    flops = count_flops(backbone, torch.zeros(1, 3, 256, 128))
    said = row['Metadata']
    assert 1e9 * flops == pytest.approx(said['FLOPs'], rel=5e-3)
    assert said['Parameters'] == sum(p.numel() for p in backbone.parameters())
