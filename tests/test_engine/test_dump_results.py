import os
import pickle

import pytest

from saip_mm.apis import evaluate
from saip_mm.engine.dump_results import AtomicDumpResults, check_out_file


def test_predictions_are_written_whole(tmp_path):
    path = tmp_path / 'p.pkl'
    metric = AtomicDumpResults(str(path))
    metric.process(None, [dict(a=1), dict(a=2)])
    assert metric.evaluate(2) == {}
    assert pickle.loads(path.read_bytes()) == [dict(a=1), dict(a=2)]


def test_what_was_there_is_kept_if_writing_fails(tmp_path, monkeypatch):
    path = tmp_path / 'p.pkl'
    path.write_bytes(b'old')
    metric = AtomicDumpResults(str(path))

    def full(descriptor):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    metric.process(None, [1])
    with pytest.raises(OSError, match=f'cannot write {path}.*is kept'):
        metric.evaluate(1)
    assert os.listdir(tmp_path) == ['p.pkl']
    assert path.read_bytes() == b'old'


@pytest.mark.parametrize('out, error', [
    ('p.json', 'must end with .pkl'),
    ('d.pkl', 'is a folder'),
    ('file/p.pkl', 'is a file'),
])
def test_a_file_that_cannot_be_written_is_refused_before_the_test(
        tmp_path, out, error):
    (tmp_path / 'file').write_text('')
    (tmp_path / 'd.pkl').mkdir()
    config = tmp_path / 'mine.py'
    config.write_text('test_dataloader = dict(batch_size=1)\n'
                      'test_evaluator = dict(type="M")\n')
    with pytest.raises((OSError, ValueError), match=error):
        evaluate(
            str(config), 'none.pth', str(tmp_path / 'work'),
            str(tmp_path / out))


def test_its_folder_is_made(tmp_path):
    check_out_file(str(tmp_path / 'a' / 'p.pickle'))
    assert (tmp_path / 'a').is_dir()
