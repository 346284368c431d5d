import logging

import pytest
from torch.utils.data import DataLoader, default_collate

from saip_mm.engine import ResumeEpochHook
from ..toy import HOOKS, ToyImages, toy_loader, toy_runner

BY_ITER = dict(
    checkpoint=dict(
        type='CheckpointHook',
        interval=1,
        by_epoch=False,
        backend_args=dict(backend='atomic')))


@pytest.fixture(scope='module')
def checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp('run')
    toy_runner(folder, HOOKS, default_hooks=BY_ITER).train()
    return folder


class Sampler:
    skipped = None

    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length

    def __iter__(self):
        return iter(range(self.length))

    def skip(self, count):
        self.skipped = count


class Runner:

    logger = logging.getLogger('resume_epoch')
    train_loop = None  # one of epochs

    def __init__(self, iteration, epoch, samples=10, batch_size=4):
        self.iter, self.epoch = iteration, epoch
        data = ToyImages(samples)
        self.train_dataloader = DataLoader(
            data, batch_size, sampler=Sampler(samples))
        self.sampler = self.train_dataloader.sampler


def skipped(*args, **kwargs):
    hook, runner = ResumeEpochHook(), Runner(*args, **kwargs)
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    return runner.sampler.skipped


def test_counts_samples_of_the_running_epoch():
    # 10 samples, batches of 4: 3 iterations an epoch, the last one of 2
    assert skipped(0, 0) is None
    assert skipped(2, 0) == 8
    assert skipped(3, 0) == 10  # the end of an epoch not yet counted
    assert skipped(3, 1) is None
    assert skipped(7, 2) == 4


def test_only_the_first_epoch_skips():
    hook, runner = ResumeEpochHook(), Runner(2, 0)
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    runner.sampler.skipped = None
    runner.iter, runner.epoch = 3, 1
    hook.before_train_epoch(runner)
    assert runner.sampler.skipped is None


def test_without_a_resumable_sampler_it_says_so(checkpoints, tmp_path, caplog):
    loader = DataLoader(ToyImages(), 4, collate_fn=default_collate)
    runner = toy_runner(
        tmp_path,
        HOOKS,
        train_dataloader=loader,
        load_from=str(checkpoints / 'iter_3.pth'),
        resume=True)
    runner.logger.addHandler(caplog.handler)
    runner.train()
    assert 'use ResumableSampler' in caplog.text


def test_another_batch_size_starts_the_epoch_again(checkpoints, tmp_path,
                                                   caplog):
    runner = toy_runner(
        tmp_path,
        HOOKS,
        train_dataloader=toy_loader(batch_size=2),
        load_from=str(checkpoints / 'iter_3.pth'),
        resume=True)
    runner.logger.addHandler(caplog.handler)
    runner.logger.setLevel(logging.INFO)
    runner.train()
    assert 'had 5 iterations' in caplog.text
    assert len(runner.model.drawn) == 20
