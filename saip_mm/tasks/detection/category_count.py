from mmdet.models.dense_heads import RPNHead
from mmdet.registry import HOOKS
from mmengine.hooks import Hook

from saip_mm.engine.hooks.model_parts import bare_model


@HOOKS.register_module()
class CategoryCountHook(Hook):
    """Refuses a detector that knows other categories than its data.

    With too few, training stops with an index out of range, on a GPU without
    a name; with too many, it learns categories that do not exist. The RPN,
    which tells objects from none, has no categories.

    Raises:
        ValueError: Before training or testing, naming head and numbers; if
            the data set for validation numbers its categories otherwise.
    """

    def before_train(self, runner) -> None:
        """Compare with the training data, and these with validation's."""
        dataset = runner.train_dataloader.dataset
        self._check(runner, dataset)
        if runner.val_loop is None:
            return
        other = runner.val_dataloader.dataset.metainfo['classes']
        own = dataset.metainfo['classes']
        if list(own) != list(other):
            raise ValueError(
                f'categories of training are {list(own)}, those of validation '
                f"{list(other)}: give both the same metainfo['classes']")

    def before_test(self, runner) -> None:
        """Compare with the test data."""
        self._check(runner, runner.test_dataloader.dataset)

    def _check(self, runner, dataset) -> None:
        classes = len(dataset.metainfo['classes'])
        for name, head in bare_model(runner).named_modules():
            if isinstance(head, RPNHead) or not name.endswith('head'):
                continue
            own = getattr(head, 'num_classes', classes)
            if own != classes:
                raise ValueError(
                    f'{name}.num_classes is {own}, but '
                    f'{type(dataset).__name__} has {classes} categories '
                    f'{tuple(dataset.metainfo["classes"])}: set '
                    f'model.{name}.num_classes={classes}')
