"""What a resumed run takes from the checkpoint and what from the config."""
import math

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger

from saip_mm.engine.hooks.resume_schedule import ResumeScheduleHook
from saip_mm.engine.schedule import fit_schedule
from saip_mm.models.finite import REMEDY
from saip_mm.weights import CheckpointError
from ..toy import HOOKS, toy_loader, toy_runner

LENGTH = 5  # iterations of the toy's epoch
SAVING = dict(
    logger=dict(type='LoggerHook', interval=1),
    checkpoint=dict(
        type='CheckpointHook',
        interval=1,
        by_epoch=False,
        backend_args=dict(backend='atomic')))


def config(epochs, lr=0.01, **kwargs):
    """Warm-up of 3 iterations, then a cosine to 0; a milestone in epochs."""
    return Config(
        dict(
            train_cfg=dict(by_epoch=True, max_epochs=epochs),
            optim_wrapper=dict(
                type='TensorClipOptimWrapper',
                optimizer=dict(type='AdamW', lr=lr, weight_decay=0.04)),
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.1, end=3, by_epoch=False),
                dict(
                    type='CosineAnnealingLR',
                    begin=3,
                    eta_min=0.,
                    by_epoch=False),
                dict(type='MultiStepLR', milestones=[3], by_epoch=True),
            ]) | kwargs)


def expected(lr, epochs, step, length=LENGTH, milestone=3):
    """The rate of a step, from 0, restated."""
    total = epochs * length
    if step < 3:  # mmengine reaches the base one step before the end
        value = lr * (0.1 + 0.9 * min(step, 2) / 2)
    else:
        share = (step - 3) / (total - 3)
        value = lr * (1 + math.cos(math.pi * share)) / 2
    return value * (0.1 if step >= milestone * length else 1)


def run(folder, cfg, resume=None, schedule=None, loader=None, **kwargs):
    if resume:
        kwargs.update(load_from=str(resume), resume=True)
    runner = toy_runner(
        folder,
        HOOKS,
        cfg=cfg.copy(),
        train_cfg=cfg.train_cfg.copy(),
        optim_wrapper=cfg.optim_wrapper.copy(),
        param_scheduler=cfg.get('param_scheduler'),
        train_dataloader=loader or toy_loader(),
        default_hooks=SAVING,
        **kwargs)
    fit_schedule(runner)
    runner.register_hook(ResumeScheduleHook(schedule))
    runner.train()
    return runner


def rates(runner):
    return runner.message_hub.get_scalar('train/lr').data[0].tolist()


@pytest.fixture(scope='module')
def short(tmp_path_factory):
    """Two epochs, and their rates."""
    folder = tmp_path_factory.mktemp('short')
    runner = run(folder, config(2))
    assert rates(runner) == pytest.approx(
        [expected(0.01, 2, step) for step in range(10)])
    return folder


@pytest.fixture
def report(monkeypatch):
    """All that any logger is told, as one text."""
    messages = []
    pass_on = MMLogger.callHandlers

    def keep(self, record):
        messages.append(record.getMessage())
        pass_on(self, record)

    monkeypatch.setattr(MMLogger, 'callHandlers', keep)
    return lambda: '\n'.join(messages)


@pytest.mark.parametrize('at', [2, 7, 10])
@pytest.mark.parametrize('epochs, lr', [(2, 0.01), (6, 0.01), (4, 0.002)])
def test_new_takes_rate_and_length_of_the_config(short, tmp_path, epochs, lr,
                                                 at):
    resumed = run(tmp_path, config(epochs, lr), short / f'iter_{at}.pth',
                  'new')
    assert resumed.iter == epochs * LENGTH
    assert rates(resumed)[at:] == pytest.approx(
        [expected(lr, epochs, step) for step in range(at, epochs * LENGTH)])


def test_new_keeps_weights_moments_and_counters(short, tmp_path):
    saved = torch.load(short / 'iter_5.pth', weights_only=True)
    seen = {}

    class Look(ResumeScheduleHook):

        def before_train(self, runner):
            super().before_train(runner)
            seen.update(
                weights=runner.model.state_dict(),
                optimizer=runner.optim_wrapper.state_dict(),
                place=(runner.epoch, runner.iter))
            runner.train_loop._epoch = 99  # that is enough

    cfg = config(4, 0.002)
    cfg.optim_wrapper.optimizer.weight_decay = 0.5
    runner = toy_runner(
        tmp_path,
        HOOKS,
        cfg=cfg,
        train_cfg=cfg.train_cfg.copy(),
        optim_wrapper=cfg.optim_wrapper.copy(),
        param_scheduler=cfg.param_scheduler,
        load_from=str(short / 'iter_5.pth'),
        resume=True)
    runner.register_hook(Look('new'))
    runner.train()
    # iter_5 was saved before its epoch was counted
    assert seen['place'] == (0, 5)
    for key, value in saved['state_dict'].items():
        assert torch.equal(seen['weights'][key], value), key
    states = seen['optimizer']['state']
    assert states.keys() == saved['optimizer']['state'].keys()
    for key, state in saved['optimizer']['state'].items():
        assert torch.equal(states[key]['exp_avg_sq'], state['exp_avg_sq'])
    (group, ) = seen['optimizer']['param_groups']
    assert group['weight_decay'] == 0.5


def test_new_equals_a_run_that_had_the_config_from_the_start(tmp_path):
    """Weights and rates to the last bit where nothing was changed."""
    cfg = config(2)
    straight = run(tmp_path / 'a', cfg)
    resumed = run(tmp_path / 'b', cfg, tmp_path / 'a' / 'iter_4.pth', 'new')
    assert rates(straight) == rates(resumed)
    for key, value in straight.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[key]), key


@pytest.mark.parametrize('schedule', [None, 'kept'])
def test_kept_goes_on_as_made_and_says_what_is_not_taken(
        short, tmp_path, report, schedule):
    cfg = config(4, 0.002)
    cfg.train_cfg.val_interval = 7
    resumed = run(tmp_path, cfg, short / 'iter_7.pth', schedule)
    after = [expected(0.01, 2, step) for step in range(7, 10)]
    # and the last rate afterwards, also by the milestone of epochs
    assert rates(resumed)[7:10] == pytest.approx(after)
    assert rates(resumed)[11:] == pytest.approx([rates(resumed)[10]] * 9)
    text = report()
    assert text.count('resume from ') == 1
    assert f'learning rate of the next step: {after[0]:.6g}\n' in text
    assert ('changed: train_cfg.max_epochs: 2 -> 4, taken, hooks follow it; '
            'the learning rate follows the old length') in text
    assert ("changed: optim_wrapper.optimizer.lr: 0.01 -> 0.002, NOT taken, "
            "the checkpoint's is kept") in text
    assert 'changed: train_cfg.val_interval: not set -> 7, taken' in text
    assert '--resume-schedule new would take schedule and rates' in text
    # the dumped config shows what is
    dumped = Config.fromfile(next(tmp_path.glob('*.py')))
    assert dumped.optim_wrapper.optimizer.lr == 0.01


def test_an_unchanged_resume_reports_no_change(short, tmp_path, report):
    run(tmp_path, config(2), short / 'iter_7.pth')
    assert 'resume from' in report() and 'changed: ' not in report()
    assert '--resume-schedule' not in report()


def test_kept_schedule_of_fewer_phases(tmp_path):
    """A shortest run has no warm-up; its states are not another's."""
    schedulers = [
        dict(type='LinearLR', end=8, by_epoch=False),
        dict(type='CosineAnnealingLR', begin=8, eta_min=0., by_epoch=False),
    ]
    run(tmp_path / 'a', config(1, param_scheduler=schedulers))
    resumed = run(tmp_path / 'b', config(4, param_scheduler=schedulers),
                  tmp_path / 'a' / 'iter_3.pth')
    cosine = [0.005 * (1 + math.cos(math.pi * k / 5)) for k in range(5)]
    assert rates(resumed)[:5] == pytest.approx(cosine)
    assert len(resumed.param_schedulers) == 1
    # and anew: the whole warm-up and the cosine of the longer run
    anew = run(tmp_path / 'c', config(4, param_scheduler=schedulers),
               tmp_path / 'a' / 'iter_3.pth', 'new')
    assert rates(anew)[3] == pytest.approx(0.01 * (1 / 3 + 2 / 3 * 3 / 7))
    assert rates(anew)[14] == pytest.approx(0.01 / 2)  # 6 of 12


def test_done_says_so(short, tmp_path, report):
    resumed = run(tmp_path, config(2), short / 'iter_10.pth')
    assert 'nothing to train' not in report()  # the epoch's end was left
    resumed = run(tmp_path, config(1), short / 'iter_7.pth')
    assert resumed.iter == 7
    assert ('nothing to train: 1 of train_cfg.max_epochs=1 are done. To train '
            'longer, --cfg-options train_cfg.max_epochs=2 with --resume '
            '--resume-schedule new') in report()


# another batch


def test_another_batch_is_refused_until_a_word_is_given(short, tmp_path):
    halves = dict(loader=toy_loader(20, 2))
    with pytest.raises(CheckpointError) as error:
        run(tmp_path, config(2), short / 'iter_7.pth', **halves)
    assert ('iter_7.pth was trained with 1 processes x 4 images x 1 '
            'accumulated = 4 a step, this run has 1 processes x 2 images x 1 '
            'accumulated = 2') in str(error.value)
    assert '--resume-schedule kept goes on' in str(error.value)


def test_new_counts_iterations_of_another_batch(short, tmp_path):
    """Half the batch, half the rate: 10 iterations an epoch. The running
    epoch, the second, begins again at iteration 10."""
    resumed = run(
        tmp_path,
        config(2, 0.005),
        short / 'iter_7.pth',
        'new',
        loader=toy_loader(20, 2))
    assert resumed.iter == 20
    assert rates(resumed)[-10:] == pytest.approx(
        [expected(0.005, 2, step, 10) for step in range(10, 20)])


def test_other_processes_are_noticed(short, tmp_path):
    """By the file's note; by the length of epochs in older files."""
    path = tmp_path / 'two.pth'
    checkpoint = torch.load(short / 'iter_7.pth', weights_only=True)
    assert checkpoint['meta']['batch'] == dict(
        processes=1, per_process=4, accumulated=1)
    checkpoint['meta']['batch']['processes'] = 2
    torch.save(checkpoint, path)
    with pytest.raises(CheckpointError, match='2 processes x 4 images'):
        run(tmp_path, config(2), path)
    del checkpoint['meta']['batch']
    torch.save(checkpoint, path)
    run(tmp_path, config(2), path)
    checkpoint['message_hub']['runtime_info']['max_iters'] = 6
    torch.save(checkpoint, path)
    with pytest.raises(
            CheckpointError, match='had 3 iterations an epoch, '
            'this run has 5'):
        run(tmp_path, config(2), path)


# another optimiser


@pytest.mark.parametrize('schedule', ['kept', 'new'])
def test_another_optimiser_is_refused(short, tmp_path, schedule):
    cfg = config(2)
    cfg.optim_wrapper.optimizer = dict(type='SGD', lr=0.1)
    with pytest.raises(
            CheckpointError,
            match='state of AdamW, this run has '
            'SGD: .*load_from='):
        run(tmp_path, cfg, short / 'iter_7.pth', schedule)
    cfg = config(2)
    cfg.optim_wrapper.constructor = 'BackboneLayerDecayOptimWrapperConstructor'
    with pytest.raises(CheckpointError, match='divides them differently'):
        run(tmp_path, cfg, short / 'iter_7.pth', schedule)


# the remedy after NaN


def test_remedy_lowers_the_rate_of_the_next_step(short, tmp_path):
    """The words of the message, with half the rate."""
    words = REMEDY.split('with --resume ')[1].split(',')[0].split()
    assert words == [
        '--resume-schedule', 'new', '--cfg-options',
        'optim_wrapper.optimizer.lr=HALF'
    ]
    cfg = config(2)
    cfg.merge_from_dict({words[3].split('=')[0]: 0.005})
    same = run(tmp_path / 'a', config(2), short / 'iter_7.pth')
    half = run(tmp_path / 'b', cfg, short / 'iter_7.pth', words[1])
    assert rates(same)[7] == pytest.approx(expected(0.01, 2, 7))
    assert rates(half)[7] == pytest.approx(rates(same)[7] / 2)


def test_remedy_in_single_precision(short, tmp_path):
    """What a scaler of mixed precision left in the file is no obstacle."""
    assert 'optim_wrapper.type=TensorClipOptimWrapper' in REMEDY
    checkpoint = torch.load(short / 'iter_7.pth', weights_only=True)
    checkpoint['optimizer']['loss_scaler'] = dict(
        scale=512., _growth_tracker=1)
    torch.save(checkpoint, tmp_path / 'amp.pth')
    resumed = run(tmp_path / 'run', config(2), tmp_path / 'amp.pth')
    assert resumed.iter == 10


# what is read of the file


def test_text_in_a_checkpoint_is_not_run(short, tmp_path):
    """mmengine runs meta['config'] as a program."""
    checkpoint = torch.load(short / 'iter_7.pth', weights_only=True)
    trap = tmp_path / 'sprung'
    program = f'import pathlib\nx = pathlib.Path({str(trap)!r}).touch()\n'
    checkpoint['meta'].update(config=program, cfg=program)
    torch.save(checkpoint, tmp_path / 'trap.pth')
    resumed = run(tmp_path / 'run', config(2), tmp_path / 'trap.pth')
    assert resumed.iter == 10
    assert not trap.exists()


def test_a_file_without_its_config_is_resumed(short, tmp_path, report):
    checkpoint = torch.load(short / 'iter_7.pth', weights_only=True)
    checkpoint['meta']['cfg'] = 'a = open("b")'
    torch.save(checkpoint, tmp_path / 'a.pth')
    resumed = run(tmp_path / 'run', config(2), tmp_path / 'a.pth')
    assert rates(resumed)[7] == pytest.approx(expected(0.01, 2, 7))
    assert 'does not tell its config' in report()


def test_schedule_is_one_of_two():
    with pytest.raises(ValueError, match='kept, new'):
        ResumeScheduleHook('old')
