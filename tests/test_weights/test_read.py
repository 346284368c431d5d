from collections import OrderedDict

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from saip_mm.weights import (UnsafeCheckpointError, listed_keys, meta_of,
                             peek_checkpoint, read_checkpoint, weights_of)
from saip_mm.weights.read import unwrapped


def test_plain_types_are_read(file):
    assert read_checkpoint(str(file))['state_dict']['a'].shape == (4096, )
    assert meta_of(peek_checkpoint(str(file))) == dict(epoch=3)


def test_missing_file_and_folder_are_named(tmp_path):
    for read in (read_checkpoint, peek_checkpoint):
        with pytest.raises(FileNotFoundError, match='none.pth does not exist'):
            read(str(tmp_path / 'none.pth'))
        with pytest.raises(ValueError, match='is a folder: name a file'):
            read(str(tmp_path))


def test_the_home_folder_may_be_written_as_a_tilde(file, monkeypatch):
    monkeypatch.setenv('HOME', str(file.parent))
    assert meta_of(read_checkpoint('~/weights.pth')) == dict(epoch=3)


def test_a_whole_model_is_told_from_damage(file):
    torch.save(nn.Sequential(nn.Linear(2, 2)), file)
    with pytest.raises(
            UnsafeCheckpointError,
            match=r'holds a whole pickled model of torch.nn.modules.*could '
            r'run code when opened, and is not read.*save its weights alone'):
        read_checkpoint(str(file))


def test_a_program_is_refused(file):
    torch.jit.script(nn.Linear(2, 2)).save(str(file))
    with pytest.raises(UnsafeCheckpointError, match='TorchScript program'):
        read_checkpoint(str(file))


def test_formats_before_zip_are_read(file):
    torch.save(
        dict(meta=dict(epoch=3)), file, _use_new_zipfile_serialization=False)
    assert meta_of(peek_checkpoint(str(file))) == dict(epoch=3)
    assert read_checkpoint(str(file)) == dict(meta=dict(epoch=3))


def test_safetensors_are_read(tmp_path):
    path = str(tmp_path / 'a.safetensors')
    save_file(dict(a=torch.ones(64)), path, metadata=dict(format='pt'))
    read = read_checkpoint(path)
    assert read['meta'] == dict(format='pt')
    assert torch.equal(read['state_dict']['a'], torch.ones(64))
    with open(path, 'r+b') as cut:
        cut.truncate(100)
    with pytest.raises(ValueError, match='a.safetensors cannot be read'):
        read_checkpoint(path)


def test_a_list_is_no_checkpoint(file):
    torch.save([1, 2], file)
    with pytest.raises(ValueError, match='holds a list'):
        read_checkpoint(str(file))


ONE = torch.ones(1)


@pytest.mark.parametrize('checkpoint', [
    dict(state_dict=dict(a=ONE)),
    dict(model=dict(a=ONE), epoch=3),
    dict(model=dict(state_dict={'module.a': ONE})),
    dict(model_state_dict={'_orig_mod.a': ONE}),
    {
        'module._orig_mod.a': ONE
    },
    {
        '_orig_mod.module.a': ONE
    },
    dict(a=ONE),
])
def test_nests_and_wrappers_are_taken_off(checkpoint):
    assert dict(weights_of(checkpoint)) == dict(a=ONE)
    assert dict(unwrapped(checkpoint)['state_dict']) == dict(a=ONE)


def test_a_compiled_part_is_unwrapped_and_inner_modules_stay():
    weights = {'backbone._orig_mod.a': ONE, 'head.module.b': ONE}
    assert list(weights_of(weights)) == ['backbone.a', 'head.module.b']


def test_versions_of_modules_are_kept():
    state = nn.BatchNorm2d(2).state_dict()
    assert unwrapped(dict(state_dict=state))['state_dict'] is state
    assert isinstance(weights_of(state), OrderedDict)


def test_keys_are_listed_as_errors_show_them():
    assert listed_keys(dict(model={'module.a': ONE})) == ['a']
    assert listed_keys(dict(x=dict(y=[ONE]))) == ['x.y.0']
    assert listed_keys(dict(epoch=3)) == []


def test_settings_beside_the_weights_stay():
    checkpoint = dict(model={'module.a': ONE}, epoch=3, b=ONE)
    assert unwrapped(checkpoint) == dict(epoch=3, state_dict=dict(a=ONE))


@pytest.mark.parametrize('meta', [None, 3, [1], 'text'])
def test_meta_of_another_kind_is_none(meta):
    assert meta_of(dict(meta=meta)) == {} == meta_of({})
