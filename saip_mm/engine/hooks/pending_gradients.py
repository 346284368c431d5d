import torch
from mmengine.dist import get_world_size
from mmengine.hooks import Hook

from mmpretrain.registry import HOOKS
from .model_parts import bare_model


@HOOKS.register_module()
class PendingGradientsHook(Hook):
    """Keep gradients that are accumulated but not yet used in checkpoints.

    With gradient accumulation an epoch (and its checkpoint) may end between
    two optimiser steps. mmengine drops what has been accumulated; with this
    hook a resumed run goes on exactly. With several processes each has
    gradients of its own, which one file does not hold: there they are
    dropped, as in mmengine, which warns of it.
    """

    key = 'gradients'

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Add gradients by parameter name, if there are any."""
        if get_world_size() > 1 or 'optimizer' not in checkpoint:
            return
        gradients = {
            name: param.grad.detach().cpu()
            for name, param in bare_model(runner).named_parameters()
            if param.grad is not None
        }
        if gradients:
            checkpoint[self.key] = gradients

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Take them up when resuming, not when only loading weights."""
        gradients = checkpoint.pop(self.key, None)
        if not gradients or not runner._resume or get_world_size() > 1:
            return
        for name, param in bare_model(runner).named_parameters():
            if name in gradients:
                param.grad = gradients[name].to(
                    param.device, dtype=torch.float32)
        runner.logger.info(
            f'resumed {len(gradients)} gradients accumulated since the last '
            'optimiser step')
