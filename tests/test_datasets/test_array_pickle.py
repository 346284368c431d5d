"""Arrays out of a pickle; nothing that it names is called."""
import copyreg
import os
import pickle
import sys
import types

import numpy as np
import pytest

from saip_mm.datasets.array_pickle import read_array_pickle
from saip_mm.datasets.plain_pickle import UnsafePickleError
from .test_plain_pickle import CALLS, Call


@pytest.fixture
def easydict(monkeypatch):
    """A class of that name, which sets attributes as the real one does."""
    module = types.ModuleType('easydict')

    class EasyDict(dict):

        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            super().__setitem__(name, value)

    EasyDict.__module__, EasyDict.__qualname__ = 'easydict', 'EasyDict'
    module.EasyDict = EasyDict
    monkeypatch.setitem(sys.modules, 'easydict', module)
    return EasyDict


def saved(tmp_path, content, protocol):
    path = tmp_path / 'split.pkl'
    path.write_bytes(pickle.dumps(content, protocol))
    return str(path)


ARRAYS = dict(
    whole=np.arange(5),
    small=np.array([3, 250], np.uint8),
    table=np.arange(6, dtype=np.int16).reshape(2, 3),
    column=np.asfortranarray(np.arange(6.).reshape(2, 3)),
    swapped=np.arange(4, dtype='>i4'),
    truth=np.array([True, False]),
    empty=np.zeros((0, 3), np.float32))


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_of_every_protocol(tmp_path, protocol):
    content = dict(ARRAYS, one=np.int64(7), rows=range(3), names=['a', 'é'])
    read = read_array_pickle(saved(tmp_path, content, protocol))
    for key, array in ARRAYS.items():
        assert read[key].dtype == array.dtype, key
        assert np.array_equal(read[key], array), key
    assert read['one'] == 7 and read['names'] == ['a', 'é']
    assert list(read['rows']) == [0, 1, 2]


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_dicts_with_a_class_of_their_own(tmp_path, protocol, easydict):
    content = easydict()
    content.partition = easydict()
    content.partition.train = np.arange(3)
    path = saved(tmp_path, content, protocol)
    sys.modules.pop('easydict')
    read = read_array_pickle(path)
    assert type(read) is dict and type(read['partition']) is dict
    assert read['partition']['train'].tolist() == [0, 1, 2]


def test_arrays_of_other_things_are_none(tmp_path):
    content = dict(names=np.array(['a', 'b'], object), text=np.array(['a']))
    read = read_array_pickle(saved(tmp_path, content, 2))
    assert read == dict(names=None, text=None)


@pytest.mark.parametrize('protocol', [0, 2, pickle.HIGHEST_PROTOCOL])
@pytest.mark.parametrize('call', CALLS)
def test_no_code_is_run(tmp_path, call, protocol):
    marker = tmp_path / 'ran'
    content = dict(train=np.arange(3), other=Call(CALLS[call](str(marker))))
    with pytest.raises(UnsafePickleError, match='split.pkl.*could run code'):
        read_array_pickle(saved(tmp_path, content, protocol))
    assert not marker.exists()


class Reduced:
    """Pickles as what it is told to."""

    def __init__(self, *how):
        self.how = how

    def __reduce__(self):
        return self.how


@pytest.mark.parametrize('protocol', [0, 2, pickle.HIGHEST_PROTOCOL])
@pytest.mark.parametrize(
    'how',
    [
        # an array over foreign memory; objects out of bytes; no dict at all
        (np.ndarray, ((4, ), 'O', b'A' * 32)),
        (np.zeros(0).__reduce__()[0], (np.ndarray, (0, ), b'b'),
         (1, (2, ), np.dtype('O'), False, b'A' * 16)),
        (copyreg._reconstructor, (list, list, [])),
    ])
def test_nothing_of_numpy_is_called(tmp_path, how, protocol):
    content = dict(train=Reduced(*how))
    read = read_array_pickle(saved(tmp_path, content, protocol))
    assert read == dict(train=None)


def test_damaged_files(tmp_path):
    path = tmp_path / 'split.pkl'
    path.write_bytes(pickle.dumps(dict(a=np.arange(100)))[:60])
    with pytest.raises(ValueError, match='split.pkl.*damaged'):
        read_array_pickle(str(path))
    with pytest.raises(FileNotFoundError):
        read_array_pickle(str(tmp_path / 'gone.pkl'))
    assert not os.listdir(tmp_path)[1:]
