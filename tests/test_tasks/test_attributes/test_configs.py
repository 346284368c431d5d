"""Configs of attributes: two steps of training, a test, tiny."""
from pathlib import Path

import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS
from mmengine.runner import Runner

from mmpretrain.registry import MODELS
from saip_mm.apis import evaluate, train
from ..tiny_backbone import shrink_backbone, shrink_run
from .attribute_files import CLASSES, write_own, write_pa100k, write_peta

FOLDER = Path(__file__).parents[3] / 'configs/attributes'
CONFIGS = sorted(p for p in FOLDER.rglob('*.py') if p.parent.name != 'own')
PAPER = [p for p in CONFIGS if not p.stem.startswith('demo')]
OWN = FOLDER / 'own/example.py'
METRICS = {
    f'attribute/{n}'
    for n in ('mA', 'Acc', 'Prec', 'Rec', 'F1', 'loss')
}
SIZE = (64, 32)
MEAN_ACCURACY = dict(  # the paper's
    pa100k=dict(vit_tiny=80.7, starnet_s3=78.1, tinyvit_5m=82.1),
    peta_zs=dict(vit_tiny=71.4, starnet_s3=70.9, tinyvit_5m=72.8))


def name_of(path):
    return f'{path.parent.name}/{path.stem}'


def write_data(path, root):
    kind = path.parent.name
    return dict(
        pa100k=write_pa100k, peta_zs=write_peta, own=write_own)[kind](
            root)


def shrink(path, root, work_dir):
    cfg = shrink_run(Config.fromfile(path), work_dir)
    width = shrink_backbone(cfg.model.backbone)[-1]
    if cfg.model.backbone.get('neck_channels'):
        cfg.model.backbone.neck_channels = width = 8
    cfg.model.head.in_channels = width
    for name in ('train', 'val', 'test'):
        data = cfg[f'{name}_dataloader'].dataset
        data.data_root = root
        for step in data.pipeline:
            if step.type == 'Resize':
                step.scale = SIZE[::-1]
            elif step.type == 'RandomCrop':
                step.crop_size = SIZE
    cfg.train_cfg.update(max_epochs=1, val_interval=1)
    cfg.default_hooks.logger.interval = 1
    cfg.default_hooks.visualization.update(draw=True, interval=2)
    return cfg


@pytest.mark.slow
@pytest.mark.parametrize('path', [*CONFIGS, OWN], ids=name_of)
def test_trains_and_tests(path, tmp_path):
    cfg = shrink(path, write_data(path, tmp_path / 'data'), tmp_path / 'work')
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.iter in (3, 4)  # of 6 or 9 pictures, two each
    scalars = runner.message_hub.log_scalars
    for name in ('loss', 'grad_norm'):
        history = torch.tensor(scalars[f'train/{name}'].data[0])
        assert history.isfinite().all(), name
    for parameter in runner.model.parameters():
        assert parameter.isfinite().all()
    assert METRICS <= {name[4:] for name in scalars if name[:4] == 'val/'}
    ratio = runner.train_dataloader.dataset.metainfo['label_ratio']
    assert runner.model.head.loss_module.label_ratio == ratio
    assert list((tmp_path / 'work').rglob('vis_image/val_*.png'))
    small = str(tmp_path / 'small.py')
    cfg.dump(small)
    checkpoint = str(tmp_path / 'work/epoch_1.pth')
    content = torch.load(checkpoint, weights_only=True)
    saved = content['meta']['dataset_meta']
    assert list(saved['classes']) == list(
        runner.train_dataloader.dataset.metainfo['classes'])
    metrics = evaluate(small, checkpoint, work_dir=str(tmp_path / 'test'))
    assert set(metrics) == METRICS  # the loss, too, by the checkpoint's ratio
    assert metrics['attribute/loss'] == pytest.approx(
        scalars['val/attribute/loss'].current(), rel=1e-4)


@pytest.mark.parametrize('fraction, epochs, patience', [(0.25, 8, 1),
                                                        (0.5, 15, 2)])
def test_shortened(fraction, epochs, patience, tmp_path, monkeypatch):
    """Table 6: the patience of a rate that follows a loss moves along."""
    path = tmp_path / 'small.py'
    cfg = shrink(PAPER[0], write_pa100k(tmp_path / 'data'), tmp_path / 'work')
    cfg.train_cfg.max_epochs = 30
    cfg.dump(path)
    monkeypatch.setattr(Runner, 'train', lambda self: self.model)
    runner = train(str(path), schedule=fraction)
    assert runner.train_loop.max_epochs == epochs
    assert [s['patience'] for s in runner.param_schedulers] == [patience]


def test_the_rate_follows_the_loss():
    """A tenth once it has not fallen for more than four epochs."""
    cfg, = Config.fromfile(PAPER[0]).param_scheduler
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.AdamW([weight], lr=1e-4)
    scheduler = PARAM_SCHEDULERS.build(dict(cfg, optimizer=optimizer))
    rates = []
    for loss in (9, 8, 8.5, 8, 8, 8, 8, 7):
        scheduler.step({'attribute/loss': loss, 'attribute/mA': 50.})
        rates.append(optimizer.param_groups[0]['lr'])
    assert rates == pytest.approx(6 * [1e-4] + 2 * [1e-5])


@pytest.mark.parametrize('path', PAPER, ids=name_of)
def test_full_size_parameters(path):
    """As planned, to the parameter; the metafile has them and the paper."""
    model = MODELS.build(Config.fromfile(path).model)
    count = sum(p.numel() for p in model.parameters())
    data, name = path.parent.name, path.stem
    attributes = dict(pa100k=26, peta_zs=35)[data]
    backbone, width = dict(
        vit_tiny=(5_511_360, 192),
        starnet_s3=(5_493_792, 256),  # with the last norm
        tinyvit_5m=(5_743_892, 256))[name]  # with the neck
    assert count == backbone + (width + 1) * attributes
    metafile = yaml.safe_load((FOLDER / 'metafile.yml').read_text())
    row, = (
        row for row in metafile['Models']
        if row['Config'] == f'configs/attributes/{data}/{name}.py')
    cfg = Config.fromfile(path)
    assert row['Metadata']['Parameters'] == count
    assert row['Metadata']['Epochs'] == cfg.train_cfg.max_epochs
    assert row['Metadata']['Batch Size'] == cfg.train_dataloader.batch_size
    result, = row['Results']
    assert result['Metrics'] == {'mA (paper)': MEAN_ACCURACY[data][name]}


@pytest.mark.parametrize('path', PAPER, ids=name_of)
def test_tested_as_trained(path):
    """One size and one preprocessing in training and in test."""
    cfg = Config.fromfile(path)
    train_steps = {s.type: s for s in cfg.train_dataloader.dataset.pipeline}
    crop = train_steps['RandomCrop'].crop_size
    for loader in (cfg.train_dataloader, cfg.val_dataloader,
                   cfg.test_dataloader):
        steps = {s.type: s for s in loader.dataset.pipeline}
        assert tuple(steps['Resize'].scale) == tuple(crop)[::-1]
    views = MODELS.build(
        Config.fromfile(FOLDER.parent /
                        'saip/vit_tiny.py').model.data_preprocessor)
    preprocessor = cfg.model.data_preprocessor
    for name in ('mean', 'std'):
        own = [255 * value for value in getattr(views, name)]
        assert preprocessor[name] == pytest.approx(own)
    assert preprocessor.to_rgb is True  # pictures are read as BGR


def test_own_example_names_its_attributes_once():
    cfg = Config.fromfile(OWN, import_custom_modules=False)
    assert cfg.model.head.num_classes == len(cfg.classes) == len(CLASSES)
    for name in ('train', 'val', 'test'):
        data = cfg[f'{name}_dataloader'].dataset
        assert data.type == 'AttributeDataset' and 'split' not in data
        assert data.metainfo.classes == cfg.classes


def test_a_head_of_another_number_is_refused(tmp_path):
    cfg = shrink(PAPER[0], write_pa100k(tmp_path / 'data'), tmp_path / 'work')
    cfg.model.head.num_classes = 35
    with pytest.raises(
            ValueError, match='num_classes is 35, but the data '
            'have 26'):
        Runner.from_cfg(cfg).train()


def test_fewer_pictures_than_a_batch_are_refused(tmp_path):
    path = tmp_path / 'small.py'
    cfg = shrink(PAPER[0], write_pa100k(tmp_path / 'data'), tmp_path / 'work')
    cfg.train_dataloader.batch_size = 64
    cfg.dump(path)
    with pytest.raises(
            ValueError,
            match='6 images over 1 processes are fewer '
            'than batch_size 64'):
        train(str(path))
