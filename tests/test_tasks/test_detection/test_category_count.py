from types import SimpleNamespace

import pytest
from torch import nn

pytest.importorskip('mmdet')

from mmdet.models.dense_heads import RPNHead  # noqa: E402

from saip_mm.tasks.detection import CategoryCountHook  # noqa: E402
from saip_mm.tasks.detection import PairBBoxHead  # noqa: E402


class RPN(RPNHead):

    def __init__(self):
        nn.Module.__init__(self)
        self.num_classes = 1  # object or not


def detector(number):
    model = nn.Module()
    model.rpn_head, model.roi_head = RPN(), nn.Module()
    model.roi_head.bbox_head = nn.Identity()
    model.roi_head.bbox_head.num_classes = number
    return model


def runner_of(number, train, val=None, test=None):

    def loader(classes):
        return SimpleNamespace(
            dataset=SimpleNamespace(metainfo=dict(classes=classes)))

    return SimpleNamespace(
        model=detector(number),
        val_loop=val,
        train_dataloader=loader(train),
        val_dataloader=loader(val),
        test_dataloader=loader(test))


def test_heads_and_data():
    hook = CategoryCountHook()
    hook.before_train(runner_of(2, ('a', 'b')))
    hook.before_test(runner_of(2, None, test=('a', 'b')))
    error = (r"roi_head.bbox_head.num_classes is 1, but SimpleNamespace has 2 "
             r"categories \('a', 'b'\): set "
             r'model.roi_head.bbox_head.num_classes=2')
    with pytest.raises(ValueError, match=error):
        hook.before_train(runner_of(1, ('a', 'b')))
    with pytest.raises(ValueError, match=error):
        hook.before_test(runner_of(1, None, test=('a', 'b')))


def test_training_and_validation():
    hook = CategoryCountHook()
    hook.before_train(runner_of(2, ('a', 'b'), ('a', 'b')))
    for other in (('b', 'a'), ('a', ), ('a', 'c')):
        with pytest.raises(ValueError, match='those of validation'):
            hook.before_train(runner_of(2, ('a', 'b'), other))


def test_crowddet_finds_one_category():
    with pytest.raises(ValueError, match='num_classes=2: CrowdDet finds one'):
        PairBBoxHead(num_classes=2)
