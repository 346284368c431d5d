"""Arguments of ``saip-mm pretrain`` and ``views``, handed on as they are."""
import pytest

from saip_mm.apis import start, start_views
from saip_mm.cli import main


@pytest.fixture
def calls(monkeypatch):
    calls = []

    def take(*args, **kwargs):
        given = {k: v for k, v in kwargs.items() if v not in (None, False)}
        calls.append((args, given))
        return 'out/run/epoch_1.pth'

    monkeypatch.setattr(start, 'pretrain', take)
    monkeypatch.setattr(start, 'start_config', take)
    return calls


def test_defaults_are_left_to_the_function(calls, capsys):
    main(['pretrain', 'persons'])
    assert calls == [(('persons', None), dict(gpus=1))]
    assert 'last checkpoint: out/run/epoch_1.pth' in capsys.readouterr().out


def test_every_option(calls):
    main('pretrain persons --out o --backbone starnet_s3 --init a.pth '
         '--init-which expert --gpus 4 --epochs 3 --batch-size 16 --size '
         '64x32 --matching batch --precision float32 --workers 2 --seed 5 '
         '--resume --resume-schedule new'.split())
    assert calls == [(('persons', 'o'),
                      dict(
                          backbone='starnet_s3',
                          init='a.pth',
                          init_which='expert',
                          gpus=4,
                          epochs=3,
                          batch_size=16,
                          size=(64, 32),
                          matching='batch',
                          precision='float32',
                          workers=2,
                          seed=5,
                          resume=True,
                          resume_schedule='new'))]


def test_a_config_alone(calls, capsys):
    main(['pretrain', '--config', 'a.py'])
    main(['pretrain', 'persons', '--write-only'])
    assert calls[0] == ((None, None), dict(config='a.py', gpus=1))
    assert '--config out/run/epoch_1.pth' in capsys.readouterr().out


def test_a_process_of_torchrun(calls):
    main('pretrain --config a.py --launcher pytorch --resume'.split())
    assert calls == [(('a.py', ), dict(resume=True, launcher='pytorch'))]


@pytest.mark.parametrize('size', ['256', '256x', 'x128', 'axb', '25.6x12.8'])
def test_a_size_is_two_numbers(size, capsys):
    with pytest.raises(SystemExit) as end:
        main(['pretrain', 'persons', '--size', size])
    assert end.value.code == 2
    assert 'such as 256x128' in capsys.readouterr().err


def test_a_wrong_folder_is_a_line(tmp_path):
    with pytest.raises(SystemExit) as end:
        main(['pretrain', str(tmp_path / 'none')])
    assert end.value.code.startswith("error: no folder of pictures '")


def test_views(monkeypatch, capsys):
    calls = []

    def draw(*args):
        calls.append(args)
        return 20, 30

    monkeypatch.setattr(start_views, 'draw_views', draw)
    main('views persons --num 2 --seed 1 --out a.png'.split())
    assert calls == [('persons', 'a.png', 'vit_tiny', 2, 1)]
    assert capsys.readouterr().out == 'a.png: 30x20 pixels\n'
