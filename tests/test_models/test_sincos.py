import math

import pytest
import torch

from saip_mm.models.sincos import sincos_positions


@pytest.mark.parametrize('grid', [(2, 3), (4, 2), (1, 1)])
def test_positions_equal_loops(grid):
    dims = 8
    table = sincos_positions(grid, dims)[0].double()
    for row in range(grid[0]):
        for column in range(grid[1]):
            expected = []
            for place in (column, row):
                angles = [place / 10000**(i / 2) for i in range(2)]
                expected += [math.sin(a) for a in angles]
                expected += [math.cos(a) for a in angles]
            found = table[row * grid[1] + column].tolist()
            assert found == pytest.approx(expected, abs=1e-6)


def test_width_must_hold_four_parts():
    with pytest.raises(ValueError, match='divisible by 4'):
        sincos_positions((2, 2), 6)


def test_base_of_the_frequencies():
    table = sincos_positions((1, 3), 8, temperature=100.)
    assert table.shape == (1, 3, 8) and table.dtype == torch.float32
    expected = [math.sin(2), math.sin(.2), math.cos(2), math.cos(.2)]
    assert table[0, 2].tolist() == pytest.approx(expected + [0, 0, 1, 1])
