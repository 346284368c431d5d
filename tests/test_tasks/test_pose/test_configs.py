"""Pose and whole-body configs: training, test, pictures; tiny and whole."""
from pathlib import Path

import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.runner import Runner

pytest.importorskip('mmpose')

from saip_mm.apis import evaluate  # noqa: E402
from ..photographs import needs_photographs  # noqa: E402
from ..tiny_backbone import shrink_backbone, shrink_run  # noqa: E402
from .coco_files import link_real, write_coco, write_own  # noqa: E402

ROOT = Path(__file__).parents[3] / 'configs'
CONFIGS = sorted([*ROOT.glob('pose/*/*.py'), *ROOT.glob('wholebody/*/*.py')])
GT_BOXES = [p for p in CONFIGS if p.stem.endswith('gt_boxes')]
TRAINED = [p for p in CONFIGS if p not in GT_BOXES]
OWN = [p for p in TRAINED if p.parent.name == 'own']
WHOLE = [p for p in TRAINED if p not in OWN and not p.stem.startswith('demo')]
PAPER = [p for p in WHOLE if not p.stem.endswith('_authors')]
SIZE = (64, 96)  # width, height
SPLITS = ('train', 'val', 'test')


def name_of(path):
    return '/'.join(path.with_suffix('').parts[-2:])


def load(path, root, work_dir, batch_size=2):
    """A config as it is, on other data, for two steps."""
    cfg = shrink_run(Config.fromfile(path), work_dir)
    for name in SPLITS:
        cfg[f'{name}_dataloader'].dataset.data_root = root
    cfg.train_dataloader.batch_size = batch_size
    cfg.train_cfg.update(max_epochs=1, val_interval=1)
    cfg.param_scheduler = []
    cfg.default_hooks.checkpoint.interval = 1
    cfg.default_hooks.logger.interval = 1
    return cfg


def shrink(path, root, work_dir):
    """A tenth of the width, an eighth of the picture."""
    cfg = load(path, root, work_dir)
    widths = shrink_backbone(cfg.model.backbone)
    head = cfg.model.head
    last = cfg.model.backbone.get('out_indices', [-1])[-1]
    head.in_channels = widths[last]
    if cfg.model.backbone.get('neck_channels'):
        cfg.model.backbone.neck_channels = head.in_channels = 16
    head.deconv_out_channels = (8, ) * len(head.deconv_out_channels)
    stride = head.decoder.input_size[0] // head.decoder.heatmap_size[0]
    sizes = dict(
        input_size=SIZE, heatmap_size=tuple(side // stride for side in SIZE))
    head.decoder.update(sizes)
    for name in SPLITS:
        for step in cfg[f'{name}_dataloader'].dataset.pipeline:
            if step.type == 'TopdownAffine':
                step.input_size = SIZE
            if step.type == 'GenerateTarget':
                step.encoder.update(sizes)
    return cfg


def check_run(runner, prefix, steps):
    """Finite losses, weights, and the metric of a finished training."""
    scalars = runner.message_hub.log_scalars
    clipped = runner.cfg.optim_wrapper.clip_grad
    for name in ('loss_kpt', 'grad_norm') if clipped else ('loss_kpt', ):
        history = torch.tensor(scalars[f'train/{name}'].data[0])
        assert len(history) == steps and history.isfinite().all(), name
    for parameter in runner.model.parameters():
        assert parameter.isfinite().all()
    assert -1 <= scalars[f'val/{prefix}/AP'].current() <= 1


@pytest.mark.parametrize('path', TRAINED, ids=name_of)
def test_trains_and_tests(path, tmp_path):
    write = write_own if path in OWN else write_coco
    cfg = shrink(path, write(tmp_path / 'coco'), tmp_path / 'work')
    runner = Runner.from_cfg(cfg)
    runner.train()
    whole = 'wholebody' in path.parts
    prefix = 'coco-wholebody' if whole else 'coco'
    check_run(runner, prefix, steps=2)
    small = str(tmp_path / 'small.py')
    cfg.dump(small)
    metrics = evaluate(
        small,
        str(tmp_path / 'work/epoch_1.pth'),
        work_dir=str(tmp_path / 'test'))
    assert {f'{prefix}/AP', f'{prefix}/AR'} <= set(metrics)
    assert ('coco-wholebody/face_AP' in metrics) == whole
    assert list((tmp_path / 'work').glob('best_*_AP_*.pth'))


@pytest.mark.parametrize('loop', ['train', 'test'])
def test_what_does_not_agree_stops_before_the_first_batch(loop, tmp_path):
    path = ROOT / 'pose/coco/vit_tiny.py'
    cfg = shrink(path, write_coco(tmp_path / 'coco'), tmp_path / 'work')
    cfg.model.head.out_channels = 133
    runner = Runner.from_cfg(cfg)
    with pytest.raises(ValueError, match='head predicts 133 joints, data set'):
        getattr(runner, loop)()
    assert runner.iter == 0


def test_validation_of_other_keypoints_stops_before_the_first_batch(tmp_path):
    cfg = shrink(OWN[0], write_own(tmp_path / 'own'), tmp_path / 'work')
    write_coco(tmp_path / 'coco')
    data = cfg.val_dataloader.dataset
    data.pop('metainfo')
    data.data_root = str(tmp_path / 'coco/annotations')
    data.ann_file = 'person_keypoints_val2017.json'
    runner = Runner.from_cfg(cfg)
    error = 'head predicts 6 joints, data set .* has 17'
    with pytest.raises(ValueError, match=error):
        runner.train()
    assert runner.iter == 0


def test_a_config_in_a_folder_of_ones_own(tmp_path):
    """Twenty lines on top of ours: six keypoints trained, tested, drawn."""
    root = write_own(tmp_path / 'data')
    path = tmp_path / 'mine.py'
    path.write_text(f"""
_base_ = {str(OWN[0])!r}
model = dict(test_cfg=dict(flip_test=False))
data = dict(data_root={root!r})
train_dataloader = dict(dataset=data)
val_dataloader = dict(dataset=data)
test_dataloader = dict(dataset=data)
""")
    cfg = shrink(path, root, tmp_path / 'work')
    cfg.default_hooks.visualization.update(enable=True, out_dir='pictures')
    runner = Runner.from_cfg(cfg)
    runner.train()
    check_run(runner, 'coco', steps=2)
    assert -1 <= runner.test()['coco/AP'] <= 1
    assert len(list((tmp_path / 'work').rglob('pictures/*.jpg'))) == 4


@pytest.mark.parametrize('path', GT_BOXES, ids=name_of)
def test_tests_with_annotated_boxes(path, tmp_path):
    cfg = shrink(path, write_coco(tmp_path / 'coco'), tmp_path / 'work')
    runner = Runner.from_cfg(cfg)
    # else PyTorch's start, whose maps are flat to the last bit here and there:
    # mmpose divides by their curvature
    runner.model.init_weights()
    metrics = runner.test()
    assert all(-1 <= value <= 1 for value in metrics.values())
    assert len(runner.test_dataloader.dataset) == 4
    for sample in runner.test_dataloader.dataset:
        assert sample['data_samples'].gt_instances.bbox_scores == 1
    # all else is that of the config with a detector's boxes
    other = Config.fromfile(str(path).replace('_gt_boxes', ''))
    own = Config.fromfile(path)
    for name in ('val', 'test'):
        other[f'{name}_dataloader'].dataset.bbox_file = None
    assert own._cfg_dict == other._cfg_dict


def test_no_data_set_config_hides_one_of_mmpose():
    """Its data sets read joints from `configs/_base_/datasets/coco.py`, in
    the current folder first."""
    from mmpose.datasets import CocoDataset, CocoWholeBodyDataset
    for dataset in (CocoDataset, CocoWholeBodyDataset):
        own = ROOT.parent / dataset.METAINFO['from_file']
        assert own.parent.is_dir() and not own.exists()


@pytest.mark.parametrize('path', CONFIGS, ids=name_of)
def test_crop_codec_and_flip_test_agree(path):
    cfg = Config.fromfile(path)
    codec, udp = cfg.model.head.decoder, False
    if codec.type == 'UDPHeatmap':
        udp = True
    else:
        assert codec.type == 'MSRAHeatmap'
    assert cfg.model.test_cfg.shift_heatmap is not udp
    for name in SPLITS:
        steps = {
            step.type: step
            for step in cfg[f'{name}_dataloader'].dataset.pipeline
        }
        assert steps['TopdownAffine'].use_udp is udp
        assert steps['TopdownAffine'].input_size == codec.input_size
        assert steps.get('GenerateTarget', {}).get('encoder', codec) == codec


@pytest.mark.parametrize('path', WHOLE, ids=name_of)
def test_full_size_parameters(path):
    """Backbone and head as planned, in millions; and the metafile's row."""
    from mmpose.registry import MODELS

    import saip_mm.models  # noqa: F401
    cfg = Config.fromfile(path)
    backbone, head = (
        sum(p.numel() for p in MODELS.build(cfg.model[part]).parameters())
        for part in ('backbone', 'head'))
    name = next(
        n for n in ('vit', 'starnet', 'tinyvit') if path.stem.startswith(n))
    whole = 'wholebody' in path.parts
    necked = path.stem == 'tinyvit_5m_authors'  # 256 channels, as StarNet
    expected = dict(
        vit=(5.51, 1.87 if whole else 1.84),
        starnet=(5.49, 2.13 if whole else 2.10),
        tinyvit=(5.07, 2.39 if whole else 2.36))[name]
    if necked:
        expected = (5.74, 2.13 if whole else 2.10)
    assert (round(backbone / 1e6, 2), round(head / 1e6, 2)) == expected
    metafile = yaml.safe_load((path.parents[1] / 'metafile.yml').read_text())
    own = path.relative_to(ROOT.parent).as_posix()
    rows = [
        row for row in metafile['Models']
        if row['Config'].replace('_gt_boxes', '') == own
    ]
    assert len(rows) == (1 if path.stem.endswith(('_udp', '_authors')) else 2)
    for row in rows:
        numbers = row['Metadata']
        assert numbers['Parameters'] == backbone + head
        assert numbers['Epochs'] == cfg.train_cfg.max_epochs
        assert numbers['Batch Size'] == cfg.auto_scale_lr.base_batch_size
    # the paper's numbers stand with the boxes that its authors' code has
    results = [
        result['Metrics'] for row in rows for result in row.get('Results', [])
        if row['Config'].endswith('_gt_boxes.py') is not whole
    ]
    assert sum('Results' in row for row in rows) == len(results)
    paper = {
        'coco/vit_tiny': (70.1, 73.3),
        'coco/starnet_s3': (72.7, 75.7),
        'coco/tinyvit_5m': (72.1, 75.0),
        'coco_wholebody/vit_tiny': (45.7, 58.7),
        'coco_wholebody/starnet_s3': (50.0, 61.6),
        'coco_wholebody/tinyvit_5m': (53.9, 65.2),
    }.get(name_of(path))
    keys = ('AP (paper)', 'AR (paper)')
    assert results == ([dict(zip(keys, paper))] if paper else [])


@pytest.mark.parametrize('path', PAPER, ids=name_of)
def test_recipe(path):
    """Numbers the specs of both tasks share."""
    cfg = Config.fromfile(path)
    assert cfg.optim_wrapper.optimizer == dict(
        type='AdamW', lr=5e-4, betas=(0.9, 0.999), weight_decay=0.1)
    rate = 0.8 if path.stem.startswith('vit') else 1.0
    assert cfg.optim_wrapper.paramwise_cfg == dict(layer_decay_rate=rate)
    assert cfg.train_dataloader.batch_size * 8 == 512
    assert cfg.auto_scale_lr.base_batch_size == 512
    assert cfg.model.backbone.get('drop_path_rate') == (0.1
                                                        if rate < 1 else None)


@pytest.mark.slow
@needs_photographs
@pytest.mark.parametrize('path', PAPER, ids=name_of)
def test_whole_size_on_photographs(path, tmp_path):
    """Full width: four steps, then 85 detections in 3 photos, drawn."""
    cfg = load(path, link_real(tmp_path / 'coco'), tmp_path / 'work', 2)
    whole = 'wholebody' in path.parts
    # 8 persons with landmarks in the photos: 4 steps an epoch
    cfg.train_cfg.update(max_epochs=1, val_interval=1)
    if whole:  # published for the three of val2017 only
        cfg.train_dataloader.dataset.data_prefix.img = 'val2017/'
    else:
        cfg.train_dataloader.dataset.indices = 8
    cfg.default_hooks.visualization.update(enable=True, out_dir='pictures')
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.iter == 4
    check_run(runner, 'coco-wholebody' if whole else 'coco', steps=4)
    metrics = runner.test()
    assert all(-1 <= value <= 1 for value in metrics.values())
    assert len(list((tmp_path / 'work').rglob('pictures/*.jpg'))) == 85
