"""The hook: what it averages, validates, saves, and how it goes on."""
import copy
import shutil
from types import SimpleNamespace

import pytest
import torch
from mmengine.runner import IterBasedTrainLoop, Runner

pytest.importorskip('mmseg')

from saip_mm.tasks.part_seg.ace2p import SelfCorrectionHook  # noqa: E402
from saip_mm.weights import CheckpointError  # noqa: E402
from ..lip_files import write_lip  # noqa: E402
from .shrink import CONFIGS, shrink  # noqa: E402
from .tiny import build_model  # noqa: E402

CONFIG = CONFIGS / 'lip/starnet_s3_authors.py'


def write_five(root):
    """LIP of five training pictures: two batches of two an epoch."""
    write_lip(root)
    for folder in ('train_images', 'train_segmentations'):
        for path in sorted((root / folder).iterdir())[:2]:
            shutil.copy(path, path.with_name('9' + path.name))
    with open(root / 'train_id.txt', 'a') as file:
        file.write('90_0\n91_1\n')
    return str(root)


class Watch(SelfCorrectionHook):
    """Notes the weights at each average, and those validated."""

    def after_train_epoch(self, runner):
        before = self.count
        super().after_train_epoch(runner)
        if self.count > before:
            self.taken.append({
                k: v.clone()
                for k, v in runner.model.named_parameters()
            })

    def after_val_epoch(self, runner, metrics=None):
        self.validated = copy.deepcopy(runner.model.state_dict())
        super().after_val_epoch(runner, metrics)


def make_runner(root, work_dir, start=1, interval=2, **settings):
    cfg = shrink(CONFIG, root, work_dir, epochs=4)
    cfg.custom_hooks = cfg.custom_hooks[:-1]
    # also the end of an epoch, before its average
    cfg.default_hooks.checkpoint.update(
        by_epoch=False, max_keep_ckpts=-1, save_best=None)
    cfg.update(settings)
    runner = Runner.from_cfg(cfg)
    hook = Watch(start, interval)
    hook.taken = []
    runner.register_hook(hook)
    return runner, hook


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return write_five(tmp_path_factory.mktemp('data') / 'lip')


@pytest.fixture(scope='module')
def whole(data, tmp_path_factory):
    """Four epochs of two steps, averages after the first and third."""
    work_dir = tmp_path_factory.mktemp('whole') / 'work'
    runner, hook = make_runner(data, work_dir)
    runner.train()
    return runner, hook, work_dir


def test_the_average_is_the_mean_of_the_ends_of_cycles(whole):
    runner, hook, _ = whole
    assert hook.count == len(hook.taken) == 2
    average = dict(hook.average.module.named_parameters())
    moved = 0
    for name, value in average.items():
        first, second = (taken[name] for taken in hook.taken)
        torch.testing.assert_close(value, (first + second) / 2)
        moved += not torch.equal(first, second)
    assert moved == len(average)
    assert not any(value.requires_grad for value in average.values())


def test_batch_norm_of_the_average_is_its_own(whole):
    runner, hook, _ = whole
    trained, own = runner.model.state_dict(), hook.average.module.state_dict()
    batches = [k for k in own if k.endswith('num_batches_tracked')]
    assert batches and {own[k].item() for k in batches} == {2}
    assert {trained[k].item() for k in batches} == {8}
    assert not any(
        torch.equal(own[k], trained[k]) for k in own if 'running_var' in k)


def test_the_average_is_validated_and_training_keeps_its_weights(whole):
    runner, hook, _ = whole
    for name, value in hook.average.module.state_dict().items():
        assert torch.equal(hook.validated[name], value), name
    last = hook.taken[-1]  # a cycle before the end
    assert not all(
        torch.equal(v, last[k]) for k, v in runner.model.named_parameters())
    assert runner.message_hub.get_scalar('val/mIoU').current() >= 0


def test_a_checkpoint_offers_the_average_first(whole):
    runner, hook, work_dir = whole
    last = torch.load(work_dir / 'iter_8.pth', weights_only=True)
    for name, value in hook.average.module.state_dict().items():
        assert torch.equal(last['state_dict'][name], value), name
    state = last['self_correction']
    assert state['count'] == 2
    for name, value in runner.model.state_dict().items():
        assert torch.equal(state['state_dict'][name], value), name
    early = torch.load(work_dir / 'iter_2.pth', weights_only=True)
    assert 'self_correction' not in early


def test_labels_are_refined_from_the_first_average_on(whole):
    """In the first epoch they are not: the edge term tells."""
    runner, _, _ = whole
    history = runner.message_hub.get_scalar('train/decode.loss_edge').data[0]
    assert len(history) == 8
    # cross entropy of two classes starts near ln 2, the divergence near 0
    assert history[:2].min() > 0.5 > history[2:].max()


@pytest.mark.slow
@pytest.mark.parametrize('step', [2, 4, 5])
def test_kill_and_resume_equals_the_uninterrupted_run(whole, data, tmp_path,
                                                      step):
    """Before an average is made, in a cycle, in an epoch in a cycle."""
    runner, hook, work_dir = whole
    resumed, other = make_runner(
        data,
        tmp_path / 'work',
        resume=True,
        load_from=str(work_dir / f'iter_{step}.pth'))
    resumed.train()
    assert resumed.iter == 8 and other.count == 2
    for own, wanted in ((resumed.model, runner.model), (other.average.module,
                                                        hook.average.module)):
        found = own.state_dict()
        for name, value in wanted.state_dict().items():
            assert torch.equal(found[name], value), name
    losses = 'train/decode.loss_fusion_pixel'
    wanted = runner.message_hub.get_scalar(losses).data[0]
    found = resumed.message_hub.get_scalar(losses).data[0]
    assert (found[-8:] == wanted).all()


def fake_runner(model=None, epochs=150, schedulers=(), **kwargs):
    return SimpleNamespace(
        model=model or build_model(),
        train_loop=None,
        max_epochs=epochs,
        param_schedulers=list(schedulers),
        train_dataloader=range(10),
        _resume=True,
        _load_from='last.pth',
        **kwargs)


def cycles(hook, runner):
    return [hook._cycles(runner, epoch) for epoch in range(8)]


def test_cycles():
    runner = fake_runner()
    assert cycles(SelfCorrectionHook(3, 2), runner) == [0, 0, 0, 1, 1, 2, 2, 3]
    assert cycles(SelfCorrectionHook(1, 1), runner) == list(range(8))


@pytest.mark.parametrize('unit', [1, 10])
def test_cycles_are_those_of_the_learning_rate(unit):
    """In epochs or, of 10 each, in iterations."""
    restarts = SimpleNamespace(
        begin=3 * unit, periods=[2 * unit], by_epoch=unit == 1)
    runner = fake_runner(schedulers=[SimpleNamespace(), restarts])
    assert cycles(SelfCorrectionHook(), runner) == [0, 0, 0, 1, 1, 2, 2, 3]
    runner.param_schedulers = dict(a=[], b=[restarts])
    assert cycles(SelfCorrectionHook(), runner) == [0, 0, 0, 1, 1, 2, 2, 3]
    runner.param_schedulers = None
    assert cycles(SelfCorrectionHook(), runner) == [0] * 8


@pytest.mark.parametrize('hook, line', [
    (SelfCorrectionHook(150, 10),
     'begins after epoch 150, and train_cfg.max_epochs is 150: no label'),
    (SelfCorrectionHook(), 'follows a CosineRestartLR, and param_scheduler'),
])
def test_what_will_not_happen_is_told(hook, line, log):
    hook.before_train(fake_runner())
    assert line in log.text


@pytest.mark.parametrize('start, interval', [(0, 1), (5, 0), (5, None),
                                             (None, 5)])
def test_impossible_cycles(start, interval):
    with pytest.raises(ValueError, match='give both, at least 1, or none'):
        SelfCorrectionHook(start, interval)


def test_a_model_that_does_not_learn_from_an_average():
    runner = fake_runner(model=torch.nn.Linear(1, 1))
    with pytest.raises(ValueError, match="Linear does not .*type='ACE2P'"):
        SelfCorrectionHook(1, 1).before_train(runner)


def test_a_training_counted_in_iterations():
    runner = fake_runner()
    runner.train_loop = IterBasedTrainLoop.__new__(IterBasedTrainLoop)
    with pytest.raises(ValueError, match='EpochBasedTrainLoop'):
        SelfCorrectionHook(1, 1).before_train(runner)


def test_a_checkpoint_without_its_average_is_not_resumed():
    checkpoint = dict(meta=dict(epoch=7), state_dict={})
    error = 'last.pth is of epoch 7 and has no average, .*start to 8 or later'
    with pytest.raises(CheckpointError, match=error):
        SelfCorrectionHook(7,
                           10).after_load_checkpoint(fake_runner(), checkpoint)
    SelfCorrectionHook(8, 10).after_load_checkpoint(fake_runner(), checkpoint)


def test_weights_to_start_from_are_the_average():
    """load_from, or a test: what is beside it is of no use."""
    runner = fake_runner()
    runner._resume = False
    checkpoint = dict(
        meta=dict(epoch=7),
        state_dict=dict(a=1),
        self_correction=dict(count=1, state_dict=dict(a=2)))
    hook = SelfCorrectionHook(1, 1)
    hook.after_load_checkpoint(runner, checkpoint)
    assert checkpoint == dict(meta=dict(epoch=7), state_dict=dict(a=1))
    assert hook.count == 0
    hook.before_test_epoch(runner)  # nothing to exchange
