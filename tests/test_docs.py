import re
from pathlib import Path

from saip_mm.datasets.prepare.data_sets import DATA_SETS
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


def test_data_sets_that_can_be_counted_are_those_of_the_page():
    text = (DOCS / 'data.md').read_text(encoding='utf-8')
    said = re.findall(r'Count\.\*\* `python \S+/check_data.py (\w+)`', text)
    assert sorted(said) == sorted(DATA_SETS)
    assert re.search(r'As of \*\*\d+ \w+ \d{4}\*\*', text)
    # where those lie that configs look for
    for wanted in DATA_SETS.values():
        assert f'`{wanted.root}`' in text
