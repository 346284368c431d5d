import pytest
import torch

pytest.importorskip('mmseg')

from saip_mm.tasks.part_seg.ace2p import MapNormNeck  # noqa: E402


def test_each_map_in_its_own_way():
    norm = dict(type='LN2d', eps=1e-6)
    neck = MapNormNeck([8, 8, 4], [norm, None, dict(type='BN')], [4, 1, 0.5])
    torch.manual_seed(0)
    maps = [torch.randn(2, width, 6, 4) * 3 + 1 for width in (8, 8, 4)]
    first, second, third = neck(maps)
    assert first.shape == (2, 8, 24, 16) and third.shape == (2, 4, 3, 2)
    assert torch.equal(second, maps[1])
    normed = torch.nn.functional.layer_norm(
        maps[0].movedim(1, -1), (8, ), eps=1e-6).movedim(-1, 1)
    wanted = torch.nn.functional.interpolate(
        normed, scale_factor=4, mode='bilinear')
    torch.testing.assert_close(first, wanted)
    assert sum(p.numel() for p in neck.parameters()) == 2 * 8 + 2 * 4


def test_counts_that_differ():
    with pytest.raises(ValueError, match='3 in_channels, 2 norm_cfgs and 1 s'):
        MapNormNeck([8, 8, 8], [None, None], [1])
