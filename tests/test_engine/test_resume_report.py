import pytest

from saip_mm.engine.resume_report import (changes, concerns_schedule,
                                          describe_changes, plain)


def test_long_reports_are_cut():
    changed = changes(
        dict(model={f'key{i}': 0
                    for i in range(30)}),
        dict(model={f'key{i}': 'x' * 100
                    for i in range(30)}))
    lines = describe_changes(changed, False)
    assert len(lines) == 13 and lines[-1] == 'and 18 more'
    assert max(map(len, lines)) < 100


def test_only_sections_of_the_training_count():
    saved = dict(
        model=dict(a=1), work_dir='a', seed=1, default_hooks=dict(b=2))
    present = dict(model=dict(a=2), work_dir='b', visualizer=3)
    assert changes(saved, present) == {'model.a': (1, 2)}
    sections = ('model', 'train_dataloader', 'optim_wrapper',
                'param_scheduler', 'train_cfg', 'custom_hooks')
    found = changes({}, {name: dict(x=1) for name in sections})
    assert list(found) == list(sections)
    assert all(old is None for old, _ in found.values())


def test_differences_are_those_of_values():
    """Lists and tuples are one, missing is None, dicts go down."""
    saved = dict(model=dict(size=(1, 2), a=None, old=3, heads=dict(x=1, y=2)))
    present = dict(
        model=dict(size=[1, 2], b=None, new=4, heads=dict(y=5, x=1)))
    found = changes(saved, present)
    assert list(found) == ['model.old', 'model.heads.y', 'model.new']
    assert found['model.heads.y'] == (2, 5)
    lines = describe_changes(found, True)
    assert lines == [
        'model.old: 3 -> not set, taken', 'model.heads.y: 2 -> 5, taken',
        'model.new: not set -> 4, taken'
    ]


def test_lists_are_told_as_a_whole():
    saved = dict(param_scheduler=[dict(type='A', end=(1, 2))])
    present = dict(param_scheduler=[dict(type='A', end=(1, 3))])
    assert plain(saved) == dict(param_scheduler=[dict(type='A', end=[1, 2])])
    line, = describe_changes(changes(saved, present), True)
    assert line == ("param_scheduler: [{'type': 'A', 'end': [1, 2]}] -> "
                    "[{'type': 'A', 'end': [1, 3]}], taken")


@pytest.mark.parametrize('name, kept, new', [
    ('optim_wrapper.optimizer.lr', "NOT taken, the checkpoint's is kept",
     'taken'),
    ('optim_wrapper.paramwise_cfg.a', "NOT taken, the checkpoint's is kept",
     'taken'),
    ('param_scheduler', "NOT taken, the checkpoint's is kept", 'taken'),
    ('optim_wrapper.clip_grad.max_norm', 'taken', 'taken'),
    ('train_cfg.max_epochs', 'taken, hooks follow it; the learning rate '
     'follows the old length', 'taken'),
    ('train_cfg.max_iters', 'taken, hooks follow it; the learning rate '
     'follows the old length', 'taken'),
    ('train_cfg.val_interval', 'taken', 'taken'),
    ('model.encoder.backbone.init_cfg.checkpoint',
     "no effect, the checkpoint's weights are kept",
     "no effect, the checkpoint's weights are kept"),
])
def test_what_a_resume_takes(name, kept, new):
    changed = {name: (1, 2)}
    assert describe_changes(changed, False) == [f'{name}: 1 -> 2, {kept}']
    assert describe_changes(changed, True) == [f'{name}: 1 -> 2, {new}']
    scheduled = 'taken' != kept and 'init_cfg' not in name
    assert concerns_schedule(changed) is scheduled


@pytest.mark.parametrize('count', [12, 13])
def test_twelve_changes_are_listed(count):
    changed = {f'model.a{i}': (0, 1) for i in range(count)}
    lines = describe_changes(changed, False)
    assert len(lines) == count
    assert (lines[-1] == 'and 1 more') is (count == 13)


@pytest.mark.parametrize('length', [58, 59])
def test_long_values_are_cut(length):
    line, = describe_changes({'model.a': (0, 'x' * length)}, False)
    text = "'" + 'x' * length + "'"
    shown = text if length == 58 else text[:56] + ' ...'
    assert line == f'model.a: 0 -> {shown}, taken'
