"""Which file --resume means, and what is said of one that cannot be used."""
import os
import os.path as osp
import subprocess

import pytest
import torch

from saip_mm.weights import CheckpointError, check_checkpoint, find_resume_file
from saip_mm.weights.resume import find_defect
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


# neighbours


def offered(folder, keys=('optimizer', )):
    """The checkpoint that the error on another one ends with."""
    with pytest.raises(CheckpointError) as error:
        check_checkpoint(str(folder / 'gone.pth'), keys)
    return str(error.value).rpartition(' ')[2]


def test_a_checkpoint_that_does_not_say_its_epoch_comes_last(tmp_path):
    unknown = save(tmp_path / 'a.pth', time=9, meta=dict(epoch='3', iter=None))
    assert offered(tmp_path) == unknown
    first = save(tmp_path / 'b.pth', epoch=0, step=0, time=1)
    assert offered(tmp_path) == first
    by_iteration = save(tmp_path / 'c.pth', meta=dict(epoch=0, iter=3), time=0)
    assert offered(tmp_path) == by_iteration


def test_only_a_checkpoint_with_the_same_entries_is_offered(tmp_path):
    training = save(tmp_path / 'a.pth', epoch=1)
    torch.save(
        dict(meta=dict(epoch=9), state_dict=dict(a=torch.ones(1))),
        tmp_path / 'published.pth')
    assert offered(tmp_path) == training
    assert offered(tmp_path, ()) == str(tmp_path / 'published.pth')


def test_names_with_brackets_are_no_patterns(tmp_path):
    folder = tmp_path / 'lr[0.1]'
    folder.mkdir()
    (tmp_path / 'lr0').mkdir()
    save(tmp_path / 'lr0' / 'a.pth', epoch=9)
    here = save(folder / 'b.pth', epoch=1)
    assert offered(folder) == here


def test_a_damaged_file_does_not_offer_itself(tmp_path, monkeypatch):
    path = save(tmp_path / 'a.pth')
    with open(path, 'wb'):
        pass
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
            CheckpointError, match='a.pth cannot be read.*no other'):
        check_checkpoint('a.pth')
    other = save(tmp_path / 'b.pth')
    with pytest.raises(CheckpointError, match='folder is .*b.pth$'):
        check_checkpoint('a.pth')
    os.remove(other)
    assert find_defect(path) and find_defect(save(path)) is None


def test_another_storage_is_not_looked_at(tmp_path):
    check_checkpoint('s3://bucket/a.pth', ('optimizer', ))
    assert find_resume_file('s3://b/a.pth', str(tmp_path)) == 's3://b/a.pth'
    (tmp_path / 'last_checkpoint').write_text('s3://b/c.pth')
    assert find_resume_file('auto', str(tmp_path)) == 's3://b/c.pth'


def test_an_empty_pointer_is_named(tmp_path):
    (tmp_path / 'last_checkpoint').write_text('\n')
    assert 'last_checkpoint' in refusal('auto', tmp_path)
