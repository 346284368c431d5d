from types import SimpleNamespace

import pytest
from torch import nn

from saip_mm.tasks.parsing import PartCountHook


def runner_of(num_parts, num_classes=1, parts=20):
    model = nn.Module()
    model.roi_head = nn.Module()
    for name, key, value in (('mask_head', 'num_parts', num_parts),
                             ('bbox_head', 'num_classes', num_classes)):
        head = nn.Module()
        setattr(head, key, value)
        setattr(model.roi_head, name, head)
    dataset = SimpleNamespace(
        metainfo=dict(classes=('person', ), parts=['x'] * parts))
    loader = SimpleNamespace(dataset=dataset)
    return SimpleNamespace(
        model=model,
        train_dataloader=loader,
        test_dataloader=loader,
        val_loop=None)


@pytest.mark.parametrize('stage', ['before_train', 'before_test'])
def test_heads_and_data_know_the_same(stage):
    check = getattr(PartCountHook(), stage)
    check(runner_of(20))
    with pytest.raises(
            ValueError,
            match='mask_head.num_parts is 20, but .* 8 '
            'parts.*set model.roi_head.mask_head.num_parts=8'):
        check(runner_of(20, parts=8))
    with pytest.raises(ValueError, match='bbox_head.num_classes is 80'):
        check(runner_of(20, num_classes=80))
