"""The examples of docs/backbones.md, run from an empty folder."""
import importlib
import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.utils import import_modules_from_strings

from mmpretrain.registry import MODELS
from saip_mm.weights import publish_backbone

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / 'docs' / 'backbones.md').read_text()
EXAMPLES = [
    block for block in re.findall(r'```python\n(.+?)```', TEXT, re.S)
    if block.startswith('_base_')
]
LIBRARIES = ('mmpretrain', 'mmpose', 'mmseg', 'mmdet', 'mmpretrain')


@pytest.fixture(scope='module')
def published(tmp_path_factory):
    """A ViT-Tiny of random weights, as it is published."""
    folder = tmp_path_factory.mktemp('published')
    torch.manual_seed(0)
    backbone = MODELS.build(
        dict(
            type='GridVisionTransformer',
            arch='deit-tiny',
            img_size=(256, 128)))
    backbone.init_weights()
    weights = {
        f'encoder.backbone.{k}': v
        for k, v in backbone.state_dict().items()
    }
    torch.save(dict(state_dict=weights), folder / 'epoch_1.pth')
    path = publish_backbone(str(folder / 'epoch_1.pth'), str(folder)).path
    return backbone.train(False), path


def test_there_is_one_for_each_library():
    assert len(EXAMPLES) == len(LIBRARIES)


@pytest.mark.slow
@torch.no_grad()
@pytest.mark.parametrize('number', range(len(LIBRARIES)))
def test_example(number, published, tmp_path, monkeypatch):
    library = LIBRARIES[number]
    pytest.importorskip(library)
    original, path = published
    text = EXAMPLES[number].replace('FILE.pth', path)
    monkeypatch.chdir(tmp_path)
    Path('mine.py').write_text(text)
    cfg = Config.fromfile('mine.py')
    import_modules_from_strings(**cfg.custom_imports)
    models = importlib.import_module(f'{library}.registry').MODELS
    with DefaultScope.overwrite_default_scope(library):
        backbone = models.build(cfg.model.backbone)
        backbone.init_weights()
    backbone.train(False)
    x = torch.randn(1, 3, 256, 128)
    if tuple(cfg.model.backbone.img_size) != (256, 128):
        x = torch.randn(1, 3, *cfg.model.backbone.img_size)
    ours = backbone.forward_tokens(x, tokens=('image', 'final'))
    theirs = original.forward_tokens(x, tokens=('image', 'final'))
    assert torch.equal(ours.image, theirs.image)
    assert torch.equal(ours.final, theirs.final)
