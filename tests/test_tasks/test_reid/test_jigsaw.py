import pytest
import torch
from torch import nn

from saip_mm.tasks.reid import (CameraEmbedding, JigsawBranches,
                                shift_and_shuffle)


@pytest.mark.parametrize('length, expected', [
    (8, [5, 1, 6, 2, 7, 3, 8, 4]),
    (9, [5, 1, 6, 2, 7, 3, 8, 4, 9, 3]),
])
def test_golden_order(length, expected):
    tokens = torch.arange(1, length + 1)[None, :, None]
    assert shift_and_shuffle(tokens).flatten().tolist() == expected


class AddMean(nn.Module):
    """Attention in little: each token plus the mean of all."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return x + self.scale * x.mean(1, keepdim=True)


@pytest.mark.parametrize('length', [8, 10])
def test_each_part_sees_its_patches_and_the_class_token(length):
    torch.manual_seed(0)
    tokens = torch.randn(3, 1 + length, 4)
    branches = JigsawBranches(AddMean(), nn.Identity())
    found = branches(tokens)
    order = shift_and_shuffle(torch.arange(1, length + 1)[None, :, None])
    order = order.flatten().tolist()
    n = length // 4
    assert len(found) == 4
    for j, feature in enumerate(found):
        seen = [0] + order[j * n:(j + 1) * n]
        expected = tokens[:, 0] + tokens[:, seen].mean(1)
        torch.testing.assert_close(feature, expected)


def test_starts_as_the_last_block_and_goes_its_own_way():
    layer = AddMean()
    branches = JigsawBranches(layer, nn.Identity(), divide=2)
    assert branches.layer is not layer
    layer.scale.data += 1
    branches.copy_start(layer, nn.Identity())
    assert branches.layer.scale == 2


def test_too_few_patches():
    branches = JigsawBranches(AddMean(), nn.Identity())
    with pytest.raises(ValueError, match='cannot cut 3 patches into 4 parts'):
        branches(torch.zeros(1, 4, 2))


def test_cameras():
    torch.manual_seed(0)
    cameras = CameraEmbedding(6, 1000, weight=3.)
    assert float(cameras.table.std()) == pytest.approx(0.02, rel=0.05)
    found = cameras([5, 0])
    assert found.shape == (2, 1, 1000)
    torch.testing.assert_close(found[0], 3 * cameras.table[5])


def test_unknown_cameras():
    with pytest.raises(ValueError, match='at least 2 cameras, got num_cams=1'):
        CameraEmbedding(1, 8)
    with pytest.raises(
            ValueError,
            match='SIE: camera 7 .*was not seen in '
            r'training \(6 cameras\)'):
        CameraEmbedding(6, 8)([0, 6])
