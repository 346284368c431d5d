import pytest

from saip_mm.weights import candidate_grids, table_layout


@pytest.mark.parametrize('tokens', [1, 7, 32, 72, 128, 144, 192, 196, 576])
def test_candidates_are_all_upright_grids_up_to_3_to_1(tokens):
    expected = [(h, w) for h in range(1, tokens + 1)
                for w in range(1, tokens + 1)
                if h * w == tokens and w <= h <= 3 * w]
    assert candidate_grids(tokens) == expected


@pytest.mark.parametrize('tokens, grids', [(128, [(16, 8)]), (196, [(14, 14)]),
                                           (192, [(16, 12), (24, 8)]),
                                           (7, [])])
def test_known_candidates(tokens, grids):
    assert candidate_grids(tokens) == grids


def test_class_token_decides_about_the_slot():
    assert table_layout(197, True) == ((14, 14), 1)
    assert table_layout(196, False) == ((14, 14), 0)


def test_known_grid_decides_about_the_slot():
    assert table_layout(193, False, (24, 8)) == ((24, 8), 1)
    assert table_layout(192, True, [16, 12]) == ((16, 12), 0)


@pytest.mark.parametrize('grid', [(16, 8), (14, 14), (0, 8), (-16, -12)])
def test_grid_of_another_length_is_refused(grid):
    with pytest.raises(ValueError, match='a.pos_embed holds 193 positions'):
        table_layout(193, True, grid, key='a.pos_embed')
