"""Tar shards, a kill, and the rest: both loops of mmengine, to the last bit.
"""
import pytest
from torch.utils.data import DataLoader

from saip_mm.datasets import PersonImages, ShardSampler
from ..test_datasets.shards import write_shards
from .test_resume import assert_same_training, checkpoint
from .toy import HOOKS, toy_runner

pytest.importorskip('webdataset')


class Crop:

    def __call__(self, results):
        from saip_mm.datasets.transforms import decode_image
        image = decode_image(results['data'])[:6, :6] / 255.
        noise = results['rng'].random(image.shape)
        return dict(
            inputs=(image + noise).transpose(2, 0, 1).astype('float32'),
            key=results['key'])


def collate(samples):
    from torch.utils.data import default_collate
    return dict(inputs=default_collate([s['inputs'] for s in samples]))


def run(folder, shards, by_epoch, resume=None):
    data = PersonImages(shards, [Crop()])
    loader = DataLoader(
        data,
        4,
        sampler=ShardSampler(data, 4, streams=2, mix=2, seed=3),
        collate_fn=collate,
        drop_last=True)
    cfg = (
        dict(by_epoch=True, max_epochs=2) if by_epoch else dict(
            type='IterBasedTrainLoop', max_iters=10))
    kwargs = dict(
        load_from=str(resume), resume=True) if resume else dict(
            default_hooks=checkpoint(by_epoch=False))
    runner = toy_runner(
        folder, HOOKS, train_dataloader=loader, train_cfg=cfg, **kwargs)
    runner.train()
    return runner


@pytest.mark.parametrize('by_epoch', [True, False])
@pytest.mark.parametrize('at', [3, 5, 7])
def test_a_resumed_run_reads_what_the_killed_one_had_not(
        tmp_path, monkeypatch, by_epoch, at):
    """Five iterations an epoch, of 22 pictures in five shards."""
    monkeypatch.setattr('mmengine.runner.loops.time.sleep', lambda s: None)
    shards = write_shards(tmp_path / 'shards', [6, 3, 5, 1, 7])
    straight = run(tmp_path / 'a', shards, by_epoch)
    resumed = run(tmp_path / 'b', shards, by_epoch,
                  tmp_path / 'a' / f'iter_{at}.pth')
    assert len(straight.model.drawn) == 10
    assert straight.model.drawn[at:] == resumed.model.drawn
    assert_same_training(straight, resumed)
