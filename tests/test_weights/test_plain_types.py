import io
import pickle
import subprocess
from argparse import Namespace
from collections import OrderedDict

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from saip_mm.weights import read_checkpoint
from saip_mm.weights.plain_types import foreign_names
from .payloads import Call


@pytest.fixture
def file(tmp_path):
    return tmp_path / 'weights.pth'


def test_history_of_a_plain_runner_is_read(file):
    history = HistoryBuffer([1., 2.], [1, 1])
    scalars = dict(loss=history, empty=HistoryBuffer())
    torch.save(dict(message_hub=scalars, state_dict={}), file)
    read = read_checkpoint(str(file))['message_hub']
    assert read['loss'].mean() == 1.5 and read['loss'].current() == 2.
    assert read['loss'].statistics('max', 2) == 2.
    assert read['empty'].data[0].size == 0


@pytest.mark.parametrize('value', [
    Namespace(lr=1.),
    np.float32(0.5),
    np.arange(6, dtype=np.int16).reshape(2, 3),
    np.bool_(True),
])
def test_plain_classes_of_other_codes_are_read(value, file):
    torch.save(dict(args=value, state_dict={}), file)
    read = read_checkpoint(str(file))['args']
    assert type(read) is type(value) and np.all(read == value)


@pytest.mark.parametrize('owner, name', [
    (HistoryBuffer, '__init__'),
    (HistoryBuffer, 'update'),
    (str, 'upper'),
    (np.ndarray, 'tofile'),
])
def test_getattr_gives_nothing_but_statistics(owner, name, file):
    torch.save(dict(meta=Call(getattr, owner, name), state_dict={}), file)
    with pytest.raises(ValueError, match='weights.pth (cannot|holds)'):
        read_checkpoint(str(file))


@pytest.mark.parametrize('code', '?bhilqBHILQefdgFD')
def test_arrays_and_scalars_of_every_kind(code, file):
    array = np.arange(6).reshape(2, 3).astype(code)
    torch.save(dict(a=array, b=array[1, 2], state_dict={}), file)
    read = read_checkpoint(str(file))
    assert read['a'].dtype == array.dtype and np.array_equal(read['a'], array)
    assert read['b'] == array[1, 2] and read['b'].dtype == array.dtype


def named(value, protocol=2):
    return foreign_names(pickle.dumps(value, protocol))


@pytest.mark.parametrize('protocol', range(6))
def test_names_in_a_pickle_are_read_without_running_it(protocol, tmp_path):
    marker = tmp_path / 'ran'
    value = [Call(subprocess.call, ['touch', str(marker)])] * 2
    assert named(value, protocol) == ['subprocess.call']
    assert not marker.exists()


@pytest.mark.parametrize('protocol', [2, 3, 4])
def test_what_is_read_is_not_foreign(protocol):
    """In protocol 4 names stand on the stack, and repeated ones in a memo."""
    known = [
        np.ones(2, np.float32),
        np.float64(1.),
        Namespace(a=1),
        OrderedDict(b=2), {1}, b'bytes', 'os.system'
    ]
    if protocol < 4:  # which names methods at once, not by getattr
        known.append(HistoryBuffer([1.], [1]))
    assert named(known, protocol) == []


def test_a_name_may_come_from_the_memo():
    """'os' and 'system' are kept, others are pushed in between."""
    pickled = (b'\x80\x04\x8c\x02os\x94\x8c\x06system\x9400'
               b'\x8c\x0bcollections\x8c\x0bOrderedDict00h\x00h\x01\x93.')
    assert foreign_names(pickled) == ['os.system']
    numbered = b'Vos\np7\nVsystem\nq\x0800Va\nVb\n00g7\nh\x08\x93.'
    assert foreign_names(numbered) == ['os.system']


def test_storages_of_torchs_old_files_are_not_foreign():
    buffer = io.BytesIO()
    torch.save(
        dict(a=torch.ones(2), b=torch.ones(1).half()),
        buffer,
        _use_new_zipfile_serialization=False)
    assert foreign_names(buffer.getvalue()) == []


def test_names_of_python_2():
    assert foreign_names(b'c__builtin__\nxrange\n.') == ['builtins.range']
    assert foreign_names(b'c__builtin__\nbytes\n.') == []
    assert foreign_names(b'ccPickle\nloads\n.') == ['pickle.loads']
    assert foreign_names(b'(iposix\nsystem\n.') == ['posix.system']


def test_pickles_in_a_row_and_in_pieces():
    first, second = (
        pickle.dumps(Call(function, 'x'), 4)
        for function in (subprocess.call, eval))
    both = ['subprocess.call', 'builtins.eval']
    assert foreign_names(first + second) == both
    assert foreign_names(first + second[:-5]) == both
    assert foreign_names(first[:-2] + b'\xff') == both[:1]
    assert foreign_names(b'') == foreign_names(b'\xff\0') == []
    # a name put together on the stack, of which nothing is known
    assert foreign_names(b'\x80\x04\x93.') == ['.?']
