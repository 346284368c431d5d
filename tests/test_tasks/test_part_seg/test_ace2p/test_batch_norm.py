import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmengine.model import BaseModel
from torch import nn

pytest.importorskip('mmseg')

from saip_mm.tasks.part_seg.ace2p import estimate_batch_norm  # noqa: E402


class Toy(BaseModel):

    def __init__(self, momentum=0.3):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 1)
        self.norm = nn.BatchNorm2d(4, momentum=momentum)
        self.drop = nn.Dropout(0.5)
        self.frozen = nn.BatchNorm2d(4, track_running_stats=False)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return self.frozen(self.drop(self.norm(self.first(inputs))))


def test_statistics_are_those_of_all_batches():
    torch.manual_seed(0)
    model, rng = Toy().eval(), np.random.default_rng(0)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    batches = [
        dict(inputs=torch.from_numpy(rng.normal(size=(2, 3, 4, 5))).float())
        for _ in range(3)
    ]
    estimate_batch_norm(model, iter(batches))
    weight = model.first.weight.detach().numpy()[:, :, 0, 0].astype(float)
    bias = model.first.bias.detach().numpy().astype(float)
    means, variances = [], []
    for batch in batches:
        pixels = batch['inputs'].numpy().transpose(0, 2, 3, 1).reshape(-1, 3)
        mapped = pixels.astype(float) @ weight.T + bias
        means.append(mapped.mean(0))
        variances.append(mapped.var(0, ddof=1))
    np.testing.assert_allclose(
        model.norm.running_mean, np.mean(means, 0), atol=1e-6)
    np.testing.assert_allclose(
        model.norm.running_var, np.mean(variances, 0), rtol=1e-5)
    assert model.norm.momentum == 0.3
    assert not any(module.training for module in model.modules())
    for name, value in model.state_dict().items():
        if 'norm.running' not in name and 'tracked' not in name:
            assert torch.equal(value, before[name]), name


def batches(first, step):
    rng = np.random.default_rng(0)
    pictures = rng.normal(size=(4, 2, 3, 4, 5)) * np.arange(1, 5).reshape(
        4, 1, 1, 1, 1)
    return [
        dict(inputs=torch.from_numpy(p).float()) for p in pictures[first::step]
    ]


def of_rank(rank, port, folder):
    dist.init_process_group(
        'gloo', f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    torch.manual_seed(0)
    model = Toy()
    estimate_batch_norm(model, batches(rank, 2))
    torch.save(model.state_dict(), f'{folder}/{rank}.pth')
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_share_the_batches(tmp_path, free_port):
    mp.spawn(of_rank, (free_port, str(tmp_path)), 2)
    torch.manual_seed(0)
    model = Toy()
    estimate_batch_norm(model, batches(0, 1))
    for rank in range(2):
        found = torch.load(tmp_path / f'{rank}.pth', weights_only=True)
        for name in ('norm.running_mean', 'norm.running_var'):
            torch.testing.assert_close(found[name], model.state_dict()[name])


def test_only_batch_norm_is_in_training():
    """Dropout would add noise to what is measured."""
    seen = []
    model = Toy()
    model.drop.register_forward_hook(lambda module, *_: seen.append(
        (module.training, model.norm.training)))
    estimate_batch_norm(model, [dict(inputs=torch.randn(2, 3, 4, 5))])
    assert seen == [(False, True)]


def test_a_model_without_batch_norm_is_not_run():
    model = Toy()
    model.norm = model.frozen = nn.Identity()
    estimate_batch_norm(model, iter([None]))
    assert not model.training
