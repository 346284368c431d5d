"""Their command lines; what they do is tested with the package."""
import argparse

import pytest
import torch

from saip_mm.apis.models import load_backbone
from saip_mm.cli import convert, publish
from ..test_apis.conftest import trained_file
from ..test_datasets._images import write_tree
from ..test_models.tiny_saip import build
from ..test_weights import layouts


def run(command, *arguments):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    command.run(parser.parse_args([str(a) for a in arguments]))


@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
def test_convert(suffix, tmp_path, capsys):
    source, out = tmp_path / 'release.pth', tmp_path / f'out{suffix}'
    release = layouts.saip_release()
    torch.save(
        dict(student=release, teacher=layouts.saip_release('backbone.')),
        source)
    run(convert, source, out)
    printed = capsys.readouterr().out
    assert 'plain transformer' in printed and ', student' in printed
    assert '150 tensors' in printed
    assert 'last block  ' in printed and 'of the norm of the others' in printed
    assert 'left out    backbone.inter_norm.weight' in printed
    backbone = load_backbone(str(out))
    assert torch.equal(backbone.ln1.weight,
                       release['module.backbone.norm.weight'])


@pytest.mark.parametrize('name', [
    'StarNet official', 'StarNet authors', 'TinyViT timm', 'TinyViT authors',
    'SOLIDER Swin'])  # yapf: disable
def test_what_is_converted_loads(name, tmp_path, capsys):
    """Options that nobody gave change nothing."""
    content, _, expected = layouts.files()[name]
    torch.save(content, tmp_path / 'theirs.pth')
    run(convert, tmp_path / 'theirs.pth', tmp_path / 'out.pth')
    found = load_backbone(str(tmp_path / 'out.pth'))
    assert expected.items() <= found.config.items()
    assert found.config.get('last_stride') == expected.get('last_stride')


def test_an_option_of_another_backbone_is_refused(tmp_path):
    for name, option in (('StarNet official', '--num-heads'),
                         ('DINO', '--last-stride')):
        torch.save(layouts.files()[name][0], tmp_path / 'a.pth')
        with pytest.raises(
                ValueError, match=f'a.pth: {option[2:].replace("-", "_")} is'):
            run(convert, tmp_path / 'a.pth', tmp_path / 'out.pth', option, 2)
    torch.save(layouts.files()['StarNet official'][0], tmp_path / 'a.pth')
    run(convert, tmp_path / 'a.pth', tmp_path / 'out.pth', '--last-stride', 1)
    assert load_backbone(str(tmp_path / 'out.pth')).config['last_stride'] == 1


def test_convert_names_the_file_and_what_is_wrong(tmp_path):
    source = tmp_path / 'half.pth'
    weights = layouts.vit()
    del weights['blocks.3.norm1.bias']
    torch.save(weights, source)
    with pytest.raises(ValueError, match='half.pth: .*blocks.3.norm1.bias'):
        run(convert, source, tmp_path / 'out.pth')
    with pytest.raises(ValueError, match='end the name in .pth'):
        run(convert, source, tmp_path / 'out.bin')
    assert [p.name for p in tmp_path.iterdir()] == ['half.pth']


def test_publish(tmp_path, capsys):
    model = build('starnet')
    options = dict(model.encoder.backbone.options)
    torch.save(
        dict(
            meta=dict(encoder=dict(backbone=options)),
            state_dict=model.state_dict()), tmp_path / 'epoch_1.pth')
    run(publish, tmp_path / 'epoch_1.pth', '--out-dir', tmp_path / 'out',
        '--name', 'tiny', '--date', '20261123', '--no-timm', '--licence',
        'MIT')
    printed = capsys.readouterr().out
    assert printed.count('wrote') == 4 and 'SHA-256' in printed
    assert len(list((tmp_path / 'out').iterdir())) == 4


def test_publish_measures_batch_norm(tmp_path, capsys):
    path, _ = trained_file(tmp_path, 'starnet')
    folder = write_tree(tmp_path / 'pictures', [f'{i}.jpg' for i in range(17)])
    (tmp_path / 'pictures' / 'broken.jpg').write_bytes(b'no picture')
    run(publish, path, '--out-dir', tmp_path / 'out', '--pictures', folder,
        '--skip-unreadable', '--no-timm')
    assert 'SHA-256' in capsys.readouterr().out
    file, = (tmp_path / 'out').glob('*.pth')
    assert torch.load(file)['meta']['batch_norm'] == '17 plain pictures'


def test_publish_refuses_pictures_that_are_not_named(tmp_path):
    path, _ = trained_file(tmp_path, 'starnet')
    out = tmp_path / 'out'
    with pytest.raises(FileNotFoundError, match="'' does not exist"):
        run(publish, path, '--out-dir', out, '--pictures', '')
    with pytest.raises(ValueError, match='--skip-unreadable without --pict'):
        run(publish, path, '--out-dir', out, '--skip-unreadable')
    assert not out.exists()
