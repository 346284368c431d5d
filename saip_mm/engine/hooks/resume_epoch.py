from typing import Optional

from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop

from mmpretrain.registry import HOOKS


@HOOKS.register_module()
class ResumeEpochHook(Hook):
    """After a resume inside an epoch, skip what the epoch has consumed.

    mmengine's epoch loop would start the running epoch from its beginning.
    This hook tells the sampler (``ResumableSampler.skip``) how many samples
    of this rank are done, so the loop goes on with the next batch, without
    loading the others. A checkpoint by iteration at an epoch's very end
    leaves an empty rest, whose end-of-epoch work is then done.
    """

    priority = 'LOW'  # after DistSamplerSeedHook has set the epoch

    def __init__(self) -> None:
        self.epoch_length: Optional[int] = None
        self.resumed = False

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Remember the epoch's length when the checkpoint was saved."""
        info = checkpoint.get('message_hub', {}).get('runtime_info', {})
        if info.get('max_epochs'):
            self.epoch_length = info['max_iters'] // info['max_epochs']

    def before_train(self, runner) -> None:
        """Find out whether this is a resumed run."""
        self.resumed = runner.iter > 0

    def before_train_epoch(self, runner) -> None:
        """Skip once, in the first epoch."""
        if not self.resumed:
            return
        self.resumed = False
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            return  # which skips by itself
        loader = runner.train_dataloader
        length = self.epoch_length or len(loader)
        done = runner.iter - runner.epoch * length
        sampler = getattr(loader.batch_sampler, 'sampler', loader.sampler)
        if length != len(loader):
            runner.logger.warning(
                f'an epoch had {length} iterations when the checkpoint was '
                f'saved and has {len(loader)} now (batch size, number of '
                'GPUs or data changed): the running epoch starts from its '
                'beginning and schedules by iteration are off, unless '
                'train.py has --resume-schedule new')
        elif done and not hasattr(sampler, 'skip'):
            runner.logger.warning(
                f'{type(sampler).__name__} cannot skip the {done} iterations '
                'the running epoch has done, it starts from its beginning: '
                'use ResumableSampler')
        elif done:
            sampler.skip(min(done * loader.batch_size, len(sampler)))
            runner.logger.info(
                f'skip {done} of {len(loader)} iterations of the running '
                'epoch')
