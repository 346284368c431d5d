import warnings

from mmpretrain.registry import OPTIM_WRAPPER_CONSTRUCTORS
from .layer_decay import BackboneLayerDecayOptimWrapperConstructor


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class DecayGroupsOptimWrapperConstructor(
        BackboneLayerDecayOptimWrapperConstructor):
    """Former name of :class:`BackboneLayerDecayOptimWrapperConstructor`."""

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg=None) -> None:
        # not a DeprecationWarning: Python hides those outside of __main__
        warnings.warn(
            f'{type(self).__name__} is BackboneLayerDecayOptimWrapper'
            'Constructor now, the old name will be taken away', FutureWarning)
        super().__init__(optim_wrapper_cfg, paramwise_cfg)
