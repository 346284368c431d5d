import socket
from collections import OrderedDict
from contextlib import contextmanager

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope


@pytest.fixture(autouse=True, scope='session')
def one_thread():
    """Tiny tensors: more threads would only wait for each other."""
    torch.set_num_threads(1)


@contextmanager
def scopes_restored():
    """A runner leaves its library's scope behind, for all that follows."""
    before = OrderedDict(DefaultScope._instance_dict)
    try:
        yield
    finally:
        DefaultScope._instance_dict = before


@pytest.fixture(autouse=True, scope='module')
def scopes_of_module():
    """For runners in fixtures which the tests of a module share."""
    with scopes_restored():
        yield


@pytest.fixture(autouse=True)
def scopes_of_test(scopes_of_module):
    """For runners in a test."""
    with scopes_restored():
        yield


@pytest.fixture
def log(caplog):
    """Also what goes to mmengine's current logger, as ``log.text``."""
    logger = MMLogger.get_current_instance()
    with caplog.at_level('INFO'):
        logger.addHandler(caplog.handler)
        yield caplog
        logger.removeHandler(caplog.handler)


@pytest.fixture
def free_port():
    """A port nobody listens on."""
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]
