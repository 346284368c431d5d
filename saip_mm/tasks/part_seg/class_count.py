import logging
from itertools import zip_longest
from typing import Sequence

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import BaseTTAModel
from mmseg.registry import HOOKS

from saip_mm.engine.hooks.model_parts import bare_model
from .flip_tta import PartFlipTTA


@HOOKS.register_module()
class ClassCountHook(Hook):
    """Holds model, training and test to one set of classes.

    A head with too few stops with an assertion on the device; one with too
    many trains classes that do not exist. A flip test gets the pairs that it
    exchanges from the data set.

    Raises:
        ValueError: Before training or testing, naming head and numbers; if
            training and validation name other classes, or a checkpoint was
            trained on the same in another order; if the flip test is told
            other pairs than the data set.
    """

    _trained: Sequence[str] = ()  # classes of the checkpoint that was loaded

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Remember its classes for the test."""
        meta = checkpoint.get('meta') or {}
        self._trained = (meta.get('dataset_meta') or {}).get('classes') or ()

    def before_train(self, runner) -> None:
        """Compare with the training data, and these with the validation's."""
        self._trained = ()  # may be of another task, to start from
        dataset = runner.train_dataloader.dataset
        self._check(runner, dataset)
        if runner.val_loop is not None:
            _check_same(dataset, runner.val_dataloader.dataset)

    def before_val(self, runner) -> None:
        """Compare with the validation data."""
        self._check(runner, runner.val_dataloader.dataset)

    def before_test(self, runner) -> None:
        """Compare with the test data."""
        dataset = runner.test_dataloader.dataset
        self._check(runner, dataset)
        _check_order(self._trained, dataset.metainfo['classes'])

    def _check(self, runner, dataset) -> None:
        model = bare_model(runner)
        if isinstance(model, PartFlipTTA):
            model.use_pairs_of(dataset.metainfo)
        if isinstance(model, BaseTTAModel):
            model = model.module
        classes = len(dataset.metainfo['classes'])
        for name, head in model.named_children():
            own = getattr(head, 'num_classes', classes)
            if own != classes:
                raise ValueError(
                    f'{name}.num_classes is {own}, but '
                    f'{type(dataset).__name__} has {classes} classes: set '
                    f'model.{name}.num_classes={classes}')


def _check_order(trained: Sequence[str], tested: Sequence[str]) -> None:
    pairs = [(a, b) for a, b in zip(trained, tested) if a != b]
    if not pairs or len(trained) != len(tested):
        return
    first = f'{pairs[0][0]!r} of the checkpoint is {pairs[0][1]!r} here'
    if set(trained) == set(tested):
        raise ValueError(f'test_dataloader names the classes in another order '
                         f'than in training: {first}. Give '
                         f'metainfo.classes={tuple(trained)}')
    print_log(
        f'{len(pairs)} of {len(tested)} classes have other names than '
        f'in training: {first}', 'current', logging.WARNING)


def _check_same(train, val) -> None:
    ours, theirs = (list(d.metainfo['classes']) for d in (train, val))
    if ours == theirs:
        return
    number, pair = next(
        (number, pair)
        for number, pair in enumerate(zip_longest(ours, theirs))
        if pair[0] != pair[1])
    raise ValueError(
        f'train_dataloader has {len(ours)} classes and val_dataloader '
        f'{len(theirs)}, number {number} is {pair[0]!r} and {pair[1]!r}: give '
        'the dataset.metainfo of all three loaders the same classes')
