import json
import os.path as osp
import sys

import pytest
import torch

from mmpretrain.registry import DATASETS
from saip_mm.apis.evidence import (Budget, PersonData, as_markdown,
                                   evidence_data, make_evidence, market_data,
                                   runs)
from saip_mm.apis.evidence.settings import retrieval_set, search_settings
from saip_mm.datasets.retrieval import QueryAndGallery
from saip_mm.weights.publish import Published
from saip_mm.weights.resume import TRAINING_KEYS
from .persons import write_market, write_parts

BUDGET = Budget(
    epochs=1, batch_size=8, search_epochs=1, part_iters=2, seeds=(0, ))


@pytest.mark.slow
def test_a_row_is_pretrained_once_and_measured(tmp_path, monkeypatch):
    pytest.importorskip('mmseg')
    write_market(tmp_path / 'reid')
    write_parts(tmp_path / 'parts')
    (tmp_path / 'persons').symlink_to(tmp_path / 'reid/bounding_box_train')
    data, out = evidence_data(str(tmp_path)), str(tmp_path / 'out')
    make_evidence([('csm', 'vit_tiny')], data, BUDGET, out)
    folder = tmp_path / 'out' / 'csm_vit_tiny'
    kept = {path.name: path.read_text() for path in folder.glob('*.json')}
    assert set(kept) == {
        'pretrain.json', 'scales.json', 'search_0.json', 'parts_0.json'
    }
    assert json.loads(kept['search_0.json'])['mAP'] >= 50  # two persons
    settings = (folder / 'search_0' / 'settings.py').read_text()
    assert (folder / 'backbone.txt').read_text() in settings
    # nothing is trained again; a row without pretraining is measured alike
    started = []
    train = runs.train
    monkeypatch.setattr(
        runs, 'train', lambda config, **kwargs:
        (started.append(kwargs['work_dir']), train(config, **kwargs)))
    make_evidence([('csm', 'vit_tiny')], data, BUDGET, out)
    assert not started
    (folder / 'search_0.json').unlink()  # cut before its scores were kept
    make_evidence([('csm', 'vit_tiny')], data, BUDGET, out)
    assert started == [str(folder / 'search_0')]
    again = json.loads((folder / 'search_0.json').read_text())
    before = json.loads(kept['search_0.json'])
    assert again == dict(before, seconds=None)
    row, = [x for x in as_markdown(out).split('\n') if x.startswith('| SAIP')]
    assert row.count('/') == 4 and row.endswith(' |')


@pytest.mark.parametrize('backbone, harm, message', [
    ('tinyvit_5m', lambda root: None, 'tinyvit_5m has no demo of search'),
    ('vit_tiny', lambda root:
     (root / 'classes.txt').write_text('1 hair'), "'1 hair' is class 0"),
    ('vit_tiny', lambda root: next((root / 'reid/bounding_box_train').glob(
        '*')).rename(root / 'reid/bounding_box_train/anna.png'), 'anna.png'),
    ('vit_tiny', lambda root: next(
        (root / 'reid/query').glob('*')).rename(root / 'reid/query/x.png'),
     'x.png'),
])
def test_what_cannot_be_measured_is_refused_before_a_training(
        tmp_path, monkeypatch, backbone, harm, message):
    write_market(tmp_path / 'reid')
    write_parts(tmp_path / 'parts')
    (tmp_path / 'persons').symlink_to(tmp_path / 'reid/bounding_box_train')
    data, out = evidence_data(str(tmp_path)), tmp_path / 'out'
    harm(tmp_path)
    monkeypatch.setattr(runs, 'pretrained', None)
    with pytest.raises(ValueError, match=message):
        make_evidence([('saip', backbone)], data, BUDGET, str(out))
    assert not out.exists()


def test_persons_and_cameras_may_be_more_than_of_market1501(tmp_path):
    root = tmp_path / 'reid'
    write_market(root)
    for folder in ('bounding_box_train', 'query'):
        path, *_ = (root / folder).glob('*')
        path.rename(path.with_name('7777_c9s1_000000_00.png'))
    settings = search_settings('vit_tiny', market_data(str(root)), BUDGET,
                               None, 0)
    assert settings['model']['head']['num_classes'] == 9
    for split in ('train', 'query', 'gallery'):
        DATASETS.build(retrieval_set(str(root), split))
    loader = settings['val_dataloader']['dataset']
    QueryAndGallery('MarketDataset', **loader)


def test_a_backbone_is_found_or_published_where_the_folder_is_now(
        tmp_path, monkeypatch):
    folder = tmp_path / 'csm_vit_tiny'
    (folder / 'pretrain').mkdir(parents=True)
    (folder / 'pretrain.json').write_text('{}')
    (folder / 'pretrain/last_checkpoint').write_text('/old/epoch_1.pth')
    torch.save({key: {}
                for key in TRAINING_KEYS}, folder / 'pretrain/epoch_1.pth')
    made = []

    def publish(checkpoint, out_dir, **kwargs):
        made.append(checkpoint)
        (folder / 'a.pth').touch()
        return Published(osp.join(out_dir, 'a.pth'), 1, '')

    monkeypatch.setattr(runs, 'publish_backbone', publish)
    args = 'csm', 'vit_tiny', PersonData(('a', ), 'b'), BUDGET, str(tmp_path)
    for _ in range(2):
        assert runs.pretrained(*args) == str(folder / 'a.pth')
    assert made == [str(folder / 'pretrain/epoch_1.pth')]
    (folder / 'a.pth').unlink()
    runs.pretrained(*args)
    assert len(made) == 2


@pytest.mark.slow
def test_a_frozen_expert_is_trained_first_and_once(tmp_path, monkeypatch):
    write_market(tmp_path / 'reid')
    data, out = market_data(str(tmp_path / 'reid')), str(tmp_path / 'out')
    started = []
    train = runs.train
    monkeypatch.setattr(
        runs, 'train', lambda config, **kwargs:
        (started.append(kwargs['work_dir']), train(config, **kwargs)))
    rows = [('saip_star', 'vit_tiny'), ('saip_star', 'starnet_s3')]
    make_evidence(rows, data, BUDGET._replace(seeds=()), out)
    assert [path[len(out) + 1:] for path in started] == [
        'expert_starnet_s4/pretrain', 'saip_star_vit_tiny/pretrain',
        'saip_star_starnet_s3/pretrain'
    ]
    expert = (tmp_path / 'out/expert_starnet_s4/backbone.txt').read_text()
    for row, backbone in rows:
        folder = tmp_path / 'out' / f'{row}_{backbone}'
        assert expert in (folder / 'pretrain/settings.py').read_text()
        # a frozen expert is not averaged: nothing of it is measured again
        assert 'expert_map' not in (folder / 'pretrain.json').read_text()
    table = as_markdown(out)
    assert "| SAIP, SAIP*'s expert |" in table.split('## StarNet-S4')[1]


def test_parts_without_mmseg_are_refused_before_a_training(
        tmp_path, monkeypatch):
    write_market(tmp_path / 'reid')
    write_parts(tmp_path / 'parts')
    data = market_data(str(tmp_path / 'reid'), str(tmp_path / 'parts'))
    monkeypatch.setitem(sys.modules, 'mmseg', None)
    with pytest.raises(ModuleNotFoundError, match='mmseg') as caught:
        make_evidence([('csm', 'vit_tiny')], data, BUDGET, str(tmp_path / 'o'))
    assert caught.value.name == 'mmseg'  # which command lines explain
    assert not (tmp_path / 'o').exists()
