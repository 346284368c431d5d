"""Head, data and checkpoint hold the same attributes, in one order."""
from types import SimpleNamespace

import pytest

from saip_mm.tasks.attributes import AttributeCountHook, AttributeHead

NAMES = ('hat', 'bag', 'shoes')
RATIO = [.5, .25, .1]


def metainfo(names=NAMES, ratio=RATIO):
    return dict(classes=names, label_ratio=ratio)


def runner(train=None, val=None, test=None, num_classes=3, loss=None):
    loss = loss or dict(type='LabelRatioLoss')
    head = AttributeHead(num_classes, 4, loss)
    loaders = {
        f'{name}_dataloader':
        SimpleNamespace(dataset=SimpleNamespace(metainfo=info))
        for name, info in (('train', train), ('val', val), ('test', test))
    }
    return SimpleNamespace(
        model=SimpleNamespace(head=head),
        val_loop=object() if val else None,
        **loaders)


def ratio_of(run):
    return run.model.head.loss_module.label_ratio


def checkpoint(**info):
    return dict(meta=dict(dataset_meta=info))


def test_loss_gets_the_ratio_of_the_training_data():
    hook, run = AttributeCountHook(), runner(metainfo(),
                                             metainfo(ratio=[1, 0, 0]))
    hook.after_load_checkpoint(run, checkpoint(classes=['cat', 'dog']))
    hook.before_train(run)
    hook.before_val(run)
    assert ratio_of(run) == RATIO


def test_a_test_takes_that_of_the_checkpoint():
    hook, run = AttributeCountHook(), runner(test=metainfo(ratio=[1, 0, 0]))
    hook.before_test(run)
    assert ratio_of(run) is None
    hook.after_load_checkpoint(run, checkpoint(**metainfo(list(NAMES))))
    hook.before_test(run)
    assert ratio_of(run) == RATIO
    hook.after_load_checkpoint(run, {})
    hook.before_test(run)


def test_another_number():
    hook = AttributeCountHook()
    for step, run in ((hook.before_train, runner(metainfo(), num_classes=26)),
                      (hook.before_val, runner(val=metainfo(),
                                               num_classes=26)),
                      (hook.before_test,
                       runner(test=metainfo(), num_classes=26))):
        with pytest.raises(
                ValueError,
                match='head.num_classes is 26, but the '
                'data have 3 .*set model.head.num_classes=3'):
            step(run)
    with pytest.raises(ValueError, match='names no attributes'):
        hook.before_train(runner({}))


def test_another_order(log):
    hook, turned = AttributeCountHook(), metainfo(NAMES[::-1])
    with pytest.raises(
            ValueError,
            match="another order: 'hat' of "
            "train_dataloader is 'shoes' in val_dataloader. Give "
            'val_dataloader.dataset.metainfo.classes='):
        hook.before_train(runner(metainfo(), turned))
    run = runner(test=turned)
    hook.after_load_checkpoint(run, checkpoint(**metainfo()))
    with pytest.raises(ValueError, match="'hat' of the checkpoint is 'shoes'"):
        hook.before_test(run)
    run = runner(test=metainfo(('cap', 'bag', 'shoes')))
    hook.before_test(run)
    assert "'hat' of the checkpoint is 'cap' in test_dataloader" in log.text


def test_validation_of_other_attributes():
    with pytest.raises(
            ValueError,
            match='val_dataloader has 2 attributes, '
            'train_dataloader 3'):
        AttributeCountHook().before_train(
            runner(metainfo(), metainfo(NAMES[:2])))


def test_losses_without_a_ratio_are_left_alone():
    run = runner(
        metainfo(), loss=dict(type='CrossEntropyLoss', use_sigmoid=True))
    AttributeCountHook().before_train(run)
    assert not hasattr(run.model.head.loss_module, 'label_ratio')
