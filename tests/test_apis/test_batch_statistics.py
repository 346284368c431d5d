import functools
from pathlib import Path

import pytest
import torch
from torch.nn.functional import conv2d

from saip_mm.apis import load_backbone, measure_statistics
from saip_mm.datasets import PictureFiles
from saip_mm.weights import convert_backbone, publish_backbone, read_checkpoint
from saip_mm.weights.release import publish_release
from ..test_datasets._images import write_tree
from .conftest import STATISTICS, trained_file

SIZE = (96, 48)  # of the checkpoint's crops
measuring = functools.partial(measure_statistics, progress=False)


@pytest.fixture
def pictures(tmp_path):
    names = [f'{i:02}.png' for i in range(40)]
    return write_tree(tmp_path / 'pictures', names, height=80, width=40)


def published(checkpoint, out, **options):
    return publish_backbone(
        checkpoint,
        str(out),
        name='a',
        date='20261128',
        measure=functools.partial(measuring, **options)).path


def batches(pictures, size):
    files = PictureFiles(pictures, SIZE)
    order = torch.randperm(
        len(files), generator=torch.Generator().manual_seed(0))
    mean, std = (
        torch.tensor(STATISTICS[k]).view(3, 1, 1) for k in ('mean', 'std'))
    images = torch.stack([(files[int(i)] - mean) / std for i in order])
    return images.split(size)


def test_means_over_batches(pictures, tmp_path):
    """The first layer's, by hand; the last 8 of 40 pictures do not count."""
    checkpoint, model = trained_file(tmp_path, 'starnet')
    path = published(checkpoint, tmp_path, pictures=pictures,
                     batch_size=16)  # yapf: disable
    content = read_checkpoint(path)
    assert content['meta']['batch_norm'] == '32 plain pictures'
    conv = model.encoder.backbone.timm_model.stem_0.conv
    outputs = [
        conv2d(x, conv.weight, conv.bias, conv.stride, conv.padding)
        for x in batches(pictures, 16)[:2]
    ]
    expected = dict(
        running_mean=torch.stack([x.mean((0, 2, 3)) for x in outputs]),
        running_var=torch.stack([x.var((0, 2, 3)) for x in outputs]))
    for key, values in expected.items():
        torch.testing.assert_close(
            content['state_dict'][f'timm_model.stem_0.bn.{key}'],
            values.mean(0),
            rtol=1e-4,
            atol=1e-4)


@pytest.mark.parametrize('backbone', ['starnet', 'tinyvit'])
def test_eval_mode_is_then_what_the_batch_gives(backbone, pictures, tmp_path):
    checkpoint, model = trained_file(tmp_path, backbone)
    path = published(checkpoint, tmp_path, pictures=pictures,
                     batch_size=40)  # yapf: disable
    student = model.encoder.backbone
    student.train(False)
    for module in student.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.train()
    x, = batches(pictures, 40)
    with torch.no_grad():
        expected, = student(x)[-1:]
        found, = load_backbone(path)(x)[-1:]
        before, = load_backbone(checkpoint)(x)[-1:]
    # the batch's own variance is the biased one
    spread = expected.std()
    assert (found - expected).abs().max() < 0.03 * spread
    assert (before - expected).abs().max() > 0.5 * spread


def test_all_else_is_kept(pictures, tmp_path):
    checkpoint, _ = trained_file(tmp_path, 'starnet')
    plain = read_checkpoint(publish_backbone(checkpoint, str(tmp_path)).path)
    path = published(checkpoint, tmp_path, pictures=pictures)
    found = read_checkpoint(path)
    for key, value in plain['state_dict'].items():
        same = torch.equal(value, found['state_dict'][key])
        assert same != key.endswith(('running_mean', 'running_var')), key
    meta = dict(found['meta'])
    assert meta.pop('batch_norm') == '40 plain pictures'
    assert meta == plain['meta']
    # same pictures, same bytes; and what is made of the file still says it
    assert published(
        checkpoint, tmp_path / 'b',
        pictures=pictures).rsplit('/')[-1] == path.rsplit('/')[-1]
    assert 'batch_norm' in convert_backbone(found).checkpoint()['meta']


def test_so_many_are_drawn(pictures, tmp_path):
    checkpoint, _ = trained_file(tmp_path, 'starnet')
    found = convert_backbone(read_checkpoint(checkpoint))
    some = measuring(found, pictures, count=20)
    assert some.pictures == 20
    first, = batches(pictures, 20)[:1]
    conv = found.weights['timm_model.stem_0.conv.weight']
    expected = conv2d(first, conv, stride=2, padding=1).mean((0, 2, 3))
    bias = found.weights['timm_model.stem_0.conv.bias']
    torch.testing.assert_close(
        some.values['timm_model.stem_0.bn.running_mean'],
        expected + bias,
        rtol=1e-4,
        atol=1e-4)


def test_the_card_says_it(pictures, tmp_path):
    checkpoint, _ = trained_file(tmp_path, 'starnet')
    release = publish_release(
        checkpoint,
        str(tmp_path / 'out'),
        timm=False,
        measure=functools.partial(measuring, pictures=pictures))
    card, = (f for f in release.files if f.endswith('.md'))
    with open(card, encoding='utf-8') as file:
        assert ("| BatchNorm's statistics | of 40 plain pictures |"
                in file.read())


def test_what_cannot_be_measured_is_refused(pictures, tmp_path):
    star, _ = trained_file(tmp_path, 'starnet')
    out = tmp_path / 'out'
    with pytest.raises(FileNotFoundError, match="nowhere' does not exist"):
        published(star, out, pictures=str(tmp_path / 'nowhere'))
    with pytest.raises(ValueError, match='count is 8: a batch of fewer'):
        published(star, out, pictures=pictures, count=8)
    with pytest.raises(ValueError, match='batch_size is 1: '):
        published(star, out, pictures=pictures, batch_size=1)
    files = Path(pictures)
    (files / '07.png').write_bytes(b'no picture')
    with pytest.raises(OSError, match="07.png'.* --skip-unreadable"):
        published(star, out, pictures=pictures)
    path = published(
        star, out / 'some', pictures=pictures, skip_unreadable=True)
    assert read_checkpoint(path)['meta']['batch_norm'].startswith('39 ')
    for i in range(10, 40):
        (files / f'{i}.png').unlink()
    with pytest.raises(ValueError, match='10 pictures in .*: at least 16'):
        (files / '07.png').write_bytes((files / '01.png').read_bytes())
        published(star, out, pictures=pictures)
    vit, _ = trained_file(tmp_path, 'vit')
    with pytest.raises(ValueError, match='GridVisionTransformer has no Batch'):
        published(vit, out, pictures=pictures)
    assert [p.name for p in out.iterdir()] == ['some']
