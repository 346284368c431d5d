"""Configs of person search: two steps of training, a test, tiny."""
from pathlib import Path

import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.runner import Runner

import saip_mm.tasks.reid  # noqa: F401
from mmpretrain.registry import MODELS
from saip_mm.apis import evaluate, train
from saip_mm.engine.launch_options import adapt_amp_to_cpu
from ...test_datasets._images import write_tree
from ..photographs import REAL
from ..tiny_backbone import shrink_backbone, shrink_run

ROOT = Path(__file__).parents[3]
CONFIGS = sorted((ROOT / 'configs/reid').rglob('*.py'))
PAPER = [
    p for p in CONFIGS if p.stem in ('vit_tiny', 'starnet_s3', 'tinyvit_5m')
]
EVIDENCE = REAL.parents[0] / 'evidence/reid'
SIZE = (64, 32)
KEYS = {
    f'reid/{name}'
    for name in ('Rank-1', 'Rank-5', 'Rank-10', 'mAP', 'mINP',
                 'num_valid_queries')
}


def name_of(path):
    return f'{path.parent.name}-{path.stem}'


def write_market(root):
    """Four persons to train, two others to search for, two cameras."""
    names = [
        f'bounding_box_train/{pid:04d}_c{cam}s1_{i:06d}_00.png'
        for pid in (2, 3, 7, 8) for cam in (1, 2) for i in range(2)
    ]
    names += [f'query/{pid:04d}_c1s1_000001_00.png' for pid in (4, 5)]
    names += [
        f'bounding_box_test/{pid}_c2s1_000002_00.png'
        for pid in ('0004', '0005', '0000', '-1')
    ]
    return write_tree(root, names, height=64, width=32)


def shrink(path, root, work_dir):
    cfg = shrink_run(Config.fromfile(path), work_dir)
    shrink_backbone(cfg.model.backbone)
    cfg.model.head.num_classes = 4
    if 'sie' in cfg.model:
        cfg.model.sie.num_cams = 2
    for name in ('train', 'val', 'test'):
        loader = cfg[f'{name}_dataloader']
        loader.dataset.data_root = root
        for step in loader.dataset.pipeline:
            if 'size' in step:
                step.size = SIZE
        for kind in ('type', 'reader'):
            if loader.dataset.get(kind) == 'MSMT17Dataset':
                loader.dataset.layout = 'market'
                loader.dataset.split = 'train'
                if kind == 'reader':
                    del loader.dataset.split
    cfg.train_dataloader.batch_size = 4
    cfg.train_dataloader.batch_sampler.num_instances = 2
    cfg.train_cfg.update(max_epochs=1, val_interval=1)
    cfg.param_scheduler = cfg.param_scheduler[-1:]
    cfg.param_scheduler[0].pop('begin', None)
    cfg.default_hooks.checkpoint.interval = 1
    cfg.default_hooks.logger.interval = 1
    adapt_amp_to_cpu(cfg)
    return cfg


@pytest.mark.parametrize('path', CONFIGS, ids=name_of)
def test_trains_and_tests(path, tmp_path):
    cfg = shrink(path, write_market(tmp_path / 'market'), tmp_path / 'work')
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.iter == runner.max_iters > 1
    scalars = runner.message_hub.log_scalars
    for name in ('loss', 'loss_id', 'loss_tri', 'acc'):
        history = torch.tensor(scalars[f'train/{name}'].data[0])
        assert len(history) == runner.iter and history.isfinite().all(), name
    for parameter in runner.model.parameters():
        assert parameter.isfinite().all()
    small = str(tmp_path / 'small.py')
    cfg.dump(small)
    metrics = evaluate(
        small,
        str(tmp_path / 'work/epoch_1.pth'),
        work_dir=str(tmp_path / 'test'))
    assert set(metrics) == KEYS
    assert metrics['reid/num_valid_queries'] == 2
    assert metrics['reid/mAP'] == pytest.approx(
        scalars['val/reid/mAP'].current())


def test_resumes_to_the_bit(tmp_path):
    """2 epochs = 1 epoch + resume + 1 epoch, flips and boxes included."""
    path = ROOT / 'configs/reid/market1501/starnet_s3.py'
    cfg = shrink(path, write_market(tmp_path / 'market'), tmp_path / 'work')
    cfg.train_cfg.max_epochs = 2
    cfg.default_hooks.checkpoint.max_keep_ckpts = -1
    small = str(tmp_path / 'small.py')
    cfg.dump(small)
    whole = train(small, work_dir=str(tmp_path / 'whole')).model.state_dict()
    runner = train(
        small,
        work_dir=str(tmp_path / 'parts'),
        resume=str(tmp_path / 'whole/epoch_1.pth'))
    assert runner.epoch == 2 and runner.iter == runner.max_iters
    for key, value in runner.model.state_dict().items():
        assert torch.equal(value, whole[key]), key


def test_biases_learn_twice_as_fast_and_all_decays(tmp_path):
    path = ROOT / 'configs/reid/market1501/tinyvit_5m.py'
    cfg = shrink(path, write_market(tmp_path / 'market'), tmp_path / 'work')
    runner = Runner.from_cfg(cfg)
    wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    rates = {
        id(param): (group['lr'], group.get('weight_decay'))
        for group in wrapper.optimizer.param_groups
        for param in group['params']
    }
    names = set()
    for name, param in runner.model.named_parameters():
        if not param.requires_grad:
            continue
        fast = 'bias' in name
        names |= {name.split('.')[-1]} if fast else set()
        assert rates[id(param)] == pytest.approx(
            (1.6e-3 if fast else 8e-4, 1e-4)), name
    assert wrapper.get_lr()['lr'] == [8e-4, 1.6e-3]
    assert names == {'bias', 'attention_biases'}


def test_schedule_is_shortened(tmp_path):
    """train.py --schedule 0.25: the rate falls to the floor by then."""
    path = ROOT / 'configs/reid/market1501/vit_tiny.py'
    cfg = shrink(path, write_market(tmp_path / 'market'), tmp_path / 'work')
    cfg.train_cfg.update(max_epochs=8, val_interval=8)
    cfg.param_scheduler = Config.fromfile(path).param_scheduler
    cfg.param_scheduler[0].warm_up = 1
    small = str(tmp_path / 'small.py')
    cfg.dump(small)
    runner = train(small, work_dir=str(tmp_path / 'short'), schedule=0.25)
    assert runner.epoch == 2
    rates = runner.message_hub.log_scalars['train/lr'].data[0]
    assert rates[0] == pytest.approx(8e-6)
    assert rates[-1] == pytest.approx(8e-4 * (.002 + .998 / 2))


def test_a_classifier_of_another_number(tmp_path):
    path = ROOT / 'configs/reid/market1501/demo.py'
    cfg = shrink(path, write_market(tmp_path / 'market'), tmp_path / 'work')
    cfg.model.head.num_classes = 120
    with pytest.raises(ValueError, match='120 classes, training set has 4'):
        Runner.from_cfg(cfg).train()


@pytest.mark.parametrize('path', PAPER, ids=name_of)
def test_full_size_and_metafile(path):
    cfg = Config.fromfile(path)
    model = MODELS.build(cfg.model)
    count = sum(p.numel() for p in model.backbone.parameters())
    assert count == {
        'vit_tiny': 5_511_360,
        'starnet_s3': 5_493_792,
        'tinyvit_5m': 5_743_892
    }[path.stem]
    width = 192 if path.stem == 'vit_tiny' else 256
    classes = dict(market1501=751, msmt17=1041)[path.parent.name]
    assert model.head.classifiers[0].weight.shape == (classes, width)
    metafile = yaml.safe_load((ROOT / 'configs/reid/metafile.yml').read_text())
    row, = (
        row for row in metafile['Models']
        if row['Config'] == path.relative_to(ROOT).as_posix())
    facts = row['Metadata']
    assert facts['Parameters'] == count
    assert facts['Epochs'] == cfg.train_cfg.max_epochs
    assert facts['Batch Size'] == cfg.train_dataloader.batch_size
    paper = dict(
        vit_tiny=(93.6, 75.6),
        starnet_s3=(92.0, 66.1),
        tinyvit_5m=(94.1, 73.5))
    results, = (result['Metrics'] for result in row['Results'])
    assert results == {
        'Rank-1 (paper)': paper[path.stem][path.parent.name == 'msmt17']
    }


@pytest.mark.slow
@pytest.mark.skipif(not EVIDENCE.is_dir(), reason='no real persons')
@pytest.mark.parametrize('path', PAPER[:3], ids=name_of)
def test_whole_width_on_photographs(path, tmp_path):
    """A few steps and a test on real persons, at half the size."""
    cfg = shrink_run(Config.fromfile(path), tmp_path / 'work')
    for name in ('train', 'val', 'test'):
        dataset = cfg[f'{name}_dataloader'].dataset
        dataset.data_root = str(EVIDENCE)
        for step in dataset.pipeline:
            if 'size' in step:
                step.size = (128, 64)
    cfg.model.head.num_classes = 40
    # 40 persons of 16 pictures: 4 x 4 groups by 40 a batch
    cfg.train_dataloader.batch_size = 80
    cfg.train_dataloader.batch_sampler.num_instances = 8
    cfg.train_cfg.update(max_epochs=1, val_interval=1)
    adapt_amp_to_cpu(cfg)
    runner = Runner.from_cfg(cfg)
    runner.train()
    scalars = runner.message_hub.log_scalars
    assert scalars['val/reid/num_valid_queries'].current() == 176
    assert 0 < scalars['val/reid/Rank-1'].current() < 100
