from types import SimpleNamespace

import pytest

from saip_mm.engine import EpochLengthHook


@pytest.mark.parametrize('epoch, done, length, wanted', [
    (0, 0, 5, 3 * 5),
    (1, 5, 6, 5 + 2 * 6),
    (2, 11, 7, 5 + 6 + 7),
])
def test_length_is_that_of_the_running_epoch(epoch, done, length, wanted):
    loop = SimpleNamespace(_max_iters=15)
    EpochLengthHook().before_train_epoch(
        SimpleNamespace(
            max_epochs=3,
            epoch=epoch,
            iter=done,
            train_loop=loop,
            train_dataloader=range(length)))
    assert loop._max_iters == wanted
