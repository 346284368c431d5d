from mmengine.hooks import Hook

from mmpretrain.registry import HOOKS


@HOOKS.register_module()
class EpochLengthHook(Hook):
    """Counts anew, each epoch, how many iterations a training has.

    For samplers whose epochs differ in length (``IdentityBatchSampler``):
    mmengine multiplies the first one's, so that the time left is wrong, at
    the end even negative, and what waits for the last iteration may wait in
    vain.
    """

    priority = 'LOW'  # after DistSamplerSeedHook has set the epoch

    def before_train_epoch(self, runner) -> None:
        """Take those done, and epochs of the present length."""
        left = runner.max_epochs - runner.epoch
        runner.train_loop._max_iters = (
            runner.iter + left * len(runner.train_dataloader))
