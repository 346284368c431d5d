from mmdet.registry import HOOKS

from saip_mm.engine.hooks.model_parts import bare_model
from ..detection.category_count import CategoryCountHook


@HOOKS.register_module()
class PartCountHook(CategoryCountHook):
    """Refuses a model that knows other parts, or categories, than its data.

    Raises:
        ValueError: Before training or testing, naming head and numbers.
    """

    def _check(self, runner, dataset) -> None:
        super()._check(runner, dataset)
        parts = len(dataset.metainfo['parts'])
        for name, head in bare_model(runner).named_modules():
            own = getattr(head, 'num_parts', parts)
            if own != parts:
                raise ValueError(
                    f'{name}.num_parts is {own}, but '
                    f'{type(dataset).__name__} has {parts} parts, the '
                    f'background among them: set model.{name}.num_parts='
                    f'{parts}')
