import torch

from saip_mm.models import shared_draws
from saip_mm.models.shared_draws import seed_shared_draws, shared_index


def draws(*entropy, count=5, number=200):
    seed_shared_draws(*entropy)
    return [shared_index(count) for _ in range(number)]


def test_one_process_draws_from_the_global_generator():
    torch.manual_seed(4)
    found = draws(1, 2)
    torch.manual_seed(4)
    assert found == [int(torch.randint(5, ())) for _ in range(200)]


def test_several_processes_agree_whatever_their_own_generators(monkeypatch):
    monkeypatch.setattr(shared_draws, 'get_world_size', lambda: 2)
    found = []
    for rank in range(2):
        torch.manual_seed(rank)
        found.append(draws(1, 2))
    assert found[0] == found[1]
    assert set(found[0]) == set(range(5))
    assert draws(1, 3) != found[0] != draws(2, 2)
    torch.manual_seed(0)
    shared_index(5)
    after = torch.rand(1)
    torch.manual_seed(0)
    assert torch.rand(1) == after  # the rank's own draws are not shifted
