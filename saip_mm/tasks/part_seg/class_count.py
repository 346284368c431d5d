from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel
from mmseg.registry import HOOKS

from saip_mm.engine.hooks.model_parts import bare_model


@HOOKS.register_module()
class ClassCountHook(Hook):
    """Refuses a model whose heads have another number of classes than data.

    With too few, cross entropy stops with an assertion on the device; with
    too many, it trains classes that do not exist.

    Raises:
        ValueError: Before training or testing, naming head and numbers.
    """

    def before_train(self, runner) -> None:
        """Compare with the training data."""
        self._check(runner, runner.train_dataloader.dataset)

    def before_test(self, runner) -> None:
        """Compare with the test data."""
        self._check(runner, runner.test_dataloader.dataset)

    def _check(self, runner, dataset) -> None:
        model = bare_model(runner)
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
