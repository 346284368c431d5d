import logging
from typing import Optional, Sequence

from mmengine.hooks import Hook
from mmengine.logging import print_log

from mmpretrain.registry import HOOKS
from saip_mm.engine.hooks.model_parts import bare_model


@HOOKS.register_module()
class AttributeCountHook(Hook):
    """Holds model, training and test to one list of attributes.

    The loss gets the share of pictures that have each from the training data,
    and where nothing is trained from the checkpoint.

    Raises:
        ValueError: Before training or testing: if head and data differ in
            number, naming both; if training and validation name other
            attributes, or a checkpoint was trained on the same in another
            order.
    """

    _trained: dict = {}  # what the checkpoint says of its data

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Remember its attributes and their shares, for the test."""
        meta = checkpoint.get('meta') or {}
        self._trained = meta.get('dataset_meta') or {}

    def before_train(self, runner) -> None:
        """Compare; hand over the shares."""
        self._trained = {}  # may be of another set, to start from
        train = runner.train_dataloader.dataset.metainfo
        self._check(runner, train)
        self._hand_over(runner, train.get('label_ratio'))
        if runner.val_loop is not None:
            val = runner.val_dataloader.dataset.metainfo
            _check_order(train['classes'], val['classes'], 'val_dataloader',
                         'train_dataloader')

    def before_val(self, runner) -> None:
        """As before a test, where nothing is trained."""
        self._before(runner, runner.val_dataloader, 'val_dataloader')

    def before_test(self, runner) -> None:
        """Compare with the data of the checkpoint."""
        self._before(runner, runner.test_dataloader, 'test_dataloader')

    def _before(self, runner, loader, name: str) -> None:
        metainfo = loader.dataset.metainfo
        self._check(runner, metainfo)
        if not self._trained.get('classes'):
            return
        _check_order(self._trained['classes'], metainfo['classes'], name,
                     'the checkpoint')
        self._hand_over(runner, self._trained.get('label_ratio'))

    @staticmethod
    def _check(runner, metainfo: dict) -> None:
        if not metainfo.get('classes'):
            raise ValueError('the data set names no attributes: take '
                             'AttributeDataset, or give metainfo.classes')
        count = len(metainfo['classes'])
        own = bare_model(runner).head.num_classes
        if own != count:
            raise ValueError(f'head.num_classes is {own}, but the data have '
                             f'{count} attributes: set model.head.num_classes'
                             f'={count}')

    @staticmethod
    def _hand_over(runner, ratio: Optional[Sequence[float]]) -> None:
        loss = bare_model(runner).head.loss_module
        if ratio is not None and hasattr(loss, 'label_ratio'):
            loss.label_ratio = [float(share) for share in ratio]


def _check_order(ours: Sequence[str], theirs: Sequence[str], name: str,
                 other: str) -> None:
    """Refuse another number or order; tell of other names."""
    ours, theirs = list(ours), list(theirs)
    if ours == theirs:
        return
    advice = f'give {name}.dataset.metainfo.classes={tuple(ours)}'
    if len(ours) != len(theirs):
        raise ValueError(f'{name} has {len(theirs)} attributes, {other} '
                         f'{len(ours)}: {advice}')
    first = next(pair for pair in zip(ours, theirs) if pair[0] != pair[1])
    said = f"'{first[0]}' of {other} is '{first[1]}' in {name}"
    if set(ours) == set(theirs):
        raise ValueError(f'the same attributes in another order: {said}. '
                         f'{advice[0].upper()}{advice[1:]}')
    print_log(f'attributes have other names: {said}', 'current',
              logging.WARNING)
