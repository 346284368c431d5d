import os

import pytest
import torch
from mmengine.config import Config

from saip_mm.engine import launch_options


def make_cfg(**kwargs) -> Config:
    return Config(
        dict(
            launcher='none',
            work_dir='work',
            train_dataloader=dict(batch_size=256),
            optim_wrapper=dict(
                type='TensorClipOptimWrapper',
                optimizer=dict(type='AdamW', lr=2e-3)),
            auto_scale_lr=dict(enable=False, base_batch_size=2048)) | kwargs)


@pytest.fixture
def on_gpu(monkeypatch):
    monkeypatch.setattr(launch_options, 'has_gpu', lambda: True)


@pytest.fixture
def on_cpu(monkeypatch):
    monkeypatch.setattr(launch_options, 'has_gpu', lambda: False)


# learning rate


@pytest.mark.parametrize(
    'batch, processes, accumulation, after',
    [
        (256, 8, 1, 2e-3),  # 2048: as meant
        (64, 8, 4, 2e-3),  # 2048 in four parts
        (64, 1, 1, 6.25e-5),  # 64 / 2048 = 1/32
        (256, 16, 1, 4e-3)
    ])
def test_lr_follows_the_effective_batch(batch, processes, accumulation, after,
                                        capsys):
    cfg = make_cfg(train_dataloader=dict(batch_size=batch))
    cfg.optim_wrapper.accumulative_counts = accumulation
    cfg.auto_scale_lr.enable = True
    before, scaled = launch_options.scale_learning_rate(cfg, processes)
    assert before == 2e-3
    assert scaled == pytest.approx(after, rel=1e-12)
    assert cfg.optim_wrapper.optimizer.lr == scaled
    assert not cfg.auto_scale_lr.enable  # mmengine must not do it again
    printed = capsys.readouterr().out
    assert (f'{batch} per GPU x {processes} GPUs x {accumulation} accumulated '
            f'= {batch * processes * accumulation}') in printed
    assert f'0.002 (for 2048) -> {scaled:g}' in printed


@pytest.mark.parametrize('cfg', [
    make_cfg(auto_scale_lr=None),
    make_cfg(optim_wrapper=dict(a=dict(optimizer=dict(lr=1.))))
])
def test_lr_scaling_says_what_the_config_lacks(cfg):
    with pytest.raises(ValueError, match='base_batch_size'):
        launch_options.scale_learning_rate(cfg, 1)


@pytest.mark.parametrize(
    'launcher, env',
    [('pytorch', dict(WORLD_SIZE='6', RANK='5')),
     ('slurm', dict(SLURM_NTASKS='6', SLURM_PROCID='5')),
     ('mpi', dict(OMPI_COMM_WORLD_SIZE='6', OMPI_COMM_WORLD_RANK='5'))])
def test_only_the_first_process_speaks(launcher, env, monkeypatch, capsys):
    for key, value in env.items():
        monkeypatch.setenv(key, value)
    assert launch_options.process_info(launcher) == (6, 5)
    assert launch_options.process_info('none') == (1, 0)
    launch_options.tell('once')
    assert capsys.readouterr().out == ''


# mixed precision


@pytest.mark.parametrize(
    'name, mixed',
    [('OptimWrapper', 'AmpOptimWrapper'),
     ('mmengine.OptimWrapper', 'mmengine.AmpOptimWrapper'),
     ('TensorClipOptimWrapper', 'TensorClipAmpOptimWrapper'),
     ('TensorClipAmpOptimWrapper', 'TensorClipAmpOptimWrapper')])
def test_amp_switches_the_wrapper(name, mixed, on_gpu):
    cfg = make_cfg()
    cfg.optim_wrapper.type = name
    launch_options.use_amp(cfg, 'bfloat16')
    launch_options.adapt_to_device(cfg)
    assert cfg.optim_wrapper.type == mixed
    assert cfg.optim_wrapper.dtype == 'bfloat16'


def test_pretraining_multiplies_bfloat16_on_a_cpu_that_can(
        on_cpu, monkeypatch, capsys):
    monkeypatch.setattr(launch_options, 'cpu_has_bfloat16', lambda: True)
    monkeypatch.setenv('ONEDNN_PRIMITIVE_CACHE_CAPACITY', 'theirs')
    cfg = make_cfg()
    launch_options.use_amp(cfg, 'float16')
    launch_options.adapt_to_device(cfg)
    assert cfg.optim_wrapper.type == 'TensorClipCpuAmpOptimWrapper'
    assert 'dtype' not in cfg.optim_wrapper
    assert 'without a GPU: bfloat16' in capsys.readouterr().out
    assert os.environ['ONEDNN_PRIMITIVE_CACHE_CAPACITY'] == 'theirs'
    launch_options.adapt_to_device(cfg)  # twice changes nothing
    assert cfg.optim_wrapper.type == 'TensorClipCpuAmpOptimWrapper'


@pytest.mark.parametrize('name, bfloat16, remedy', [
    ('TensorClipOptimWrapper', False, 'or a CPU with bfloat16, '),
    ('mmengine.OptimWrapper', False, 'needs a GPU, '),
    ('mmengine.OptimWrapper', True, 'needs a GPU, '),
])
def test_amp_falls_back_to_float32_without_gpu(name, bfloat16, remedy, on_cpu,
                                               monkeypatch, capsys):
    monkeypatch.setattr(launch_options, 'cpu_has_bfloat16', lambda: bfloat16)
    cfg = make_cfg()
    cfg.optim_wrapper.type = name
    launch_options.use_amp(cfg, 'float16')
    launch_options.adapt_to_device(cfg)
    assert cfg.optim_wrapper.type == name
    assert 'dtype' not in cfg.optim_wrapper
    out = capsys.readouterr().out
    assert 'training in float32' in out and remedy in out


def test_what_torch_tells_about_bfloat16(monkeypatch):
    for check, has in (('_is_avx512_bf16_supported', False),
                       ('_is_amx_tile_supported', True)):
        monkeypatch.setattr(torch.cpu, check, lambda has=has: has, False)
    assert launch_options.cpu_has_bfloat16()
    monkeypatch.delattr(torch.cpu, '_is_amx_tile_supported')
    assert not launch_options.cpu_has_bfloat16()


def test_amp_refuses_a_wrapper_without_twin():
    cfg = make_cfg(optim_wrapper=dict(type='ApexOptimWrapper'))
    with pytest.raises(ValueError, match='ApexOptimWrapper'):
        launch_options.use_amp(cfg)


# processes without GPUs


def test_cpu_processes_use_gloo_and_plain_batchnorm(on_cpu, capsys):
    cfg = make_cfg(
        launcher='pytorch',
        sync_bn='torch',
        find_unused_parameters=True,
        env_cfg=dict(dist_cfg=dict(backend='nccl')),
        model=dict(heads=[dict(norm_cfg=dict(type='SyncBN'))]))
    launch_options.adapt_to_device(cfg)
    assert cfg.env_cfg.dist_cfg.backend == 'gloo'
    assert cfg.model_wrapper_cfg.device_ids is None
    assert cfg.model_wrapper_cfg.find_unused_parameters
    assert 'sync_bn' not in cfg
    assert cfg.model.heads[0].norm_cfg.type == 'BN'
    assert 'SyncBatchNorm needs GPUs' in capsys.readouterr().out


def test_a_gpu_changes_nothing(on_gpu):
    cfg = make_cfg(launcher='pytorch', sync_bn='torch')
    launch_options.adapt_to_device(cfg)
    assert cfg.sync_bn == 'torch' and 'model_wrapper_cfg' not in cfg


def test_slurm_without_gpu_is_refused(on_cpu):
    with pytest.raises(ValueError, match='dist_train.sh'):
        launch_options.adapt_to_device(make_cfg(launcher='slurm'))


# averaging over versions


def test_tta_wraps_the_model_and_needs_a_pipeline():
    cfg = make_cfg(
        model=dict(type='Net'),
        tta_model=dict(type='Mean'),
        test_dataloader=dict(dataset=dict(pipeline=['plain'])))
    with pytest.raises(ValueError, match='--tta needs a tta_pipeline'):
        launch_options.use_tta(cfg)
    cfg.tta_pipeline = ['several']
    launch_options.use_tta(cfg)
    assert cfg.model == dict(type='Mean', module=dict(type='Net'))
    assert cfg.test_dataloader.dataset.pipeline == ['several']
