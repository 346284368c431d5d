from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MessageHub

from saip_mm.engine import ReplacedImagesHook
from ..toy import toy_runner


def test_replaced_images_are_summed(tmp_path):
    """Half of the 20 samples an epoch say they were replaced."""
    runner = toy_runner(tmp_path, ['ReplacedImagesHook'])
    runner.train()
    logged = runner.message_hub.get_scalar(ReplacedImagesHook.key)
    assert logged.data[0][4] == 10 and logged.current() == 20


@pytest.fixture
def counted(request):
    """A function that takes a batch; the sum so far, None if there is none."""
    hub = MessageHub(request.node.name)
    runner, hook = SimpleNamespace(message_hub=hub), ReplacedImagesHook()

    def after(batch):
        hook.after_train_iter(runner, 0, batch)
        found = hub.log_scalars.get('train/data/replaced')
        return found and found.current()

    return after


def test_counts_and_flags_are_summed(counted):
    assert counted(dict(inputs=1, replaced=torch.tensor([0, 2, 1]))) == 3
    assert counted(dict(replaced=[True, False, True])) == 5
    assert counted(dict(replaced=0)) == 5


def test_batches_that_do_not_say_it_count_nothing(counted):
    for batch in (None, dict(inputs=1), [1, 2], torch.ones(2)):
        assert counted(batch) is None
