"""Two gloo processes with half a batch each equal one with all of it."""
import os

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from saip_mm.apis import evaluate
from .samples import make_samples
from .test_configs import ROOT, shrink, write_market
from .test_transreid import build, images

LABELS = [0, 0, 1, 1, 2, 2, 3, 3]


class Losses(nn.Module):
    """A model's losses, as DistributedDataParallel calls it."""

    def __init__(self):
        super().__init__()
        self.model = build()
        self.model.train()
        # its statistics are each rank's own without GPUs
        self.model.head.norms.train(False)

    def forward(self, inputs, labels):
        losses = self.model.loss(inputs, make_samples(labels))
        return losses['loss_id'], losses['loss_tri']


def gradients(model, inputs, labels):
    one, two = model(inputs, labels)
    (one + two).backward()
    module = getattr(model, 'module', model)
    return {
        name: param.grad
        for name, param in module.named_parameters() if param.requires_grad
    }, float(two.detach())


def work(rank, port, folder):
    os.environ.update(
        LOCAL_RANK=str(rank),
        RANK=str(rank),
        WORLD_SIZE='2',
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port))
    dist.init_process_group('gloo')
    half = slice(4 * rank, 4 * rank + 4)
    found = gradients(
        DistributedDataParallel(Losses()),
        images(8)[half], LABELS[half])
    metrics = evaluate(
        f'{folder}/small.py',
        f'{folder}/weights.pth',
        work_dir=f'{folder}/work_{rank}',
        launcher='pytorch')
    torch.save((found, metrics), f'{folder}/rank_{rank}.pth')
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_ranks_equal_one(tmp_path, free_port):
    cfg = shrink(ROOT / 'configs/reid/market1501/vit_tiny.py',
                 write_market(tmp_path / 'market'), tmp_path / 'work')
    cfg.model.head.num_classes = 4
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        loader.batch_size = 2  # 5 pictures: the shares differ
    cfg.dump(str(tmp_path / 'small.py'))
    torch.save(
        dict(state_dict=build().state_dict()), str(tmp_path / 'weights.pth'))
    alone = evaluate(
        str(tmp_path / 'small.py'),
        str(tmp_path / 'weights.pth'),
        work_dir=str(tmp_path / 'alone'))
    mp.spawn(work, (free_port, str(tmp_path)), 2)
    expected, triplet = gradients(Losses(), images(8), LABELS)
    for rank in range(2):
        (found, loss), metrics = torch.load(
            tmp_path / f'rank_{rank}.pth', weights_only=True)
        assert metrics == pytest.approx(alone)
        assert loss == pytest.approx(triplet, abs=1e-6)
        for name, grad in found.items():
            torch.testing.assert_close(
                grad,
                expected[name.replace('module.', '')],
                rtol=1e-4,
                atol=1e-6)
