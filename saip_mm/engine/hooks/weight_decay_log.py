from mmengine.hooks import Hook

from mmpretrain.registry import HOOKS


@HOOKS.register_module()
class WeightDecayLogHook(Hook):
    """Log the weight decay as ``wd``, as mmengine does the learning rate.

    It is the largest of the parameter groups', the others being exempt.
    """

    def before_train_iter(self, runner, batch_idx: int, data_batch=None):
        """Record the value which this iteration's step will use."""
        groups = runner.optim_wrapper.optimizer.param_groups
        decay = max(group.get('weight_decay', 0.) for group in groups)
        runner.message_hub.update_scalar('train/wd', float(decay))
