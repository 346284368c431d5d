import re
from pathlib import Path

from .test_models.tiny_saip import batch_of_crops, build

DOCS = Path(__file__).parents[1] / 'docs'


def test_the_method_of_docs_trains():
    text = (DOCS / 'methods.md').read_text(encoding='utf-8')
    names = {}
    for code in re.findall(r'```python\n(.*?)```', text, re.DOTALL):
        exec(code, names)
    model = build('vit', **names['model'])
    views = model.data_preprocessor(batch_of_crops())['views']
    assert set(views.images) == {'anchor', 'clean'}
    losses = model(views, mode='loss')
    losses['loss_distil'].backward()
    assert model.encoder.backbone.cls_token.grad is not None
