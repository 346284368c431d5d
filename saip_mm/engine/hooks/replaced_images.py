import torch
from mmengine.hooks import Hook

from mmpretrain.registry import HOOKS


@HOOKS.register_module()
class ReplacedImagesHook(Hook):
    """Log how many broken images the data replaced so far, on this rank.

    Counts ``replaced`` of the batches, one number or flag a sample; does
    nothing for batches without it. The count is ``data/replaced``.
    """

    key = 'train/data/replaced'

    def after_train_iter(self,
                         runner,
                         batch_idx: int,
                         data_batch=None,
                         outputs=None) -> None:
        """Add the batch's count to the sum, which survives a resume."""
        if not isinstance(data_batch, dict) or 'replaced' not in data_batch:
            return
        replaced = data_batch['replaced']
        hub = runner.message_hub
        before = hub.get_scalar(
            self.key).current() if self.key in hub.log_scalars else 0
        hub.update_scalar(self.key,
                          int(before) + int(torch.as_tensor(replaced).sum()))
