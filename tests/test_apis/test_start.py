"""From a folder to a config and a training, and all that may be wrong."""
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmpretrain.registry import MODELS
from saip_mm.apis import start, start_config, start_plan
from saip_mm.apis.start import pretrain, processes_command
from saip_mm.apis.start import start_config as go
from saip_mm.apis.start_config import settings_of, write_config
from saip_mm.apis.start_plan import Machine
from saip_mm.apis.start_views import draw_views
from saip_mm.weights import write_file
from ..test_weights import layouts

ROOT = Path(__file__).parents[2]
LAPTOP = Machine(0, 0., 2, False)


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch):
    for module in (start, start_plan):
        monkeypatch.setattr(module, 'has_gpu', lambda: False)
    monkeypatch.setattr(start_config, 'this_machine', lambda: LAPTOP)


@pytest.fixture
def persons(tmp_path):
    """A folder of six pictures, one of them in a folder below."""
    folder = tmp_path / 'persons'
    (folder / 'below').mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ('0', '1', '2', '3', '4', 'below/5'):
        cv2.imwrite(
            str(folder / f'{name}.png'), rng.integers(0, 255, (80, 40, 3)))
    return str(folder)


@pytest.fixture
def trainings(monkeypatch):
    """Calls of what trains, which does nothing but leave a checkpoint."""
    calls = []

    def train(config, work_dir, resume, launcher, resume_schedule):
        calls.append(dict(config=config, resume=resume, launcher=launcher))
        os.makedirs(work_dir, exist_ok=True)
        path = Path(work_dir, 'epoch_1.pth')
        path.write_bytes(b'')
        Path(work_dir, 'last_checkpoint').write_text(f'{path}\n')

    monkeypatch.setattr(start, 'train', train)
    return calls


def test_a_folder_becomes_a_config_and_a_training(persons, tmp_path, trainings,
                                                  monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    last = pretrain('persons', backbone='starnet_s3', size=(64, 32))
    out = tmp_path / 'work_dirs' / 'persons_starnet_s3'
    assert last == str(out / 'run' / 'epoch_1.pth')
    assert trainings == [
        dict(
            config='work_dirs/persons_starnet_s3/pretrain.py',
            resume=None,
            launcher='none')
    ]
    cfg = Config.fromfile(out / 'pretrain.py')
    # started from anywhere, it finds the pictures
    assert cfg.train_dataloader.dataset.sources[0].data_root == persons
    printed = capsys.readouterr().out
    assert '6 pictures, starnet_s3 at 64x32' in printed
    assert sorted(p.name for p in out.iterdir()) == ['pretrain.py', 'run']


def test_the_config_is_started_by_itself(persons, tmp_path, trainings):
    out = tmp_path / 'out'
    config = pretrain(persons, str(out), write_only=True)
    assert config == str(out / 'pretrain.py') and not trainings
    assert pretrain(config=config) == str(out / 'run' / 'epoch_1.pth')
    with pytest.raises(ValueError, match='epoch_1.pth is there already'):
        pretrain(config=config)
    pretrain(config=config, resume=True)
    assert [call['resume'] for call in trainings] == [None, 'auto']


def test_nothing_is_written_over(persons, tmp_path, trainings):
    out = tmp_path / 'out'
    pretrain(persons, str(out))
    before = (out / 'pretrain.py').read_text()
    with pytest.raises(ValueError, match='holds a training already.*--resume'):
        pretrain(persons, str(out), epochs=3)
    assert (out / 'pretrain.py').read_text() == before
    assert len(trainings) == 1
    other = tmp_path / 'other'
    other.mkdir()
    (other / 'thesis.txt').write_text('all of it')
    with pytest.raises(ValueError, match='other is not empty'):
        pretrain(persons, str(other))
    assert [p.name for p in other.iterdir()] == ['thesis.txt']


def test_the_same_command_resumes(persons, tmp_path, trainings, capsys):
    out = str(tmp_path / 'out')
    asked = dict(epochs=3, size=(64, 32), seed=5, matching='batch')
    pretrain(persons, out, resume=True, **asked)
    assert 'starting from the beginning' in capsys.readouterr().out
    text = Path(out, 'pretrain.py').read_text()
    pretrain(persons, out, resume=True, **asked)
    pretrain(out=out, resume=True)
    assert Path(out, 'pretrain.py').read_text() == text
    assert [call['resume'] for call in trainings] == ['auto'] * 3
    for name, value in dict(
            epochs=4,
            size=(96, 48),
            seed=6,
            batch_size=2,
            workers=2,
            backbone='starnet_s3',
            matching='prototypes',
            precision='mixed').items():
        with pytest.raises(ValueError, match=f'has {name} .*--resume takes'):
            pretrain(persons, out, resume=True, **dict(asked, **{name: value}))
    with pytest.raises(ValueError, match='has folder'):
        pretrain(str(tmp_path), out, resume=True)


def test_what_is_said_by_a_written_config(persons, tmp_path):
    asked = dict(
        epochs=2,
        batch_size=3,
        size=(64, 32),
        matching='prototypes',
        precision='mixed',
        workers=0,
        seed=9)
    for backbone in start_plan.BACKBONES:
        path = write_config(
            persons, str(tmp_path / backbone), backbone, quiet=True, **asked)
        said = settings_of(Config.fromfile(path))
        assert said == dict(
            asked,
            folder=persons,
            backbone=backbone,
            init=None,
            expert='an average')


@pytest.mark.parametrize('asked, words', [
    (dict(epochs=0), 'epochs 0'),
    (dict(batch_size=7), 'there are only 6 pictures'),
    (dict(size=(90, 45)), 'size 90x45'),
    (dict(backbone='vit'), "unknown backbone 'vit'"),
    (dict(seed=-1), 'seed -1'),
    (dict(gpus=0), 'gpus 0'),
    (dict(gpus=4), '6 pictures'),
    (dict(init='none.pth'), 'none.pth does not exist'),
    (dict(out='a"b'), 'quotation mark'),
])
def test_bad_settings_leave_nothing(asked, words, persons, tmp_path, trainings,
                                    monkeypatch):
    monkeypatch.chdir(tmp_path)
    if asked == dict(gpus=4):
        os.remove(f'{persons}/0.png')  # 5 / 4 pictures a process
        for name in '12':
            os.remove(f'{persons}/{name}.png')
        words = '3 pictures for 4 processes'
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        pretrain(persons, **asked)
    assert words in str(error.value)
    assert not trainings
    assert [p.name for p in tmp_path.iterdir()] == ['persons']


def test_others_weights_are_copied_beside_the_config(persons, tmp_path,
                                                     trainings, monkeypatch):
    """Under our names; the file itself is not needed any more."""
    path = tmp_path / 'dino.pth'
    torch.save(layouts.files()['DINO'][0], path)
    out = tmp_path / 'out'
    asked = dict(out=str(out), init=str(path), size=(64, 32))
    with monkeypatch.context() as patch:  # a full disk, at the config
        patch.setattr(start_config, 'write_file', fails_at('pretrain.py'))
        with pytest.raises(OSError, match='no room'):
            pretrain(persons, **asked)
    assert os.listdir(out) == []
    (out / 'init.pth').write_bytes(b'of a start that was killed')
    pretrain(persons, **asked)
    cfg = Config.fromfile(out / 'pretrain.py')
    assert cfg.model.encoder.backbone.init_cfg.checkpoint == str(out /
                                                                 'init.pth')
    assert settings_of(cfg)['init'] == str(path)
    path.unlink()
    model = MODELS.build(cfg.model)
    model.init_weights()
    teacher = layouts.files()['DINO'][0]['teacher']
    assert torch.equal(model.encoder.backbone.ln1.weight,
                       teacher['backbone.norm.weight'])
    pretrain(persons, resume=True, **asked)  # the same setting
    with pytest.raises(ValueError, match='has init .*dino.pth, asked for is'):
        pretrain(persons, resume=True, **{**asked, 'init': 'b.pth'})


def fails_at(name):
    """Writing that fails at one file."""

    def write(path, content):
        if path.endswith(name):
            raise OSError('no room')
        write_file(path, content)

    return write


def broken_only(folder):
    (folder / 'a.jpg').write_bytes(b'no picture')
    (folder / 'b.jpg').write_bytes(b'')


def no_pictures(folder):
    (folder / 'readme.txt').write_text('pictures follow')


def one_picture(folder):
    cv2.imwrite(str(folder / 'a.png'), np.zeros((8, 4, 3), np.uint8))


@pytest.mark.parametrize('fill, words', [
    (broken_only, 'none of 2 images tried'),
    (no_pictures, 'holds no image'),
    (one_picture, '1 pictures for 1 processes'),
])
def test_bad_folders(fill, words, tmp_path):
    folder = tmp_path / 'pictures'
    folder.mkdir()
    fill(folder)
    with pytest.raises(ValueError, match=words):
        pretrain(str(folder), str(tmp_path / 'out'))
    assert not (tmp_path / 'out').exists()


def test_no_folder_and_a_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder of pictures '/no"):
        pretrain('/nowhere/at/all', str(tmp_path / 'out'))
    (tmp_path / 'list.txt').write_text('a.jpg')
    with pytest.raises(ValueError, match="list.txt' is a file"):
        pretrain(str(tmp_path / 'list.txt'))
    with pytest.raises(ValueError, match='name a folder'):
        pretrain()
    with pytest.raises(FileNotFoundError, match='there is no'):
        pretrain(out=str(tmp_path / 'out'), resume=True)


def test_an_out_folder_that_cannot_be_made(persons, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(OSError, match='out'):
        pretrain(persons, str(tmp_path / 'file' / 'out'))
    with pytest.raises(OSError, match='is a file: it must be a folder'):
        pretrain(persons, str(tmp_path / 'file'))


def test_settings_beside_a_config(persons, tmp_path):
    config = pretrain(persons, str(tmp_path / 'out'), write_only=True)
    with pytest.raises(ValueError, match='epochs, folder beside a config'):
        pretrain(persons, config=config, epochs=3)
    with pytest.raises(FileNotFoundError, match='no config'):
        pretrain(config=str(tmp_path / 'none.py'))


def test_several_gpus_go_through_torchrun(persons, tmp_path, monkeypatch,
                                          capsys):
    config = pretrain(persons, str(tmp_path / 'out'), gpus=2, write_only=True)
    calls = []

    def run(command):
        calls.append(command)
        return subprocess.CompletedProcess(command, len(calls) - 1)

    monkeypatch.setattr(start.subprocess, 'run', run)
    go(config, gpus=2)
    assert '2 processes share the CPU' in capsys.readouterr().out
    command = calls[0]
    assert command[:3] == [sys.executable, '-m', 'torch.distributed.run']
    assert '--nproc_per_node=2' in command
    at = command.index('--module')
    assert command[at + 1:] == [
        'saip_mm', 'pretrain', '--config', config, '--launcher', 'pytorch'
    ]
    with pytest.raises(ValueError, match='2 processes ended with code 1'):
        go(config, gpus=2, resume=True)
    assert '--resume' in calls[1]
    assert processes_command('a.py', 2, True, 'new')[-3:] == [
        '--resume', '--resume-schedule', 'new'
    ]


def test_more_gpus_than_there_are(monkeypatch):
    monkeypatch.setattr(start, 'has_gpu', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    with pytest.raises(ValueError, match='gpus 3: this machine has 2'):
        start.check_gpus(3)


def test_views_of_a_folder_and_of_a_config(persons, tmp_path):
    out = str(tmp_path / 'views.png')
    asked = dict(num=2, seed=1)
    size = draw_views(persons, out, 'starnet_s3', **asked)
    assert cv2.imread(out).shape[:2] == size
    folder = tmp_path / 'out'
    write_config(persons, str(folder), 'starnet_s3', quiet=True)
    by_folder = draw_views(str(folder), out, **asked)
    by_config = draw_views(str(folder / 'pretrain.py'), out, **asked)
    assert by_folder == by_config == size
    with pytest.raises(FileNotFoundError, match='none'):
        draw_views(str(tmp_path / 'none'), out)
    with pytest.raises(ValueError, match='num 0'):
        draw_views(persons, out, num=0)
    with pytest.raises(ValueError, match='is no picture file'):
        draw_views(persons, str(tmp_path / 'views.text'))


@pytest.mark.slow
def test_a_short_training_resumed(persons, tmp_path):
    """The real thing: two epochs of three steps, then a third epoch."""
    out = tmp_path / 'out'
    last = pretrain(
        persons,
        str(out),
        backbone='starnet_s3',
        size=(32, 32),
        epochs=1,
        batch_size=3,
        workers=0)
    assert last == str(out / 'run' / 'epoch_1.pth')
    config = out / 'pretrain.py'
    config.write_text(config.read_text().replace('max_epochs=1',
                                                 'max_epochs=2'))
    last = pretrain(config=str(config), resume=True)
    saved = torch.load(last, weights_only=True)
    assert saved['meta']['iter'] == 4 and saved['meta']['epoch'] == 2
    # and the weights start another
    for which in ('student', 'expert'):
        path = write_config(
            persons,
            str(tmp_path / which),
            'starnet_s3',
            init=last,
            init_which=which,
            quiet=True)
        said = settings_of(Config.fromfile(path))
        assert said['init'] == last
