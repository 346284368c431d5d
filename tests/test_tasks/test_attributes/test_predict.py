"""Attributes of pictures without labels, by the tool."""
import csv
import runpy
import sys
from pathlib import Path

import cv2
import pytest
import torch
from mmengine.config import Config

from mmpretrain.registry import MODELS
from saip_mm.tasks.attributes.predict import find_pictures, predict_attributes
from ...test_datasets._images import write_tree
from ..tiny_backbone import shrink_backbone

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / 'configs/attributes/pa100k/demo.py'


@pytest.fixture
def trained(tmp_path):
    """A tiny config, its checkpoint, and three pictures."""
    cfg = Config.fromfile(CONFIG)
    cfg.model.head.in_channels = shrink_backbone(cfg.model.backbone)[-1]
    path = tmp_path / 'tiny.py'
    cfg.dump(path)
    torch.manual_seed(0)
    names = [f'attribute{i}' for i in range(26)]
    checkpoint = tmp_path / 'epoch_1.pth'
    torch.save(
        dict(
            meta=dict(dataset_meta=dict(classes=names)),
            state_dict=MODELS.build(cfg.model).state_dict()), checkpoint)
    write_tree(tmp_path / 'photos', ['b/1.jpg', 'a.jpg', 'c.png'])
    return str(path), str(checkpoint), tmp_path / 'photos'


def test_tool_draws_and_tables(trained, tmp_path, monkeypatch, capsys):
    config, checkpoint, photos = trained
    arguments = [config, checkpoint, photos, photos / 'b/1.jpg', '--out',
                 tmp_path / 'told']  # yapf: disable
    monkeypatch.setattr(sys, 'argv', ['tell', *map(str, arguments)])
    runpy.run_path(str(ROOT / 'tools/tell_attributes.py'), run_name='__main__')
    assert '4 drawings, and ' in capsys.readouterr().out
    drawn = sorted(p.name for p in (tmp_path / 'told').glob('*.png'))
    assert drawn == ['0000_a.png', '0001_1.png', '0002_c.png', '0003_1.png']
    assert cv2.imread(str(tmp_path / 'told/0000_a.png')).shape[0] > 26 * 16
    with open(tmp_path / 'told/attributes.csv', encoding='utf-8') as file:
        rows = list(csv.reader(file))
    assert rows[0][:2] == ['image', 'attribute0'] and len(rows) == 5
    assert rows[1][0] == str(photos / 'a.jpg')
    assert all(0 <= float(v) <= 1 for row in rows[1:] for v in row[1:])


def test_batches_change_nothing(trained):
    config, checkpoint, photos = trained
    one, many = (
        predict_attributes(config, checkpoint, [str(photos)], batch)
        for batch in (1, 5))
    assert one.paths == many.paths and one.names == many.names
    assert one.scores == pytest.approx(many.scores, abs=1e-5)


def test_mistakes(trained, tmp_path):
    config, checkpoint, photos = trained
    with pytest.raises(FileNotFoundError, match='gone.*does not exist'):
        find_pictures([str(tmp_path / 'gone')])
    (tmp_path / 'empty').mkdir()
    with pytest.raises(FileNotFoundError, match='holds no pictures'):
        find_pictures([str(tmp_path / 'empty')])
    content = torch.load(checkpoint)
    content['meta']['dataset_meta']['classes'] = ['hat']
    torch.save(content, checkpoint)
    with pytest.raises(
            ValueError, match='names 1 attributes, the head has '
            '26'):
        predict_attributes(config, checkpoint, [str(photos)])
    torch.save(dict(state_dict=dict(a=torch.ones(2))), checkpoint)
    with pytest.raises(ValueError, match='epoch_1.pth does not fit'):
        predict_attributes(config, checkpoint, [str(photos)])
