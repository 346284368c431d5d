"""A-CE2P's configs: the authors' numbers, and short runs at a tiny size."""
import math

import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.runner import Runner

pytest.importorskip('mmseg')

from mmengine.registry import DefaultScope  # noqa: E402
from mmseg.registry import MODELS  # noqa: E402

from saip_mm.apis import evaluate  # noqa: E402
from saip_mm.engine import schedule  # noqa: E402
from saip_mm.tasks.part_seg import SelfCorrectionHook  # noqa: E402
from ....test_engine.toy import toy_loader, toy_runner  # noqa: E402
from ...photographs import REAL, needs_photographs  # noqa: E402
from ...tiny_backbone import shrink_run  # noqa: E402
from ..lip_files import write_lip  # noqa: E402
from ..parts_files import PLAIN, SIDED, write_parts  # noqa: E402
from .shrink import CONFIGS, SIZE, set_data, shrink  # noqa: E402

AUTHORS = sorted((CONFIGS / 'lip').glob('*_authors.py'))
DEMO = CONFIGS / 'lip/demo_ace2p.py'
OWN = CONFIGS / 'own/example_ace2p.py'
TERMS = ('fusion_pixel', 'fusion_lovasz', 'decoder_pixel', 'decoder_lovasz',
         'edge', 'consistency')


def check_run(runner, steps):
    """Finite losses and weights, an average, and its metrics."""
    scalars = runner.message_hub.log_scalars
    for name in TERMS:
        history = torch.tensor(scalars[f'train/decode.loss_{name}'].data[0])
        assert len(history) == steps and history.isfinite().all(), name
    for parameter in runner.model.parameters():
        assert parameter.isfinite().all()
    hook, = (h for h in runner.hooks if hasattr(h, 'average'))
    assert hook.count == runner.max_epochs
    for metric in ('mIoU', 'mAcc', 'aAcc'):
        assert 0 <= scalars[f'val/{metric}'].current() <= 100


@pytest.mark.slow
@pytest.mark.parametrize('path', [*AUTHORS, DEMO], ids=lambda path: path.stem)
def test_trains_corrects_itself_and_tests(path, tmp_path):
    cfg = shrink(path, write_lip(tmp_path / 'lip'), tmp_path / 'work')
    runner = Runner.from_cfg(cfg)
    runner.train()
    check_run(runner, steps=3)
    check_tests(cfg, runner, tmp_path)


def check_tests(cfg, runner, tmp_path):
    """Once, and with sizes and mirrors; the weights are the average's."""
    small = str(tmp_path / 'small.py')
    cfg.dump(small)
    for tta in (False, True):
        metrics = evaluate(
            small,
            str(tmp_path / 'work/epoch_3.pth'),
            work_dir=str(tmp_path / 'test'),
            tta=tta)
        assert set(metrics) == {'mIoU', 'mAcc', 'aAcc'}
        if not tta:
            validated = runner.message_hub.get_scalar('val/mIoU').current()
            assert metrics['mIoU'] == pytest.approx(validated)


@pytest.mark.slow
@pytest.mark.parametrize('classes', [PLAIN, SIDED], ids=['plain', 'sided'])
def test_labels_of_ones_own(tmp_path, classes):
    """Any number of classes, with left and right or without."""
    root = write_parts(tmp_path / 'parts')['data_root']
    cfg = shrink(OWN, root, tmp_path / 'work')
    for name in ('train', 'val', 'test'):
        dataset = cfg[f'{name}_dataloader'].dataset
        dataset.ann_file = 'ids.txt'
        dataset.metainfo = dict(classes=classes)
    runner = Runner.from_cfg(cfg)
    runner.train()
    check_run(runner, steps=3)
    check_tests(cfg, runner, tmp_path)


def test_the_example_says_what_it_has():
    cfg = Config.fromfile(OWN, import_custom_modules=False)
    assert cfg.model.decode_head.num_classes == len(cfg.classes) == 12
    for name in ('train', 'val', 'test'):
        dataset = cfg[f'{name}_dataloader'].dataset
        assert dataset.type == 'PartsDataset'
        assert dataset.metainfo.classes == SIDED
    assert cfg.train_dataloader.sampler.type == 'mmpretrain.ResumableSampler'


# section 3.6 of their recipes, millions of parameters
COUNTS = dict(vit_tiny=16.93, starnet_s3=17.18, tinyvit_5m=17.46)
PAPER = dict(
    vit_tiny=(52.3, 63.3), starnet_s3=(52.7, 61.7), tinyvit_5m=(58.3, 68.8))


@pytest.mark.parametrize('path', AUTHORS, ids=lambda path: path.stem)
def test_full_size_parameters(path):
    """As the authors'; and the metafile."""
    cfg = Config.fromfile(path)
    name = path.stem[:-len('_authors')]
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = MODELS.build(cfg.model)
    count = sum(p.numel() for p in model.parameters())
    # theirs has a table of 14x14 positions, ours of 16x8, as in pretraining
    table = (14 * 14 - 16 * 8) * 192 if name == 'vit_tiny' else 0
    assert round((count + table) / 1e6, 2) == COUNTS[name]
    metafile = yaml.safe_load((CONFIGS / 'metafile.yml').read_text())
    own = path.relative_to(CONFIGS.parents[1]).as_posix()
    row, = (row for row in metafile['Models'] if row['Config'] == own)
    assert row['Metadata'] == {
        'Epochs': cfg.train_cfg.max_epochs,
        'Batch Size': 8 * cfg.train_dataloader.batch_size,
        'Training Data': 'LIP',
        'Parameters': count
    }
    results = [result['Metrics'] for result in row['Results']]
    wanted = dict(zip(('mIoU (paper)', 'mAcc (paper)'), PAPER[name]))
    assert results == [wanted]


@pytest.mark.parametrize('path', AUTHORS, ids=lambda path: path.stem)
def test_all_loaders_fit_the_whole_picture(path):
    """Other numbers of the authors: tests/test_authors.py."""
    cfg = Config.fromfile(path, import_custom_modules=False)
    fit = dict(type='WholePictureAffine', size=(576, 384))
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.pipeline[1] == fit
    assert cfg.tta_pipeline[1] == fit
    factors = [s.scale_factor for s in cfg.tta_pipeline[2].transforms[0]]
    assert factors == [0.5, 0.75, 1, 1.25, 1.5]
    assert cfg.train_dataloader.batch_size * 8 == 4 * 24
    assert cfg.sync_bn == 'torch'


def authors_rate(epoch):
    """Of the base rate, from formulas; epochs count from 0."""
    lowest = 1 / 500
    if epoch < 30:
        return lowest + (1 - lowest) * epoch / 30
    if epoch < 120:
        angle, top = math.pi * (epoch - 30) / 90, 1
    else:
        angle, top = math.pi * (epoch % 10) / 10, 0.5
    return lowest + (top - lowest) * (1 + math.cos(angle)) / 2


def rates_of(cfg, tmp_path, planned=None):
    """Learning rate in each epoch, and the averages there are after it."""
    runner = toy_runner(
        tmp_path,
        train_cfg=dict(by_epoch=True, max_epochs=cfg.train_cfg.max_epochs),
        train_dataloader=toy_loader(8),  # two iterations an epoch
        param_scheduler=cfg.param_scheduler)
    if planned:
        schedule.fit_schedule(runner, planned)
    hook = SelfCorrectionHook()
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.param_schedulers = runner.build_param_scheduler(
        runner.param_schedulers)
    rates, averages = [], []
    for epoch in range(cfg.train_cfg.max_epochs):
        rates.append(runner.optim_wrapper.get_lr()['lr'][0] / 0.01)
        averages.append(hook._cycles(runner, epoch + 1))
        for _ in range(2):
            runner.optim_wrapper.step()
            for scheduler in runner.param_schedulers:
                if not scheduler.by_epoch:
                    scheduler.step()
        for scheduler in runner.param_schedulers:
            if scheduler.by_epoch:
                scheduler.step()
    return rates, averages


def test_learning_rate_of_each_epoch(tmp_path):
    """And the cycles: averages after 120, 130, 140 and 150 epochs."""
    cfg = Config.fromfile(AUTHORS[0], import_custom_modules=False)
    rates, averages = rates_of(cfg, tmp_path)
    assert rates == pytest.approx([authors_rate(e) for e in range(150)])
    assert rates[0] == pytest.approx(1 / 500)
    assert rates[120] == pytest.approx(0.5)
    assert [averages[e - 1] for e in (119, 120, 129, 130, 140, 149, 150)
            ] == [0, 1, 1, 2, 3, 3, 4]


@pytest.mark.parametrize('fraction', [0.1, 0.25, 0.4, 0.5, 0.75])
def test_shorter_trainings_have_all_phases(fraction, tmp_path):
    """--schedule: up, down, and cycles at whose ends weights are averaged."""
    cfg = Config.fromfile(AUTHORS[0], import_custom_modules=False)
    planned = schedule.planned_length(cfg)
    ratio = schedule.scale_schedule(cfg, fraction)
    planned = planned._replace(length=planned.length * ratio)
    rates, averages = rates_of(cfg, tmp_path, planned)
    assert max(rates) == pytest.approx(1) and min(rates) > 0
    assert (averages[-2], averages[-1]) == (3, 4)  # the last epoch counts
    for epoch in range(1, len(rates)):
        if averages[epoch - 1] > averages[epoch - 2]:
            assert rates[epoch] == pytest.approx(0.5), epoch


@pytest.mark.slow
@needs_photographs
@pytest.mark.parametrize('path', AUTHORS, ids=lambda path: path.stem)
def test_whole_width_on_photographs(path, tmp_path):
    """20 steps and two tests on five persons, drawn; pictures of 96x64."""
    cfg = shrink_run(Config.fromfile(path), tmp_path / 'work')
    set_data(cfg, str(REAL / 'lip_style'), (96, 64), epochs=10)
    for name in ('val', 'test'):  # there are training pictures only
        cfg[f'{name}_dataloader'].dataset.update({
            key:
            cfg.train_dataloader.dataset[key]
            for key in ('ann_file', 'data_prefix')
        })
    cfg.default_hooks.checkpoint.interval = 10
    cfg.default_hooks.visualization.update(draw=True, interval=1)
    runner = Runner.from_cfg(cfg)
    runner.train()
    check_run(runner, steps=20)
    assert set(runner.test()) == {'mIoU', 'mAcc', 'aAcc'}
    for mode in ('val', 'test'):
        pictures = (tmp_path / 'work').rglob(f'vis_image/{mode}_*.png')
        assert len(list(pictures)) == 5


def test_sizes_of_tests_are_whole_patches():
    height, width = SIZE
    assert not height % 16 and not width % 16
    cfg = Config.fromfile(AUTHORS[0], import_custom_modules=False)
    for step in cfg.tta_pipeline[2].transforms[0]:
        for side in cfg.crop_size:
            assert not side * step.scale_factor % 16
