import hashlib
import json
import os
import re
from pathlib import Path

import pytest
import timm
import torch
import yaml

from saip_mm.apis.models import load_backbone
from saip_mm.weights import convert_backbone, read_checkpoint
from saip_mm.weights.metafile import enter_weights
from saip_mm.weights.release import publish_release
from saip_mm.weights.timm_folder import NoTimmModelError
from ..test_models.tiny_saip import BACKBONES, build

CONFIG = """
model = dict(expert=dict(type='EmaExpert'))
train_dataloader = dict(dataset=dict(
    sources=[dict(data_root='/private/place/lup', ann_file='lup1m.txt')]))
"""


def trained(folder, backbone='vit', **change):
    """A training checkpoint of a tiny SAIP; its student's backbone."""
    cfg = dict(BACKBONES[backbone], **change)
    model = build(
        backbone,
        encoder=dict(type='PersonEncoder', backbone=cfg, patch_index=1))
    student = model.encoder.backbone.train(False)
    with torch.no_grad():  # BatchNorms that have seen something
        for key, value in student.state_dict().items():
            if key.endswith('running_var'):
                value.uniform_(0.5, 1.5)
    path = str(folder / 'epoch_2.pth')
    torch.save(
        dict(
            meta=dict(
                epoch=2,
                iter=34,
                cfg=CONFIG,
                experiment_name='vit_tiny_20261123_101112',
                encoder=dict(
                    backbone=dict(student.options),
                    untrained=['ln1.bias'],
                    mean=[123.675, 116.28, 103.53],
                    std=[58.395, 57.12, 57.375])),
            state_dict=model.state_dict()), path)
    return student, path


@torch.no_grad()
@pytest.mark.parametrize('backbone, change', [
    ('vit', {}), ('vit', dict(num_heads=4)), ('starnet', {}),
    ('starnet', dict(last_norm=True)), ('starnet', dict(last_stride=1)),
    ('tinyvit', {})])  # yapf: disable
def test_timm_opens_the_folder_offline(backbone, change, tmp_path,
                                       monkeypatch):
    """With features equal bit for bit."""
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    student, path = trained(tmp_path, backbone, **change)
    release = publish_release(path, str(tmp_path / 'out'), timm=True)
    folder = next(f for f in release.files if f.endswith('_timm'))
    x = torch.randn(2, 3, 64, 32)
    # the layout in memory decides which of a CPU's convolutions is taken
    x = x.contiguous(memory_format=torch.channels_last)
    if backbone == 'vit':
        theirs = timm.create_model(f'local-dir:{folder}', pretrained=True)
        tokens = theirs.eval().forward_features(x)
        ours = student.forward_tokens(x, tokens=('image', 'final'))
        assert torch.equal(tokens[:, 0], ours.image)
        assert torch.equal(tokens[:, 1:], ours.final)
        assert torch.equal(theirs(x), ours.image)
        return
    theirs = timm.create_model(
        f'local-dir:{folder}', pretrained=True, features_only=True).eval()
    if change.get('last_stride') == 1:
        theirs.stages_3[0].conv.stride = (1, 1)  # as the card says
    maps = list(theirs(x))
    whole = timm.create_model(f'local-dir:{folder}', pretrained=True).eval()
    if 'last_stride' not in change:
        last = whole.forward_features(x)
        assert torch.equal(last, student(x)[-1])
    if not change.get('last_norm'):
        assert torch.equal(maps[-1], student(x)[-1])
    for a, b in zip(maps[:-1], student(x)[:-1], strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize('backbone, change, error', [
    ('vit', dict(last_block_heads=4), '4 heads in the last block beside 2'),
    ('tinyvit', dict(neck_channels=8), 'neck_channels=8 has no counterpart'),
    ('tinyvit', dict(mask_padding=True), 'mask_padding=True'),
])
def test_what_timm_has_not_is_said(backbone, change, error, tmp_path):
    _, path = trained(tmp_path, backbone, **change)
    release = publish_release(path, str(tmp_path / 'out'))
    assert re.search(f'no folder for timm: .*{error}', release.notes[0])
    assert not [f for f in release.files if f.endswith('_timm')]
    with pytest.raises(NoTimmModelError, match=error):
        publish_release(path, str(tmp_path / 'else'), timm=True)
    assert not (tmp_path / 'else').exists()


def test_a_timm_folder_comes_back(tmp_path):
    for backbone in BACKBONES:
        student, path = trained(tmp_path, backbone)
        release = publish_release(path, str(tmp_path / backbone))
        folder = next(f for f in release.files if f.endswith('_timm'))
        again = load_backbone(f'{folder}/model.safetensors')
        for key, value in student.state_dict().items():
            assert torch.equal(again.state_dict()[key], value), key


def test_all_files_are_there_and_say_what_they_are(tmp_path):
    _, path = trained(tmp_path)
    out = tmp_path / 'out'
    release = publish_release(
        path, str(out), name='saip_tiny', date='20261123', licence='MIT')
    pth, safe, folder, card, row = release.files
    assert sorted(os.listdir(out)) == sorted(
        map(os.path.basename, release.files))
    for file in (pth, safe):
        digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()
        assert f'saip_tiny_20261123-{digest[:8]}.' in file
    metas = [read_checkpoint(file)['meta'] for file in (pth, safe)]
    assert metas[0] == metas[1]
    assert metas[0]['teacher'] == 'EMA of the student'
    assert metas[0]['data'] == 'lup1m.txt'
    assert metas[0]['licence'] == 'MIT'
    assert {'saip_mm', 'torch', 'timm'} <= set(metas[0]['versions'])
    text = Path(card).read_text()
    assert '/private' not in text + Path(row).read_text() + repr(metas[0])
    for part in ('license: MIT', 'EMA of the student', 'lup1m.txt', '4x2',
                 'ln1.bias', os.path.basename(pth), 'load_backbone(',
                 f"'local-dir:{os.path.basename(folder)}'"):
        assert part in text, part
    entry, = yaml.safe_load(Path(row).read_text())
    assert entry['Weights'] == os.path.basename(pth)
    assert entry['Metadata']['SHA-256'] == release.published.sha256
    assert entry['Metadata']['Bytes'] == os.path.getsize(pth)
    config = json.loads(Path(folder, 'config.json').read_text())
    assert config['pretrained_cfg']['mean'] == [0.485, 0.456, 0.406]
    assert config['pretrained_cfg']['input_size'] == [3, 64, 32]


def test_a_published_file_can_be_published_again(tmp_path):
    _, path = trained(tmp_path)
    first = publish_release(path, str(tmp_path / 'a'), licence='MIT')
    again = publish_release(first.files[1], str(tmp_path / 'b'), name='b')
    a, b = (read_checkpoint(r.published.path) for r in (first, again))
    for key, value in a['state_dict'].items():
        assert torch.equal(b['state_dict'][key], value)
    for key in ('position_grid', 'input', 'backbone', 'licence', 'data'):
        assert a['meta'][key] == b['meta'][key], key
    assert b['meta']['origin']['converted'] == a['meta']['origin']
    assert convert_backbone(a).model == convert_backbone(b).model


METAFILE = """# kept
Collections:
  - Name: SAIP
Models:
  - Name: one
    In Collection: SAIP  # kept, too
    Metadata:
      Epochs: 300
    Weights: null
    Results:
      - Task: Person Re-Identification
        Dataset: Market1501
        Metrics:
          Rank-1 (paper): 93.6
  - Name: one_more
    In Collection: SAIP
    Weights: null
"""
ROW = {
    'Name': 'one',
    'In Collection': 'SAIP',
    'Metadata': {'SHA-256': '12' * 32, 'Bytes': 5},
    'Weights': 'one_20261123-12121212.pth'
}  # yapf: disable


def test_a_metafile_gets_the_file_and_keeps_the_rest(tmp_path):
    path = tmp_path / 'metafile.yml'
    path.write_text(METAFILE)
    before = yaml.safe_load(METAFILE)['Models']
    for _ in range(2):  # and again, the same
        assert enter_weights(str(path), ROW)
        one, more = yaml.safe_load(path.read_text())['Models']
        assert one['Weights'] == ROW['Weights']
        assert one['Metadata'] == dict(ROW['Metadata'], Epochs=300)
        assert one['Results'] == before[0]['Results'] and more == before[1]
        assert path.read_text().count('kept') == 2
    assert not enter_weights(str(path), dict(ROW, Name='new'))
    models = yaml.safe_load(path.read_text())['Models']
    assert [m['Name'] for m in models] == ['one', 'one_more', 'new']
    enter_weights(str(path), dict(ROW, Name='one_more'))
    assert yaml.safe_load(
        path.read_text())['Models'][1]['Weights'] == ROW['Weights']


def test_an_unusual_metafile_is_left_alone(tmp_path):
    path = tmp_path / 'a.yml'
    for text, error in (('Models:\n- Weights: null\n  Name: one\n',
                         'a.yml: cannot enter one there, its layout is'),
                        ('# \xe9\n' + METAFILE, 'a.yml is no text in UTF')):
        path.write_bytes(text.encode('latin-1'))
        with pytest.raises(ValueError, match=error):
            enter_weights(str(path), ROW)
        assert path.read_bytes() == text.encode('latin-1')
    path.write_text(METAFILE.replace('- Name: one\n', '- Name: one  # mine\n'))
    assert enter_weights(str(path), ROW)
    assert '- Name: one  # mine' in path.read_text()


@pytest.mark.parametrize('text', ['{', 'a: 1', '- b'])
def test_what_is_no_metafile_is_left_alone(text, tmp_path):
    path = tmp_path / 'a.yml'
    path.write_text(text)
    with pytest.raises(ValueError, match='a.yml is no metafile'):
        enter_weights(str(path), ROW)
    assert path.read_text() == text


def test_every_metafile_of_ours_can_be_filled_in(tmp_path):
    configs = Path(__file__).parents[2] / 'configs'
    for source in configs.glob('*/metafile.yml'):
        path = tmp_path / f'{source.parent.name}.yml'
        path.write_text(source.read_text())
        before = yaml.safe_load(path.read_text())['Models']
        assert enter_weights(str(path), dict(ROW, Name=before[-1]['Name']))
        after = yaml.safe_load(path.read_text())['Models']
        assert after[:-1] == before[:-1]
        assert after[-1]['Weights'] == ROW['Weights']
        assert after[-1].get('Results') == before[-1].get('Results')


def test_nothing_half_written_when_the_disk_is_full(tmp_path, monkeypatch):
    _, path = trained(tmp_path)
    out = tmp_path / 'out'

    def full(*args):
        raise OSError(28, 'No space left on device')

    with monkeypatch.context() as patch:
        patch.setattr('os.replace', full)
        with pytest.raises(OSError, match='cannot write .*out'):
            publish_release(path, str(out))
    assert os.listdir(out) == []


@pytest.mark.parametrize('failing', ['.safetensors', '_timm', '.md', '.yml'])
@pytest.mark.parametrize('earlier', [False, True])
def test_all_files_or_none(failing, earlier, tmp_path, monkeypatch):
    """What was there before stays."""
    _, path = trained(tmp_path)
    out, replace = tmp_path / 'out', os.replace
    before = []
    if earlier:
        publish_release(path, str(out), timm=failing != '_timm')
        before = sorted(os.listdir(out))

    def full(source, target):
        if str(target).endswith(failing):
            raise OSError(28, 'No space left on device')
        replace(source, target)

    monkeypatch.setattr('os.replace', full)
    with pytest.raises(OSError, match='No space left'):
        publish_release(path, str(out))
    left = [] if not out.exists() else sorted(os.listdir(out))
    assert left == before


@pytest.mark.parametrize('content, error', [
    (None, 'metafile .*a.yml does not exist'), ('a: 1', 'is no metafile')
])  # yapf: disable
def test_a_wrong_metafile_is_seen_first(content, error, tmp_path):
    _, path = trained(tmp_path)
    if content:
        (tmp_path / 'a.yml').write_text(content)
    with pytest.raises((OSError, ValueError), match=error):
        publish_release(
            path, str(tmp_path / 'out'), metafile=str(tmp_path / 'a.yml'))
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('backbone, words', [
    ('vit', 'the class token'),
    ('starnet', "mean of the last map, then the LayerNorm of `meta['tokens']")
])  # yapf: disable
def test_the_card_says_how_a_picture_becomes_a_vector(backbone, words,
                                                      tmp_path):
    _, path = trained(tmp_path, backbone)
    release = publish_release(path, str(tmp_path / 'out'), timm=False)
    card = next(f for f in release.files if f.endswith('.md'))
    assert words in Path(card).read_text()
