from types import SimpleNamespace

import pytest
from mmengine.registry import DefaultScope

from saip_mm.tasks.text_reid import (CaptionCheckHook, CaptionTokenizer,
                                     CUHKPEDESDataset)
from saip_mm.tasks.text_reid.caption_check import long_captions
from .persons import few_records, needs_vocabulary, write_persons

pytestmark = needs_vocabulary


@pytest.fixture
def data(tmp_path):
    rows = few_records()
    rows[2]['captions'][0] = 'red ' * 88
    rows[3]['captions'][1] = 'red ' * 80
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield CUHKPEDESDataset(write_persons(tmp_path, rows))


def test_captions_that_are_cut_are_counted(data):
    said = long_captions(data, CaptionTokenizer())
    assert said.startswith("2 captions of CUHKPEDESDataset 'train' are longer "
                           'than 77 tokens')
    assert said.endswith('the longest has 90')
    assert long_captions(data, CaptionTokenizer(context_length=90)) is None


def test_captions_that_must_not_be_cut_are_named(data):
    with pytest.raises(
            ValueError,
            match='record 2: caption needs 90 tokens, context is 77'):
        long_captions(data, CaptionTokenizer(truncate=False))


def test_a_search_by_nothing_stops_before_training(tmp_path):
    rows = few_records()
    for row in rows:
        row['captions'] = row['captions'] if row['split'] == 'train' else []
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        data = CUHKPEDESDataset(write_persons(tmp_path, rows), 'test')
    run = SimpleNamespace(test_dataloader=SimpleNamespace(dataset=data))
    with pytest.raises(ValueError, match="'test' of .* and no caption"):
        CaptionCheckHook().before_test(run)
