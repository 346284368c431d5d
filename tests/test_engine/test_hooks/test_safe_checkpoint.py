import os

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook

from saip_mm.engine import AtomicBackend, NonFiniteError
from saip_mm.weights import read_checkpoint
from ..toy import ToyModel, toy_loader, toy_runner


def runner_of(tmp_path, epochs=4, keep=1, hooks=(), **kwargs):
    checkpoint = dict(
        type='SafeCheckpointHook',
        interval=1,
        max_keep_ckpts=keep,
        backend_args=dict(backend='atomic'))
    settings = {k: kwargs.pop(k) for k in ('save_best', 'rule') if k in kwargs}
    return toy_runner(
        tmp_path, ['PlainCheckpointHook', *hooks],
        epochs=epochs,
        default_hooks=dict(checkpoint=dict(checkpoint, **settings)),
        **kwargs)


def files(folder):
    return sorted(name for name in os.listdir(folder) if '.pth' in name)


def last(folder):
    path = (folder / 'last_checkpoint').read_text()
    return read_checkpoint(path)['meta']['epoch']


@pytest.mark.parametrize('keep, left', [(1, [4]), (2, [3, 4]),
                                        (-1, [1, 2, 3, 4])])
def test_the_newest_are_kept(tmp_path, keep, left):
    runner_of(tmp_path, keep=keep).train()
    assert files(tmp_path) == [f'epoch_{i}.pth' for i in left]
    assert last(tmp_path) == 4
    info = read_checkpoint(str(tmp_path / 'epoch_4.pth'))['message_hub']
    assert info['runtime_info']['last_ckpt'] == str(tmp_path / 'epoch_4.pth')
    if keep > 0:
        assert info['runtime_info']['keep_ckpt_ids'] == left


def stop_at(monkeypatch, name):
    """End the process's work, as a kill would, when ``name`` is written."""
    put = AtomicBackend.put

    def stop(self, obj, path):
        if str(path).endswith(name):
            raise KeyboardInterrupt
        put(self, obj, path)

    monkeypatch.setattr(AtomicBackend, 'put', stop)


@pytest.mark.parametrize('keep', [1, 2, 3])
def test_a_kill_while_saving_leaves_the_one_before(tmp_path, monkeypatch,
                                                   keep):
    stop_at(monkeypatch, 'epoch_3.pth')
    runner = runner_of(tmp_path, keep=keep)
    with pytest.raises(KeyboardInterrupt):
        runner.train()
    assert files(tmp_path)[-1] == 'epoch_2.pth'
    assert last(tmp_path) == 2
    assert runner.message_hub.get_info('last_ckpt').endswith('epoch_2.pth')
    monkeypatch.undo()
    runner_of(
        tmp_path,
        keep=keep,
        resume=True,
        load_from=str(tmp_path / 'epoch_2.pth')).train()
    assert files(tmp_path) == [
        f'epoch_{i}.pth' for i in range(5 - keep, 5)]  # yapf: disable


class Validated(ToyModel):

    def val_step(self, data):
        return [{}]


def test_the_best_goes_when_a_better_one_is_there(tmp_path, monkeypatch):
    scores = iter([0.1, 0.3, 0.2, 0.4])

    class Metric(BaseMetric):

        def process(self, data_batch, data_samples):
            self.results.append(0)

        def compute_metrics(self, results):
            return dict(score=next(scores))

    def run():
        return runner_of(
            tmp_path,
            model=Validated(),
            save_best='score',
            rule='greater',
            val_dataloader=toy_loader(),
            val_cfg=dict(),
            val_evaluator=[Metric()],
            train_cfg=dict(by_epoch=True, max_epochs=4, val_interval=1))

    stop_at(monkeypatch, 'best_score_epoch_4.pth')
    with pytest.raises(KeyboardInterrupt):
        run().train()
    assert 'best_score_epoch_2.pth' in files(tmp_path)
    monkeypatch.undo()
    scores = iter([0.1, 0.3, 0.2, 0.4])
    run().train()
    assert files(tmp_path) == ['best_score_epoch_4.pth', 'epoch_4.pth']


def test_what_is_not_finite_is_not_saved(tmp_path):

    class Overflow(Hook):

        def after_train_iter(self, runner, batch_idx, data_batch, outputs):
            if runner.iter == 9:  # the last of the second epoch
                with torch.no_grad():
                    runner.model.encoder.cls_token.fill_(torch.inf)

    runner = runner_of(tmp_path)
    runner.register_hook(Overflow())
    with pytest.raises(NonFiniteError) as error:
        runner.train()
    assert files(tmp_path) == ['epoch_1.pth']
    assert last(tmp_path) == 1
    message = str(error.value)
    assert 'to be saved: state_dict.encoder.cls_token holds' in message
    assert f'last checkpoint {tmp_path}/epoch_1.pth' in message


def test_a_kill_while_the_pointer_is_written_keeps_it(tmp_path, monkeypatch):

    def stop(path, content):
        if content.endswith(b'epoch_2.pth'):
            raise KeyboardInterrupt
        path = str(path)
        with open(path, 'wb') as file:
            file.write(content)

    monkeypatch.setattr('saip_mm.engine.hooks.safe_checkpoint.write_file',
                        stop)
    with pytest.raises(KeyboardInterrupt):
        runner_of(tmp_path).train()
    assert last(tmp_path) == 1
