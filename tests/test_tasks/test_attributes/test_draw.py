from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmpretrain.structures import DataSample
from saip_mm.tasks.attributes.draw import (GREEN, GREY, RED, AttributeDrawHook,
                                           draw_attributes)
from ...test_datasets._images import write_tree

NAMES = ('hat', 'Skirt&Dress', 'Mütze')
IMAGE = np.full((64, 32, 3), (0, 0, 255), np.uint8)


def has(sheet, colour, row=None):
    lines = sheet if row is None else sheet[6 + 16 * row:22 + 16 * row]
    return (lines == colour).all(-1).any()


def test_lines_say_what_is_right():
    """Told rightly, told wrongly, missed."""
    sheet = draw_attributes(IMAGE, NAMES, np.array([.9, .8, .2]),
                            np.array([1, 0, 1]))
    assert sheet.dtype == np.uint8 and sheet.shape[0] == 3 * 16 + 12
    assert (sheet[30, 5] == (0, 0, 255)).all()
    assert has(sheet, GREEN, 0) and has(sheet, RED, 1) and has(sheet, RED, 2)
    right = draw_attributes(IMAGE, NAMES, np.array([.1, .2, .3]),
                            np.array([0, -1, 0]))
    assert not has(right, GREEN) and not has(right, RED) and has(right, GREY)


def test_without_labels_nothing_is_right_or_wrong():
    sheet = draw_attributes(IMAGE, NAMES, np.array([.9, .5, .2]))
    assert not has(sheet, GREEN) and not has(sheet, RED)
    assert has(sheet, (0, 0, 0), 0) and not has(sheet, (0, 0, 0), 1)


@pytest.mark.parametrize('score', [0., 1.])
def test_any_shape_and_probability(score):
    for shape in ((3, 900), (500, 2), (1, 1)):
        sheet = draw_attributes(
            np.zeros((*shape, 3), np.uint8), NAMES, np.full(3, score))
        assert sheet.shape[0] == 60 and sheet.shape[2] == 3


@pytest.fixture
def run(tmp_path):
    root = write_tree(tmp_path, [f'{i}.jpg' for i in range(5)])
    drawn = []
    loader = SimpleNamespace(
        dataset=SimpleNamespace(metainfo=dict(classes=NAMES)))
    runner = SimpleNamespace(
        iter=7,
        val_dataloader=loader,
        test_dataloader=loader,
        visualizer=SimpleNamespace(add_image=lambda *args: drawn.append(args)))
    outputs = [
        DataSample(metainfo=dict(img_path=f'{root}/{i}.jpg')).set_pred_score(
            torch.rand(3)) for i in range(5)
    ]
    return runner, outputs, drawn


def test_hook_draws_every_few(run):
    runner, outputs, drawn = run
    outputs[0].set_gt_score(torch.tensor([1., 0, 1]))
    hook = AttributeDrawHook(draw=True, interval=2)
    for _ in range(2):  # as two validations
        hook.before_val_epoch(runner)
        hook.after_val_iter(runner, 0, None, outputs[:3])
        hook.after_val_iter(runner, 1, None, outputs[3:])
    assert [(name, step) for name, _, step in drawn] == 2 * [('val_0', 7),
                                                             ('val_2', 7),
                                                             ('val_4', 7)]
    hook.before_test_epoch(runner)
    hook.after_test_iter(runner, 0, None, outputs[:1])
    assert drawn[-1][0] == 'test_0'


def test_hook_draws_nothing_unless_told(run):
    runner, outputs, drawn = run
    hook = AttributeDrawHook()
    hook.before_val_epoch(runner)
    hook.after_val_iter(runner, 0, None, outputs)
    assert drawn == []
