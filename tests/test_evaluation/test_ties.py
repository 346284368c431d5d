import torch

from saip_mm.evaluation.ties import distinct_rows, nearest


def test_nearest_against_a_stable_sort():
    torch.manual_seed(0)
    for levels in (1, 2, 5, 1000):
        values = torch.randint(levels, (50, 30)).float()
        wanted = values.sort(dim=1, stable=True).indices
        for count in (1, 2, 7, 29, 30):
            assert torch.equal(nearest(values, count), wanted[:, :count])


def test_distinct_rows():
    rows = torch.randn(6, 3)[torch.tensor([0, 1, 0, 5, 1, 2])]
    distinct, place = distinct_rows(rows)
    assert len(distinct) == 4 and torch.equal(distinct[place], rows)
    distinct, place = distinct_rows(rows[2:])
    assert distinct[place] is not None and len(distinct) == 4
    assert torch.equal(distinct[place], rows[2:])
