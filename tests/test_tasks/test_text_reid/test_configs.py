"""The configs of search by text: two steps of training, a test, tiny."""
from pathlib import Path

import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.runner import Runner

from mmpretrain.registry import MODELS
from saip_mm.apis import evaluate
from saip_mm.engine.launch_options import adapt_amp_to_cpu
from ..tiny_backbone import shrink_backbone, shrink_run
from .persons import WORDS, few_records, needs_vocabulary, write_persons

pytestmark = needs_vocabulary

ROOT = Path(__file__).parents[3]
CONFIGS = sorted((ROOT / 'configs/text_reid').glob('*/*.py'))
WHOLE = [
    p for p in CONFIGS if not p.stem.startswith('demo')
    and not p.stem.endswith('_irra') and p.parent.name != 'own'
]
FILES = dict(
    cuhk_pedes='reid_raw.json',
    icfg_pedes='ICFG-PEDES.json',
    rstpreid='data_captions.json',
    own='captions.json')
METRICS = {
    f't2i/{name}'
    for name in ('Rank-1', 'Rank-5', 'Rank-10', 'mAP', 'mINP')
}
SIZE = (64, 32)


def name_of(path):
    return f'{path.parent.name}/{path.stem}'


def shrink(path, tmp_path):
    cfg = shrink_run(Config.fromfile(path), tmp_path / 'work')
    kind = path.parent.name
    rows = few_records(int(kind == 'cuhk_pedes'))
    if kind == 'rstpreid':
        for entry in rows:
            entry['img_path'] = entry['file_path']
    root = write_persons(tmp_path / 'data', rows, FILES[kind])
    widths = shrink_backbone(cfg.model.backbone)
    if cfg.model.backbone.get('neck_channels'):
        cfg.model.backbone.neck_channels = widths[-1]
    if cfg.model.backbone.type.endswith('GridVisionTransformer'):
        cfg.model.backbone.img_size = SIZE
    cfg.model.neck.update(in_channels=widths[-1], out_channels=16)
    cfg.model.text.update(
        width=16, layers=1, heads=2, out_channels=16, **WORDS)
    cfg.model.tokenizer.update(WORDS)
    cfg.model.heads.person.update(in_channels=16, num_classes=3)
    cfg.model.heads.word.update(
        channels=16, layers=1, heads=2, vocab_size=WORDS['vocab_size'])
    for name in ('train', 'val', 'test'):
        dataset = cfg[f'{name}_dataloader'].dataset
        dataset.data_root = root
        for step in dataset.pipeline:
            if 'size' in step:
                step.size = SIZE
    cfg.train_dataloader.batch_size = 4  # of 8 captions
    cfg.train_cfg.update(max_epochs=1, val_interval=1)
    cfg.param_scheduler = [dict(type='CosineAnnealingLR')]
    cfg.default_hooks.logger.interval = 1
    adapt_amp_to_cpu(cfg)
    return cfg


@pytest.mark.slow
@pytest.mark.parametrize('path', CONFIGS, ids=name_of)
def test_trains_and_tests(path, tmp_path):
    cfg = shrink(path, tmp_path)
    runner = Runner.from_cfg(cfg)
    runner.train()
    scalars = runner.message_hub.log_scalars
    for name in ('loss_sdm', 'loss_id', 'loss_irr'):
        history = torch.tensor(scalars[f'train/{name}'].data[0])
        assert len(history) == 2 and history.isfinite().all(), name
    for parameter in runner.model.parameters():
        assert parameter.isfinite().all()
    small = str(tmp_path / 'small.py')
    cfg.dump(small)
    metrics = evaluate(
        small,
        str(tmp_path / 'work/epoch_1.pth'),
        work_dir=str(tmp_path / 'test'))
    assert set(metrics) == METRICS
    assert metrics['t2i/Rank-10'] == 100  # of three pictures
    for name in ('Rank-1', 'mAP'):  # of the same weights
        assert metrics[f't2i/{name}'] == pytest.approx(
            scalars[f'val/t2i/{name}'].current())


def test_a_classifier_of_other_persons(tmp_path):
    cfg = shrink(CONFIGS[0], tmp_path)
    cfg.model.heads.person.num_classes = 4
    said = ('model.heads.person.num_classes is 4, but CUHKPEDESDataset has 3 '
            'persons')
    with pytest.raises(ValueError, match=said):
        Runner.from_cfg(cfg).train()


@pytest.mark.parametrize('path', WHOLE, ids=name_of)
def test_full_size_parameters(path):
    """As the metafile says; 63 million are the text tower's."""
    cfg = Config.fromfile(path)
    with torch.device('meta'):
        text = MODELS.build(dict(cfg.model.text, init_cfg=None))
    assert sum(p.numel() for p in text.parameters()) == 63_428_096
    model = MODELS.build(cfg.model)
    images = torch.zeros(1, 3, 384, 128)
    with torch.no_grad():
        tokens = model.eval().encode_images(images)
    assert tokens.shape == (1, 1 + 24 * 8, 512)
    metafile = yaml.safe_load(
        (ROOT / 'configs/text_reid/metafile.yml').read_text())
    own = path.relative_to(ROOT).as_posix()
    row, = (row for row in metafile['Models'] if row['Config'] == own)
    numbers = row['Metadata']
    assert numbers['Parameters'] == sum(p.numel() for p in model.parameters())
    assert numbers['Epochs'] == cfg.train_cfg.max_epochs
    assert numbers['Batch Size'] == 8 * cfg.train_dataloader.batch_size
    paper = dict(
        cuhk_pedes=dict(vit_tiny=59.2, starnet_s3=52.9, tinyvit_5m=59.6),
        icfg_pedes=dict(vit_tiny=46.1, starnet_s3=41.3, tinyvit_5m=47.7))
    wanted = paper.get(path.parent.name, {}).get(path.stem)
    results = [r['Metrics']['Rank-1 (paper)'] for r in row.get('Results', ())]
    assert results == ([wanted] if wanted else [])
