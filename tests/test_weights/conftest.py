import pytest
import torch


@pytest.fixture
def file(tmp_path):
    """A file of weights with a note."""
    path = tmp_path / 'weights.pth'
    torch.save(
        dict(meta=dict(epoch=3), state_dict=dict(a=torch.randn(4096))), path)
    return path
