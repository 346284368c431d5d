"""Exact resume of the real model with the real sampler."""
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from saip_mm.datasets.samplers import ResumableSampler
from ..test_models.tiny_saip import BACKBONES, batch_of_crops, build
from .test_resume import assert_same_training, checkpoint
from .toy import HOOKS, toy_runner


class Crops(Dataset):
    """Crops that depend on image and epoch."""

    def __len__(self):
        return 9

    def __getitem__(self, index):
        crops = batch_of_crops(1, seed=index)['inputs']
        return dict(inputs={name: image[0] for name, image in crops.items()})


def run(folder, backbone, **kwargs):
    data = Crops()
    loader = DataLoader(
        data, 2, sampler=ResumableSampler(data, seed=3), drop_last=True)
    runner = toy_runner(
        folder,
        HOOKS,
        model=build(backbone),
        train_dataloader=loader,
        **kwargs)
    runner.train()
    return runner


@pytest.mark.parametrize('counts, at', [(1, 5), (3, 2)])
@pytest.mark.parametrize('backbone', BACKBONES)
def test_exact(tmp_path, backbone, counts, at):
    """Two epochs of 4 iterations, resumed inside one."""
    check_exact(tmp_path, backbone, at, counts=counts)


@pytest.mark.parametrize('backbone', BACKBONES)
def test_exact_in_bfloat16(tmp_path, backbone):
    check_exact(tmp_path, backbone, 5, wrapper='TensorClipCpuAmpOptimWrapper')


def check_exact(folder, backbone, at, **kwargs):
    straight = run(
        folder / 'a',
        backbone,
        default_hooks=checkpoint(by_epoch=False),
        **kwargs)
    path = folder / 'a' / f'iter_{at}.pth'
    torch.load(path, weights_only=True)
    resumed = run(
        folder / 'b', backbone, load_from=str(path), resume=True, **kwargs)
    assert_same_training(straight, resumed)
