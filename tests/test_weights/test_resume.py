"""Which file --resume means, and what is said of one that cannot be used."""
import os
import os.path as osp
import subprocess

import pytest
import torch

from saip_mm.weights import CheckpointError, check_checkpoint, find_resume_file
from saip_mm.weights.saved_config import parse_config
from .states import save_state


def save(path, epoch=0, step=0, time=0, **kwargs):
    content = dict(
        meta=dict(epoch=epoch, iter=step),
        state_dict=dict(weight=torch.ones(3)),
        optimizer=dict(),
        message_hub=dict())
    torch.save(content | kwargs, path)
    os.utime(path, (time, time))
    return str(path)


def refusal(*args):
    with pytest.raises(CheckpointError) as error:
        find_resume_file(*map(str, args))
    return str(error.value)


# nothing is written over


@pytest.mark.parametrize('names', [
    ('epoch_5.pth', 'epoch_4.pth'),
    ('iter_900.pth', ),
    ('best_mIoU_iter_5.pth', ),
])
def test_checkpoints_without_their_pointer_are_not_written_over(
        tmp_path, names):
    files = [
        save(tmp_path / name, epoch=9 - i) for i, name in enumerate(names)
    ]
    message = refusal('auto', tmp_path)
    assert f'{tmp_path} has no last_checkpoint' in message
    assert f'by --resume {files[0]}' in message
    assert find_resume_file(files[0], str(tmp_path)) == files[0]


def test_unusable_checkpoints_are_not_written_over_either(tmp_path):
    (tmp_path / 'epoch_1.pth').write_bytes(b'')
    message = refusal('auto', tmp_path)
    assert 'epoch_1.pth' in message and 'damaged' in message
    assert 'another --work-dir' in message


def test_an_empty_folder_starts_from_the_beginning(tmp_path):
    assert find_resume_file('auto', str(tmp_path)) is None
    assert find_resume_file('auto', str(tmp_path / 'none')) is None


# a folder


def test_a_folder_means_its_last_checkpoint(tmp_path):
    save(tmp_path / 'epoch_9.pth', epoch=9)
    last = save(tmp_path / 'epoch_2.pth', epoch=2)
    (tmp_path / 'last_checkpoint').write_text('/moved/epoch_2.pth')
    assert find_resume_file(str(tmp_path), 'elsewhere') == last


def test_a_folder_without_pointer_means_its_newest(tmp_path):
    newest = save(tmp_path / 'a.pth', epoch=3)
    save(tmp_path / 'b.pth', epoch=2)
    assert find_resume_file(str(tmp_path), 'elsewhere') == newest


def test_a_folder_without_checkpoints_is_refused(tmp_path):
    message = refusal(tmp_path, 'elsewhere')
    assert f'{tmp_path} has no last_checkpoint' in message
    assert 'there is no .pth in it' in message


# the newest usable


@pytest.mark.parametrize('files, newest', [
    ([(2, 20, 9), (10, 100, 1), (9, 900, 5)], 1),
    ([(0, 900, 1), (0, 1000, 0), (0, 999, 9)], 1),
    ([(3, 30, 5), (3, 30, 6), (3, 30, 4)], 1),
])
def test_newest_is_by_epoch_then_iteration_then_time(tmp_path, files, newest):
    paths = [
        save(tmp_path / f'{i}.pth', *place) for i, place in enumerate(files)
    ]
    with pytest.raises(CheckpointError) as error:
        check_checkpoint(str(tmp_path / 'gone.pth'), ('optimizer', ))
    assert str(error.value).endswith(f'of its folder is {paths[newest]}')


class Trap:

    def __reduce__(self):
        return subprocess.call, (['false'], )


def test_an_unsafe_file_is_no_damaged_one_and_never_recommended(tmp_path):
    usable = save(tmp_path / 'epoch_1.pth', epoch=1)
    unsafe = save(tmp_path / 'epoch_2.pth', epoch=2, extra=Trap())
    message = refusal(unsafe, tmp_path)
    assert 'could run code' in message and 'damaged' not in message
    assert message.endswith(f'of its folder is {usable}')
    os.remove(usable)
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_3.pth'))
    assert 'no other usable' in refusal('auto', tmp_path)


def test_any_error_of_reading_is_a_defect(tmp_path, monkeypatch):
    import saip_mm.weights.resume as module

    def read(path):
        raise ZeroDivisionError

    path = save(tmp_path / 'a.pth')
    monkeypatch.setattr(module, 'read_checkpoint', read)
    assert 'ZeroDivisionError' in refusal(path, tmp_path)


# the config in a checkpoint


@pytest.mark.parametrize('text, value', [
    ('a = 1\nb = dict(c=[(1, ), -2.5, None, True], d=dict())',
     dict(a=1, b=dict(c=[(1, ), -2.5, None, True], d={}))),
    ("a = {'x.y': 1, 2: dict(b='c')}", dict(a={
        'x.y': 1,
        2: dict(b='c')
    })),
    ("a = dict({'x.y': 1}, b=inf)", dict(a={
        'x.y': 1,
        'b': float('inf')
    })),
    ('', {}),
    ('import os', None),
    ('a = open("x")', None),
    ('a = dict(b=(lambda: 1)())', None),
    ('a = [x for x in (1, 2)]', None),
    ('a = b', None),
    ('a = ' + '[' * 500 + ']' * 500, None),
    ('a = 1 +', None),
    ('a.b = 1', None),
    (None, None),
    (b'a = 1', None),
])
def test_a_config_is_read_without_running_it(text, value):
    assert parse_config(text) == value


# of a training


def test_resume_auto_reads_last_checkpoint(tmp_path):
    path = save_state(tmp_path / 'epoch_2.pth')
    (tmp_path / 'last_checkpoint').write_text(path + '\n')
    assert find_resume_file('auto', str(tmp_path)) == path


def test_resume_auto_finds_a_moved_work_dir(tmp_path):
    path = save_state(tmp_path / 'epoch_2.pth')
    (tmp_path / 'last_checkpoint').write_text('/old/place/epoch_2.pth')
    assert find_resume_file('auto', str(tmp_path)) == path


@pytest.mark.parametrize('damage', [
    lambda data: data[:len(data) // 2],
    lambda data: b'',
    lambda data: data.replace(data[9000:9004], b'\0\1\2\3'),
])
def test_damaged_file_is_named_with_a_remedy(tmp_path, damage):
    older = save_state(tmp_path / 'epoch_1.pth', 1)
    newer = save_state(tmp_path / 'epoch_2.pth', 2)
    last = tmp_path / 'epoch_3.pth'
    save_state(last, 3)
    for path in (newer, last):
        with open(path, 'rb') as file:
            data = file.read()
        with open(path, 'wb') as file:
            file.write(damage(data))
    with pytest.raises(CheckpointError) as error:
        find_resume_file(str(last), str(tmp_path))
    assert str(last) in str(error.value) and 'damaged' in str(error.value)
    # the newer one is damaged too
    assert str(error.value).endswith(f'usable one of its folder is {older}')


def test_missing_file_and_no_other(tmp_path):
    path = osp.join(tmp_path, 'epoch_3.pth')
    with pytest.raises(
            CheckpointError, match='does not exist.*no other usable'):
        find_resume_file(path, str(tmp_path))


def test_weights_alone_are_not_a_state_of_training(tmp_path):
    path = str(tmp_path / 'weights.pth')
    for key, advice in (('encoder.backbone.a', f'load_from={path}'),
                        ('backbone.a', f'load_from={path}'),
                        ('a', f'backbone.init_cfg.checkpoint={path}')):
        torch.save(dict(meta={}, state_dict={key: torch.ones(1)}), path)
        check_checkpoint(path)
        with pytest.raises(CheckpointError, match=advice):
            find_resume_file(path, str(tmp_path))
