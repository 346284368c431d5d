import ast
import re
from pathlib import Path

import pytest
from mmengine.config import Config

from saip_mm.datasets.prepare.data_sets import DATA_SETS
from saip_mm.engine.launch_options import scale_learning_rate
from .test_models.tiny_saip import batch_of_crops, build

ROOT = Path(__file__).parents[1]
DOCS, CONFIGS = ROOT / 'docs', ROOT / 'configs'


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
    said = re.findall(r'\*\*Count\.\*\* `python \S+/check_data.py (\w+)`',
                      text)
    assert sorted(said) == sorted(DATA_SETS)
    assert re.search(r'As of \*\*\d+ \w+ \d{4}\*\*', text)
    # where those lie that configs look for
    for wanted in DATA_SETS.values():
        assert f'`{wanted.root}`' in text


def templates():
    """Texts of the code, as lists of what is fixed and '' for a value."""
    folders = (ROOT / 'saip_mm', ROOT / 'tools')
    for path in sorted(p for f in folders for p in f.rglob('*.py')):
        tree = ast.parse(path.read_text(encoding='utf-8'))
        for node in ast.walk(tree):
            if isinstance(node, (ast.Constant, ast.JoinedStr, ast.BinOp)):
                parts = pieces(node)
                if any(parts):
                    yield parts
    yield [(ROOT / 'tools/setup_env.sh').read_text(encoding='utf-8')]


def pieces(node):
    """``'a' f'b{c}d'`` is ['ab', '', 'd']."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else ['']
    if isinstance(node, ast.JoinedStr):
        found = [pieces(value) for value in node.values]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        found = [pieces(node.left), pieces(node.right)]
    else:
        return ['']
    joined = []
    for part in sum(found, []):
        if joined and part and joined[-1]:
            joined[-1] += part
        else:
            joined.append(part)
    return joined


def said(message, parts):
    """Whether a text of the code can hold a message, values filled in.

    Each fixed piece of the text that takes part stands in the message in
    full, but for the first and the last, which may go on beyond it; together
    they are two fifths of it.
    """
    for first in range(len(parts)):
        for start in range(len(parts[first]) or 1):
            rest = parts[first][start:]
            if rest and not message.startswith(rest[:len(message)][:8]):
                continue
            if matches(message, [rest, *parts[first + 1:]]):
                return True
    return False


def matches(message, parts):
    at, fixed = 0, 0
    for number, part in enumerate(parts):
        if not part:
            continue
        left = message[at:]
        found = left.find(part) if number else (
            0 if left.startswith(part) else -1)
        if found >= 0:
            at += found + len(part)
            fixed += len(part)
            continue
        # the text goes on behind the message's end
        ends = [n for n in range(len(left) + 1) if part.startswith(left[n:])]
        if number == 0 and ends[0]:
            return False
        fixed += len(left) - ends[0]
        at = len(message)
        break
    return fixed >= 0.4 * len(message)


def test_messages_of_the_faq_are_those_of_the_code():
    text = (DOCS / 'faq.md').read_text(encoding='utf-8')
    rows = re.findall(r'^\| .*?`(.+?)`.*? \|', text, re.M)
    assert len(rows) > 40
    texts = list(templates())
    words = [set(re.findall(r'[a-z]{4,}', ' '.join(t))) for t in texts]
    unsaid = []
    for row in rows:
        for message in re.split(r'\s*\.\.\.\s*', row):
            wanted = set(re.findall(r'[a-z]{4,}', message))
            if message and len(wanted) > 1 and not any(
                    len(wanted & has) *
                    2 >= len(wanted) and said(message, parts)
                    for has, parts in zip(words, texts)):
                unsaid.append(message)
    assert not unsaid


def test_first_twenty_errors_are_twenty():
    text = (DOCS / 'faq.md').read_text(encoding='utf-8')
    part = text.split('## The first twenty')[1].split('\n## ')[0]
    assert len(re.findall(r'^\| [^m-]', part, re.M)) == 20


@pytest.mark.parametrize('message, parts, whole', [
    ("'a b' has 3 of 4 pictures: copy",
     ["'", '', "' has ", '', ' of ', '', ' pictures: copy it'], True),
    ("'a b' has 3 of 4 images: copy",
     ["'", '', "' has ", '', ' of ', '', ' pictures: copy it'], False),
    ('the list is empty', ['so the list is empty, fill it'], True),
    ('the list is full', ['so the list is empty, fill it'], False),
])
def test_what_counts_as_the_codes_message(message, parts, whole):
    assert said(message, parts) is whole


def test_batches_of_the_page_are_those_of_the_configs():
    text = (DOCS / 'batches.md').read_text(encoding='utf-8')
    rows = re.findall(
        r'^\| `(\S+\.py)` \| (\d+) \| (\d+) \| (\d+) \| (\S+) \| '
        r'(\d+) (epochs|iterations) \|$', text, re.M)
    assert len(rows) == text.count('\n| `')
    assert {
        row[0].split('/')[0]
        for row in rows
    } == {
        path.name
        for path in CONFIGS.iterdir()
        if any(path.rglob('*.py')) and path.name not in ('_base_', 'evidence')
    }
    for name, each, gpus, batch, rate, length, unit in rows:
        cfg = Config.fromfile(CONFIGS / name, import_custom_modules=False)
        assert cfg.train_dataloader.batch_size == int(each), name
        assert cfg.auto_scale_lr.base_batch_size == int(batch), name
        assert int(each) * int(gpus) == int(batch), name
        assert cfg.optim_wrapper.optimizer.lr == float(rate), name
        key = 'max_epochs' if unit == 'epochs' else 'max_iters'
        assert cfg.train_cfg[key] == int(length), name


def test_scaled_rates_of_the_page_are_those_of_the_flag():
    text = (DOCS / 'batches.md').read_text(encoding='utf-8')
    rows = re.findall(r'^\| (\d+) \| (\d+) \| (\d+) \| (\S+) \|$', text, re.M)
    assert len(rows) > 4
    for gpus, accumulated, batch, rate in rows:
        cfg = Config.fromfile(
            CONFIGS / 'saip/vit_tiny.py', import_custom_modules=False)
        cfg.optim_wrapper.accumulative_counts = int(accumulated)
        assert scale_learning_rate(cfg, int(gpus))[1] == float(rate)
        assert 256 * int(gpus) * int(accumulated) == int(batch)


def test_licences_name_every_set_and_library():
    text = (DOCS / 'licences.md').read_text(encoding='utf-8')
    assert re.search(r'As of \*\*\d+ \w+ \d{4}\*\*', text)
    data = (DOCS / 'data.md').read_text(encoding='utf-8')
    sets = re.findall(r'^## (.+)$', data, re.M)[1:]
    rows = re.findall(
        r'^\| \[(.+?)\]\(data.md#(.+?)\) \| (\w+) \| .+ \| (stated|unverified)'
        r'.* \|$', text, re.M)
    assert [row[0] for row in rows
            ] == [name for name in sets if name in {row[0]
                                                    for row in rows}]
    assert set(sets) - {row[0] for row in rows} == {'Tar shards'} & set(sets)
    assert [row[2] for row in rows].count('pretraining') == 3
