import importlib
import warnings
from typing import Any, Callable


def moved_to_weights(old: str) -> Callable[[str], Any]:
    """``__getattr__`` of a module whose contents are in ``saip_mm.weights``.

    Args:
        old (str): The module's own ``__name__``.

    Returns:
        Callable: Gives a name from its new place, with a warning.
    """

    def __getattr__(name: str) -> Any:
        weights = importlib.import_module('saip_mm.weights')
        if name.startswith('__') or not hasattr(weights, name):
            raise AttributeError(f"module '{old}' has no attribute '{name}'; "
                                 'its contents moved to saip_mm.weights')
        # not a DeprecationWarning: Python hides those outside of __main__
        warnings.warn(
            f'{old}.{name} is saip_mm.weights.{name} now, the old name will '
            'be taken away',
            FutureWarning,
            stacklevel=2)
        return getattr(weights, name)

    return __getattr__
