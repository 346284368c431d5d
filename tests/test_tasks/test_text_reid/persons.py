"""Persons with sentences, and a model, small enough for tests."""
import importlib.util
import json

import numpy as np
import pytest
from PIL import Image

needs_vocabulary = pytest.mark.skipif(
    importlib.util.find_spec('mmseg') is None,
    reason='the vocabulary comes with mmsegmentation')
TEXTS = ('a man in a red coat', 'a woman with a blue bag', 'a child runs',
         'somebody in black shoes', 'green trousers and a hat')
WORDS = dict(vocab_size=600, context_length=32)


def record(split, pid, path, captions, **more):
    return dict(split=split, id=pid, file_path=path, captions=captions, **more)


def few_records(first=1):
    """Three persons to train, one to validate, two to test."""
    rows = [('train', 0), ('train', 0), ('train', 1), ('train', 2), ('val', 3),
            ('test', 4), ('test', 4), ('test', 5)]
    return [
        record(split, first + pid, f'a/{n}.png',
               [f'{TEXTS[n % 5]} {n}', f'{TEXTS[pid % 5]} again'])
        for n, (split, pid) in enumerate(rows)
    ]


def write_persons(root, records=None, file='reid_raw.json', pictures=True):
    """A set in CUHK-PEDES' layout, or of another file."""
    records = few_records() if records is None else records
    (root / 'imgs').mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for entry in records if pictures else ():
        path = root / 'imgs' / entry['file_path']
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (48, 20, 3), np.uint8)).save(path)
    (root / file).write_text(json.dumps(records), encoding='utf-8')
    return str(root)


def tiny_irra(**changes):
    """Config of an IRRA of a few thousand parameters."""
    cfg = dict(
        type='IRRA',
        data_preprocessor=dict(
            type='CaptionedPersonPreprocessor', mean=[120.] * 3,
            std=[60.] * 3),
        backbone=dict(
            type='GridVisionTransformer',
            arch=dict(
                embed_dims=16,
                num_layers=2,
                num_heads=2,
                feedforward_channels=32),
            img_size=(64, 32),
            patch_size=16,
            out_type='raw'),
        neck=dict(type='JointProjection', in_channels=16, out_channels=24),
        text=dict(
            type='CaptionEncoder',
            width=16,
            layers=2,
            heads=2,
            out_channels=24,
            **WORDS),
        tokenizer=dict(type='CaptionTokenizer', **WORDS),
        heads=dict(
            match=dict(type='PairMatchingHead'),
            person=dict(type='PersonClassHead', num_classes=3, in_channels=24),
            word=dict(
                type='HiddenWordHead',
                vocab_size=WORDS['vocab_size'],
                channels=24,
                layers=1,
                heads=2)))
    for key, value in changes.items():
        cfg[key] = value
    return cfg
