import os

import pytest
from mmengine.config import Config

from saip_mm.engine import config_doors
from saip_mm.engine.config_doors import (check_counts, check_folder,
                                         check_training, complete_config,
                                         warn_of_new_keys)
from .toy import HOOKS, toy_runner


def make_cfg(**kwargs) -> Config:
    loader = dict(batch_size=4, num_workers=2, persistent_workers=True)
    return Config(
        dict(
            model=dict(type='Toy'),
            train_dataloader=dict(loader),
            train_cfg=dict(max_epochs=3),
            optim_wrapper=dict(type='OptimWrapper')) | kwargs)


# options


@pytest.mark.parametrize('option, meant', [
    ('train_cfg.max_epoch', 'train_cfg.max_epochs'),
    ('train_dataloder.batch_size', 'train_dataloader.batch_size'),
    ('train_dataloader.batchsize', 'train_dataloader.batch_size'),
    ('max_epochs', 'train_cfg.max_epochs'),
    ('train_dataloader.num_worker', 'train_dataloader.num_workers'),
])
def test_a_misspelled_option_is_named_with_its_nearest(option, meant, capsys):
    warn_of_new_keys(make_cfg(), {option: 1})
    printed = capsys.readouterr().out
    assert f'WARNING: --cfg-options {option}: the config has no ' in printed
    assert printed.endswith(f'it is added; did you mean {meant}?\n')


def test_a_new_option_is_told_and_a_known_one_is_not(capsys):
    cfg = make_cfg(param_scheduler=[dict(type='LinearLR', end=5)], empty={})
    warn_of_new_keys(
        cfg, {
            'train_cfg.max_epochs': 1,
            'param_scheduler.0.end': 2,
            'train_dataloader': dict(a=1)
        })
    assert capsys.readouterr().out == ''
    warn_of_new_keys(cfg, {'optim_wrapper.accumulative_counts': 4})
    printed = capsys.readouterr().out
    assert printed == ('WARNING: --cfg-options optim_wrapper.'
                       'accumulative_counts: the config has no optim_wrapper.'
                       'accumulative_counts, it is added\n')


def test_a_change_of_a_variable_comes_too_late(capsys):
    backbone = dict(last_stride=2)
    cfg = make_cfg(
        backbone=backbone, model=dict(encoder=dict(backbone=backbone)))
    warn_of_new_keys(cfg, {'backbone.last_stride': 1})
    printed = capsys.readouterr().out
    assert 'backbone is a variable of the config' in printed
    assert printed.endswith(
        'did you mean model.encoder.backbone.last_stride?\n')
    warn_of_new_keys(cfg, {'model.encoder.backbone.last_stride': 1})
    assert capsys.readouterr().out == ''


@pytest.mark.parametrize('option, error', [
    ('train_cfg.max_epochs.x', 'train_cfg.max_epochs is 3 in the config'),
    ('hooks.0.type', 'hooks is a list of 0'),
    ('hooks.last.type', 'its parts are numbers'),
    ('nothing.x', 'nothing is None in the config'),
])
def test_an_option_that_leads_nowhere_is_refused(option, error):
    with pytest.raises(ValueError, match=error):
        warn_of_new_keys(make_cfg(hooks=[], nothing=None), {option: 1})


# neighbours of a setting


def test_home_is_expanded_in_every_value(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    cfg = make_cfg(
        load_from='~/a.pth',
        work_dir='~/runs',
        sources=[dict(data_root='~/b', ann_file='~/c.txt')],
        pair=('~/d', dict(data_prefix=dict(img='~/e'))),
        other='a~/b',
        short='~',
        named='~ 5')
    complete_config(cfg)
    home = str(tmp_path)
    assert cfg.load_from == f'{home}/a.pth' and cfg.work_dir == f'{home}/runs'
    assert cfg.sources == [
        dict(data_root=f'{home}/b', ann_file=f'{home}/c.txt')
    ]
    assert cfg.pair[0] == f'{home}/d'
    assert cfg.pair[1]['data_prefix']['img'] == f'{home}/e'
    assert (cfg.other, cfg.short, cfg.named) == ('a~/b', home, '~ 5')


@pytest.mark.parametrize('loader', config_doors.LOADERS)
def test_without_workers_nothing_is_asked_of_them(loader):
    stage = loader.split('_')[0]
    cfg = make_cfg(**{f'{stage}_cfg': dict(a=1), f'{stage}_evaluator': []})
    cfg[loader] = dict(
        num_workers=0, persistent_workers=True, prefetch_factor=4)
    complete_config(cfg)
    assert cfg[loader] == dict(num_workers=0, persistent_workers=False)


def test_with_workers_they_stay_as_they_are():
    cfg = make_cfg()
    complete_config(cfg)
    assert cfg.train_dataloader == make_cfg().train_dataloader


def evaluation(**kwargs) -> Config:
    return make_cfg(**dict(
        dict(
            val_dataloader=dict(batch_size=1),
            val_evaluator=dict(type='M'),
            val_cfg=dict(type='ValLoop')), **kwargs))


def test_a_missing_loop_is_the_default_one():
    cfg = evaluation()
    cfg.pop('val_cfg')
    complete_config(cfg)
    assert cfg.val_cfg == dict() and cfg.val_evaluator == dict(type='M')


@pytest.mark.parametrize('part',
                         ['val_dataloader', 'val_evaluator', 'val_cfg'])
def test_one_part_set_to_none_switches_validation_off(part, capsys):
    cfg = evaluation(**{part: None})
    complete_config(cfg)
    assert cfg.val_dataloader is cfg.val_evaluator is cfg.val_cfg is None
    assert f'{part} is None: no validation' in capsys.readouterr().out


def test_a_missing_metric_is_named():
    cfg = evaluation()
    cfg.pop('val_evaluator')
    with pytest.raises(ValueError, match='no val_evaluator: validation needs'):
        complete_config(cfg)


@pytest.mark.parametrize('name', [
    'runtime_info', 'timer', 'logger', 'param_scheduler', 'checkpoint',
    'checkpoint_fit', 'sampler_seed', 'iteration_seed', 'resume_epoch',
    'pending_gradients', 'plain_checkpoint', 'weight_decay', 'replaced_images',
    'collapse', 'knn'
])
def test_any_default_hook_can_be_switched_off(name, tmp_path):
    """``default_hooks.knn=None``, then a training."""
    path = os.path.join(
        os.path.dirname(__file__), '../../configs/_base_/default_runtime.py')
    cfg = Config.fromfile(path, import_custom_modules=False)
    cfg.default_hooks[name] = None
    cfg.custom_hooks = [None, dict(type=HOOKS[-1])]
    complete_config(cfg)
    runner = toy_runner(
        tmp_path,
        epochs=1,
        default_hooks=cfg.default_hooks,
        custom_hooks=cfg.custom_hooks)
    runner.train()
    assert runner.iter == 5
    assert (tmp_path / 'epoch_1.pth').is_file() == (name != 'checkpoint')


# what cannot be trained with


@pytest.mark.parametrize('name',
                         ['train_dataloader', 'train_cfg', 'optim_wrapper'])
def test_a_part_of_training_that_is_missing_is_named(name):
    with pytest.raises(ValueError, match=f'has no {name}: nothing can be'):
        check_training(make_cfg(**{name: None}))


def test_a_loop_without_type_counts_what_it_is_given():
    for train_cfg, by_epoch in ((dict(max_epochs=1), True), (dict(max_iters=1),
                                                             False)):
        cfg = make_cfg(train_cfg=train_cfg)
        check_training(cfg)
        assert cfg.train_cfg.by_epoch is by_epoch


@pytest.mark.parametrize('name, value', [
    ('train_cfg.max_epochs', 0),
    ('train_cfg.max_epochs', -3),
    ('train_cfg.max_epochs', 1.5),
    ('train_cfg.max_epochs', '3'),
    ('train_cfg.max_epochs', True),
    ('train_cfg.max_iters', float('inf')),
    ('train_cfg.val_interval', 0),
    ('train_dataloader.batch_size', 0),
    ('val_dataloader.batch_size', -1),
    ('optim_wrapper.accumulative_counts', 0),
    ('train_dataloader.num_workers', -1),
    ('train_dataloader.num_workers', '2'),
])
def test_numbers_that_are_none_are_refused(name, value):
    cfg = make_cfg(val_dataloader=dict(batch_size=1))
    cfg.merge_from_dict({name: value})
    with pytest.raises(ValueError) as error:
        check_counts(cfg)
    assert str(error.value).startswith(f'{name}={value!r}: it must be a whole')


def test_numbers_that_are_are_accepted():
    cfg = make_cfg()
    cfg.train_cfg.max_epochs = 2.
    check_counts(cfg)


# folders


def test_a_file_in_place_of_a_folder(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(FileExistsError, match='work dir .*file is a file'):
        check_folder(str(tmp_path / 'file'), 'work dir')
    with pytest.raises(OSError, match='work dir .*cannot be made'):
        check_folder(str(tmp_path / 'file' / 'inner'), 'work dir')


def test_a_folder_that_is_not_writable(tmp_path, monkeypatch):
    monkeypatch.setattr(os, 'access', lambda *_: False)
    with pytest.raises(PermissionError, match='cannot be written to'):
        check_folder(str(tmp_path), 'work dir')


def test_a_folder_is_made(tmp_path):
    check_folder(str(tmp_path / 'a' / 'b'), 'work dir')
    assert (tmp_path / 'a' / 'b').is_dir()


def test_a_sampler_that_deals_in_batches_has_the_loaders():
    for sampler, after in ((dict(type='ShardSampler', batch_size=256), 8),
                           (dict(type='DefaultSampler'), None), (None, None)):
        cfg = Config(
            dict(train_dataloader=dict(batch_size=8, sampler=sampler)))
        complete_config(cfg)
        sampler = cfg.train_dataloader.sampler
        assert (sampler or {}).get('batch_size') == after
