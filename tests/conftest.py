import socket
from collections import OrderedDict

import pytest
import torch
from mmengine.registry import DefaultScope


@pytest.fixture(autouse=True, scope='session')
def one_thread():
    """Tiny tensors: more threads would only wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def own_scope():
    """A runner leaves its library's scope behind, for every test after it."""
    before = OrderedDict(DefaultScope._instance_dict)
    yield
    DefaultScope._instance_dict = before


@pytest.fixture
def free_port():
    """A port nobody listens on."""
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]
