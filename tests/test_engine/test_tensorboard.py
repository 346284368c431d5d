"""Every number reaches the log, scalars.json and TensorBoard."""
import json
import sys

import pytest

from saip_mm.engine import OptionalTensorboardVisBackend
from .toy import HOOKS, toy_runner

NAMES = {
    'loss', 'loss_csm', 'loss_csr', 'lr', 'wd', 'momentum', 'grad_norm',
    'expert_temperature', 'health/std', 'health/entropy', 'health/prototypes',
    'data/replaced'
}


def run(folder):
    backends = [
        dict(type='LocalVisBackend'),
        dict(type='OptionalTensorboardVisBackend')
    ]
    runner = toy_runner(
        folder,
        HOOKS + ('ReplacedImagesHook', ),
        visualizer=dict(
            type='UniversalVisualizer',
            name=f'visualizer_{folder.name}',
            vis_backends=backends))
    runner.train()
    return runner


def test_log_json_and_tensorboard(tmp_path):
    pytest.importorskip('tensorboard')
    from tensorboard.backend.event_processing.event_accumulator import \
        EventAccumulator
    runner = run(tmp_path / 'a')
    folder = next((tmp_path / 'a').glob('*/vis_data'))
    text = next((tmp_path / 'a').glob('*/*.log')).read_text()
    assert all(f'{name}: ' in text for name in NAMES)
    last = json.loads((folder / 'scalars.json').read_text().splitlines()[-1])
    assert NAMES <= set(last)
    events = EventAccumulator(str(folder))
    events.Reload()
    assert NAMES <= set(events.Tags()['scalars'])
    assert len(events.Scalars('wd')) == runner.iter == 10


def test_without_tensorboard(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'tensorboard', None)
    monkeypatch.setattr('saip_mm.engine.tensorboard.find_spec',
                        lambda name: None)
    run(tmp_path / 'b')
    assert list((tmp_path / 'b').glob('*/vis_data/scalars.json'))
    assert not list((tmp_path / 'b').glob('*/vis_data/events*'))


def test_a_missing_writer_takes_every_call(tmp_path, monkeypatch, log):
    monkeypatch.setattr('saip_mm.engine.tensorboard.find_spec',
                        lambda name: None)
    backend = OptionalTensorboardVisBackend(save_dir=str(tmp_path))
    backend.add_scalar('a', 1., 0)
    backend.add_scalars(dict(a=1., b=2.), 3)
    backend.close()
    assert log.text.count('tensorboard is not installed') == 1
    assert not list(tmp_path.rglob('events*'))
