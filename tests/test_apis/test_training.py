from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import InfiniteSampler
from torch.utils.data import DataLoader

from saip_mm.apis import training
from saip_mm.weights import CheckpointError
from ..test_engine.toy import toy_loader, toy_runner
from ..test_weights.states import save_state


def test_fewer_images_than_a_batch_are_refused(tmp_path, monkeypatch):
    config = tmp_path / 'six.py'
    config.write_text('model = dict(type="Toy")\n'
                      'train_dataloader = dict(batch_size=64)\n'
                      'train_cfg = dict(max_epochs=2)\n'
                      'optim_wrapper = dict(type="OptimWrapper")\n')
    monkeypatch.setattr(
        training, 'build_runner', lambda cfg: toy_runner(
            cfg.work_dir, train_dataloader=toy_loader(6, 64)))
    with pytest.raises(ValueError) as error:
        training.train(str(config), str(tmp_path / 'work'))
    assert ('6 images over 1 processes are fewer than batch_size 64'
            in str(error.value))
    assert 'train_dataloader.batch_size to at most 6' in str(error.value)
    assert not list(tmp_path.rglob('*.pth'))


def test_a_picture_alone_in_its_batch_is_explained():
    norm = torch.nn.BatchNorm2d(2)
    with pytest.raises(ValueError, match='batch_size to 2.*drop_last=True'):
        with training.lone_pictures_explained():
            norm(torch.zeros(1, 2, 1, 1))
    with pytest.raises(ValueError, match='^another$'):
        with training.lone_pictures_explained():
            raise ValueError('another')


@pytest.mark.parametrize('kwargs', [
    dict(batch_size=6, drop_last=True),
    dict(batch_size=64),
    dict(batch_size=64, drop_last=True, sampler=InfiniteSampler(range(6))),
])
def test_whatever_gives_a_batch_is_accepted(kwargs):
    loader = DataLoader(range(6), **kwargs)
    training.check_batches(SimpleNamespace(train_dataloader=loader))


def test_resume_auto_starts_afresh_with_a_warning(tmp_path, capsys):
    cfg = Config(dict(work_dir=str(tmp_path)))
    training.set_resume(cfg, 'auto')
    assert not cfg.resume and cfg.get('load_from') is None
    assert 'no last_checkpoint' in capsys.readouterr().out


def test_config_may_ask_for_resume_itself(tmp_path):
    path = save_state(tmp_path / 'epoch_2.pth')
    cfg = Config(dict(work_dir=str(tmp_path), resume=True, load_from=path))
    training.set_resume(cfg, None)
    assert cfg.resume and cfg.load_from == path


@pytest.mark.parametrize('asked', ['auto', None])
def test_a_run_is_not_started_over_beside_its_checkpoints(tmp_path, asked):
    """--resume, or resume=True in the config, without last_checkpoint."""
    path = save_state(tmp_path / 'epoch_5.pth')
    cfg = Config(dict(work_dir=str(tmp_path), resume=asked is None))
    with pytest.raises(CheckpointError, match=f'by --resume {path}'):
        training.set_resume(cfg, asked)
