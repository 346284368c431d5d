import pytest

from saip_mm.apis import load_config


def test_work_dir_order(tmp_path):
    path = tmp_path / 'configs' / 'pose' / 'tiny.py'
    path.parent.mkdir(parents=True)
    path.write_text('a = 1\n')
    cfg = load_config(str(path), {'a': 2})
    assert cfg.work_dir == 'work_dirs/pose/tiny' and cfg.a == 2
    path.write_text("work_dir = 'own'\n")
    assert load_config(str(path)).work_dir == 'own'
    assert load_config(str(path), work_dir='given').work_dir == 'given'


def test_missing_config_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        load_config('configs/none.py')


def test_work_dirs_of_fractions_differ(tmp_path):
    config = tmp_path / 'mine.py'
    config.write_text('')
    assert load_config(str(config)).work_dir == 'work_dirs/mine'
    quarter = load_config(str(config), schedule=0.25)
    assert quarter.work_dir == 'work_dirs/mine_x0.25'
    assert load_config(
        str(config), work_dir='given', schedule=0.25).work_dir == 'given'


def test_home_in_arguments(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'mine.py').write_text("a = '~/x'\n")
    cfg = load_config('~/mine.py', work_dir='~/work')
    assert cfg.work_dir == f'{tmp_path}/work' and cfg.a == f'{tmp_path}/x'
