import json

import pytest

from saip_mm.apis.evidence import as_markdown
from .persons import write_market


@pytest.fixture
def measured(tmp_path):
    """Three rows of two backbones, some of it not measured yet."""
    search = tmp_path / 'reid'
    write_market(search)
    budget = dict(
        epochs=3,
        batch_size=8,
        search_epochs=2,
        part_iters=5,
        pretrain_seed=0,
        seeds=[0, 1, 2],
        part_seeds=[0])
    data = dict(sources=['/far/a', '/far/b/c'], search=str(search), parts=None)
    files = {
        'plan.json':
        dict(budget=budget, data=data),
        'none_vit_tiny/search_0.json':
        dict(mAP=8., seconds=1., **{'Rank-1': 10.}),
        'none_vit_tiny/search_1.json':
        dict(mAP=9., seconds=1., **{'Rank-1': 14.}),
        'none_vit_tiny/parts_0.json':
        dict(mIoU=12.34, seconds=None),
        'saip_vit_tiny/pretrain.json':
        dict(
            start_rank1=1.,
            start_map=2.,
            rank1=3.,
            map=4.,
            expert_rank1=5.,
            expert_map=6.,
            seconds=77.7),
        'saip_vit_tiny/scales.json':
        dict(rank1=2.5, map=3.5),
        'mae_vit_tiny/pretrain.json':
        dict(start_rank1=1.5, start_map=2., rank1=7., map=8., seconds=None),
    }
    for name, content in files.items():
        path = tmp_path / 'out' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name != 'plan.json':
            content = dict(content, machine='GPU 7')
        path.write_text(json.dumps(content))
    return tmp_path / 'out'


def test_table_has_what_was_measured_and_no_more(measured):
    text = as_markdown(str(measured), 'make evidence')
    assert 'by `make evidence` on GPU 7. ' in text and '/far' not in text
    lines = text.split('\n')
    start = lines.index('## ViT-Tiny') + 4
    assert lines[start:start + 4] == [
        # a random start stands in for none; 10, 14: 12 and sqrt(8)
        '| none | 1.5 / 2.0 |  |  | 12.0 / 8.5 (2.8 / 0.7) | 12.3 |  |',
        '| MAE | 7.0 / 8.0 |  |  |  |  |  |',
        '| SAIP | 3.0 / 4.0 | 2.5 / 3.5 | 5.0 / 6.0 |  |  | 78 |',
        '',
    ]
    assert '## StarNet-S3' not in text
    assert '| chance |' in text and '| raw pixels, 32x16 |' in text


def test_a_file_cut_short_is_named_and_other_files_are_not_read(measured):
    for name in ('notes/a.json', 'mae_vit_tiny/a.json'):
        (measured / name).parent.mkdir(exist_ok=True)
        (measured / name).write_text('{}')
    assert 'on GPU 7. ' in as_markdown(str(measured))
    (measured / 'mae_vit_tiny/pretrain.json').write_text('{"rank1": 7')
    with pytest.raises(ValueError, match="mae_vit_tiny/pretrain.json' is no "):
        as_markdown(str(measured))


def test_a_folder_without_comparison_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='plan.json'):
        as_markdown(str(tmp_path))
