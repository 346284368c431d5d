"""The hooks under DistributedDataParallel, two gloo processes on CPU."""
import os

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from .test_hooks.test_retrieval_monitor import Persons
from .toy import HOOKS, toy_loader, toy_runner


def work(rank, port, folder):
    os.environ['LOCAL_RANK'] = str(rank)
    dist.init_process_group(
        'gloo', f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    knn = dict(
        type='RetrievalMonitorHook',
        query=Persons(0),
        gallery=Persons(1, 7),
        batch_size=2)
    runner = toy_runner(
        folder,
        HOOKS + (knn, ),
        counts=2,
        launcher='pytorch',
        cfg=dict(
            model_wrapper_cfg=dict(
                type='MMDistributedDataParallel', device_ids=None)),
        train_dataloader=toy_loader(),
        default_hooks=dict(
            checkpoint=dict(
                type='CheckpointHook',
                interval=1,
                backend_args=dict(backend='atomic'))))
    runner.train()
    torch.save((runner.model.module.state_dict(), runner.model.module.drawn),
               f'{folder}/rank_{rank}.pth')
    dist.destroy_process_group()


@pytest.mark.slow
def test_ranks_agree_and_draw_their_own(tmp_path, free_port):
    mp.spawn(work, (free_port, str(tmp_path)), 2)
    (one, drawn), (two, others) = [
        torch.load(tmp_path / f'rank_{rank}.pth', weights_only=True)
        for rank in range(2)
    ]
    for key, value in one.items():
        # BatchNorm's statistics and the toy's centre are each rank's own
        if 'running' not in key and 'center' not in key:
            torch.testing.assert_close(value, two[key])
    assert not set(drawn) & set(others)
    scalars = torch.load(
        tmp_path / 'epoch_2.pth',
        weights_only=True)['message_hub']['log_scalars']
    assert len(scalars['knn/map']['history']) == 2  # at the start and the end
    assert len(scalars['train/momentum']['history']) == 5
