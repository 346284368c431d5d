import socket

import pytest
import torch


@pytest.fixture(autouse=True, scope='session')
def one_thread():
    """Tiny tensors: more threads would only wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture
def free_port():
    """A port nobody listens on."""
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]
