import os
import os.path as osp
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import InfiniteSampler
from torch.utils.data import DataLoader

from saip_mm.engine import launch, launch_options
from saip_mm.weights import CheckpointError, check_checkpoint, find_resume_file
from .toy import toy_loader, toy_runner


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
    for module in (launch, launch_options):
        monkeypatch.setattr(module, 'has_gpu', lambda: True)


@pytest.fixture
def on_cpu(monkeypatch):
    for module in (launch, launch_options):
        monkeypatch.setattr(module, 'has_gpu', lambda: False)


def save_state(path, step: int = 0) -> str:
    torch.save(
        dict(
            meta=dict(epoch=0, iter=step),
            state_dict=dict(weight=torch.randn(64, 64)),
            optimizer=dict(),
            message_hub=dict()), path)
    os.utime(path, (step, step))
    return str(path)


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


# config and work dir


def test_work_dir_order(tmp_path):
    path = tmp_path / 'configs' / 'pose' / 'tiny.py'
    path.parent.mkdir(parents=True)
    path.write_text('a = 1\n')
    cfg = launch.load_config(str(path), cfg_options={'a': 2})
    assert cfg.work_dir == 'work_dirs/pose/tiny' and cfg.a == 2
    path.write_text("work_dir = 'own'\n")
    assert launch.load_config(str(path)).work_dir == 'own'
    assert launch.load_config(str(path), 'given').work_dir == 'given'


def test_missing_config_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        launch.load_config('configs/none.py')


def test_test_needs_something_to_test(tmp_path):
    config = tmp_path / 'pretrain.py'
    config.write_text('model = dict()\n')
    with pytest.raises(ValueError, match='no test_dataloader'):
        launch.evaluate(str(config), 'weights.pth')


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


# fewer images than a batch


def test_fewer_images_than_a_batch_are_refused(tmp_path, monkeypatch):
    config = tmp_path / 'six.py'
    config.write_text('model = dict(type="Toy")\n'
                      'train_dataloader = dict(batch_size=64)\n'
                      'train_cfg = dict(max_epochs=2)\n'
                      'optim_wrapper = dict(type="OptimWrapper")\n')
    monkeypatch.setattr(
        launch, 'build_runner', lambda cfg: toy_runner(
            cfg.work_dir, train_dataloader=toy_loader(6, 64)))
    with pytest.raises(ValueError) as error:
        launch.train(str(config), str(tmp_path / 'work'))
    assert ('6 images over 1 processes are fewer than batch_size 64'
            in str(error.value))
    assert 'train_dataloader.batch_size to at most 6' in str(error.value)
    assert not list(tmp_path.rglob('*.pth'))


@pytest.mark.parametrize('kwargs', [
    dict(batch_size=6, drop_last=True),
    dict(batch_size=64),
    dict(batch_size=64, drop_last=True, sampler=InfiniteSampler(range(6))),
])
def test_whatever_gives_a_batch_is_accepted(kwargs):
    loader = DataLoader(range(6), **kwargs)
    launch.check_batches(SimpleNamespace(train_dataloader=loader))


# resume


def test_resume_auto_reads_last_checkpoint(tmp_path):
    path = save_state(tmp_path / 'epoch_2.pth')
    (tmp_path / 'last_checkpoint').write_text(path + '\n')
    assert find_resume_file('auto', str(tmp_path)) == path


def test_resume_auto_finds_a_moved_work_dir(tmp_path):
    path = save_state(tmp_path / 'epoch_2.pth')
    (tmp_path / 'last_checkpoint').write_text('/old/place/epoch_2.pth')
    assert find_resume_file('auto', str(tmp_path)) == path


def test_resume_auto_starts_afresh_with_a_warning(tmp_path, capsys):
    cfg = make_cfg(work_dir=str(tmp_path))
    launch.set_resume(cfg, 'auto')
    assert not cfg.resume and cfg.get('load_from') is None
    assert 'no last_checkpoint' in capsys.readouterr().out


def test_config_may_ask_for_resume_itself(tmp_path):
    path = save_state(tmp_path / 'epoch_2.pth')
    cfg = make_cfg(work_dir=str(tmp_path), resume=True, load_from=path)
    launch.set_resume(cfg, None)
    assert cfg.resume and cfg.load_from == path


@pytest.mark.parametrize('asked', ['auto', None])
def test_a_run_is_not_started_over_beside_its_checkpoints(tmp_path, asked):
    """--resume, or resume=True in the config, without last_checkpoint."""
    path = save_state(tmp_path / 'epoch_5.pth')
    cfg = make_cfg(work_dir=str(tmp_path), resume=asked is None)
    with pytest.raises(CheckpointError, match=f'by --resume {path}'):
        launch.set_resume(cfg, asked)


@pytest.mark.parametrize('damage', [
    lambda data: data[:len(data) // 2],
    lambda data: b'',
    lambda data: data.replace(data[9000:9004], b'\0\1\2\3'),
])
def test_damaged_file_is_named_with_a_remedy(tmp_path, damage):
    older = save_state(tmp_path / 'epoch_1.pth', 1)
    newer = save_state(tmp_path / 'epoch_2.pth', 2)
    last = tmp_path / 'epoch_3.pth'
    save_state(last, 3)
    for path in (newer, last):
        with open(path, 'rb') as file:
            data = file.read()
        with open(path, 'wb') as file:
            file.write(damage(data))
    with pytest.raises(CheckpointError) as error:
        find_resume_file(str(last), str(tmp_path))
    assert str(last) in str(error.value) and 'damaged' in str(error.value)
    # the newer one is damaged too
    assert str(error.value).endswith(f'usable one of its folder is {older}')


def test_missing_file_and_no_other(tmp_path):
    path = osp.join(tmp_path, 'epoch_3.pth')
    with pytest.raises(
            CheckpointError, match='does not exist.*no other usable'):
        find_resume_file(path, str(tmp_path))


def test_weights_alone_are_not_a_state_of_training(tmp_path):
    path = str(tmp_path / 'weights.pth')
    for key, advice in (('encoder.backbone.a', f'load_from={path}'),
                        ('backbone.a', f'load_from={path}'),
                        ('a', f'backbone.init_cfg.checkpoint={path}')):
        torch.save(dict(meta={}, state_dict={key: torch.ones(1)}), path)
        check_checkpoint(path)
        with pytest.raises(CheckpointError, match=advice):
            find_resume_file(path, str(tmp_path))
