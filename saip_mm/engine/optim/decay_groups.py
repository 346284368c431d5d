from typing import List

import torch
from mmengine.logging import print_log
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper
from mmengine.utils import digit_version
from torch import nn

from mmpretrain.registry import OPTIM_WRAPPER_CONSTRUCTORS

# tokens and positions have two or more axes, so the rule on 1-D misses them
NO_DECAY = ('cls_token', 'mask_token', 'pos_embed', 'attention_biases',
            'relative_position_bias_table')


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class DecayGroupsOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """Two parameter groups: with weight decay, and without.

    No decay for tensors with at most one axis (biases, norms, layer scales)
    and for those whose name contains one of ``no_decay``. Parameters that
    take no gradient are left out and get no optimiser state.

    mmengine's default constructor can say the same by ``paramwise_cfg``, but
    makes one group a tensor, which takes the optimiser's batched update
    away, and prints a line for each.

    Adam and AdamW get torch's fused update unless the config says
    ``fused=False``: it needs no copies of the moments, which take as much
    memory as the gradients, and one pass instead of ten. Before torch 2.4 it
    does not know CPUs and is not asked for.

    Args:
        optim_wrapper_cfg (dict): Config of wrapper and optimiser.
        paramwise_cfg (dict, optional): ``no_decay``, a list of parts of
            names. Defaults to class and mask tokens, positions and attention
            biases. (DINO decays its tokens and positions; the SAIP recipe
            does not.)

    Raises:
        ValueError: If ``paramwise_cfg`` holds anything else.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg=None) -> None:
        paramwise_cfg = dict(paramwise_cfg or dict(no_decay=NO_DECAY))
        if set(paramwise_cfg) != {'no_decay'}:
            raise ValueError(
                f'{type(self).__name__} takes paramwise_cfg=dict(no_decay='
                f'[...]) only, got {sorted(paramwise_cfg)}; for other rules '
                'use DefaultOptimWrapperConstructor')
        super().__init__(optim_wrapper_cfg, paramwise_cfg)
        if (self.optimizer_cfg['type'] in ('Adam', 'AdamW')
                and digit_version(torch.__version__) >= digit_version('2.4')
                and not {'foreach', 'fused'} & set(self.optimizer_cfg)):
            self.optimizer_cfg['fused'] = True

    def add_params(self, params: List[dict], module: nn.Module,
                   **kwargs) -> None:
        """Append the two groups; a group without parameters is left out.

        Args:
            params (list[dict]): Parameter groups, filled in place.
            module (nn.Module): The model.
        """
        keys = tuple(self.paramwise_cfg['no_decay'])
        decayed, exempt = [], []
        for name, param in module.named_parameters():
            if param.requires_grad:
                flat = param.ndim <= 1 or any(key in name for key in keys)
                (exempt if flat else decayed).append(param)
        print_log(
            f'weight decay: {len(decayed)} tensors with, {len(exempt)} '
            'without', 'current')
        if decayed:
            params.append(dict(params=decayed))
        if exempt:
            params.append(dict(params=exempt, weight_decay=0.))

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """Build optimiser and wrapper for the model."""
        wrapper = super().__call__(model)
        # the groups share one learning rate; mmengine's 'base_lr' would miss
        # auto_scale_lr and show a wrong number in every line of the log
        wrapper.base_param_settings = None
        return wrapper
