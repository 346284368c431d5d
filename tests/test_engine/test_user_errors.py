from importlib import import_module

import numpy as np
import pytest
import torch
from mmengine.registry import HOOKS
from torch.utils.data import DataLoader

from saip_mm.apis.command_line import one_line_errors
from saip_mm.engine import NonFiniteError, check_finite_losses
from saip_mm.engine.schedule import scale_schedule
from saip_mm.engine.user_errors import as_line, errors_in_a_line
from saip_mm.weights import (CheckpointError, UnsafeCheckpointError,
                             find_resume_file)
from saip_mm.weights.onnx_file import needed


def raised(function, *args):
    with pytest.raises(Exception) as error:
        function(*args)
    return error.value


@pytest.mark.parametrize('error', [
    CheckpointError('checkpoint a\n  is b'),
    UnsafeCheckpointError('checkpoint a is b'),
    NonFiniteError('checkpoint a is b'),
    FileNotFoundError('checkpoint a is b'),
    PermissionError('checkpoint a is b'),
])
def test_errors_of_files_and_checkpoints_are_one_line(error):
    with pytest.raises(SystemExit) as end:
        with errors_in_a_line():
            raise error
    assert end.value.code == 'error: checkpoint a is b'  # Python exits with 1
    assert end.value.__cause__ is error


def test_values_this_package_refuses_are_one_line():
    assert as_line(raised(scale_schedule, {}, 2)).startswith('--schedule')
    assert 'does not exist' in as_line(raised(find_resume_file, 'a.pth', ''))
    losses = dict(loss=torch.tensor(float('nan')))
    assert as_line(raised(check_finite_losses, losses)).startswith('loss is')


@pytest.mark.parametrize('door', [errors_in_a_line, one_line_errors])
def test_a_library_that_is_asked_for_is_one_line(door):
    with pytest.raises(SystemExit, match='needs no_such_library, .* pip inst'):
        with door():
            needed('no_such_library')
    with pytest.raises(ModuleNotFoundError):  # a defect, or a broken install
        with door():
            import_module('no_such_library')


def test_settings_that_a_class_does_not_have_are_one_line():
    error = raised(HOOKS.build, dict(type='TimerHook'))
    assert "'TimerHook is not in the" in as_line(error)
    error = raised(HOOKS.build, dict(type='IterTimerHook', every=3))
    assert as_line(error).endswith("unexpected keyword argument 'every'")


@pytest.mark.parametrize('function, args', [
    (np.zeros(3).reshape, (2, )),
    (dict().pop, ('a', )),
    (int, ('a', )),
])
def test_defects_keep_their_traceback(function, args):
    error = raised(function, *args)
    assert as_line(error) is None
    with pytest.raises(type(error)):
        with errors_in_a_line():
            raise error


def test_errors_between_processes_keep_their_traceback():
    assert as_line(ConnectionRefusedError('refused')) is None


class Broken:

    def __len__(self):
        return 2

    def __getitem__(self, index):
        raise self.error


@pytest.mark.parametrize('error, line', [
    (FileNotFoundError('no picture a.jpg'), 'no picture a.jpg'),
    (ValueError('of a test'), None),
])
def test_errors_of_workers(error, line):
    data = Broken()
    data.error = error
    assert as_line(raised(list, DataLoader(data, num_workers=1))) == line
