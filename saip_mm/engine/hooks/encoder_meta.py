from mmengine.hooks import Hook

from mmpretrain.registry import HOOKS
from .model_parts import bare_model


@HOOKS.register_module()
class EncoderMetaHook(Hook):
    """Say in each checkpoint what its encoder expects, and what it lacks.

    ``meta['encoder']`` gets ``mean`` and ``std`` of the input (RGB, 0-255),
    ``backbone``: its arguments that no tensor shows, such as the last stride
    or the heads, and ``untrained``: names of the backbone's parameters that
    no objective reached. Publishing hands them on.
    """

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Add to ``meta``."""
        model = bare_model(runner)
        if not hasattr(model, 'input_statistics'):
            return
        mean, std = model.input_statistics
        # an encoder of one's own may have its network under another name
        backbone = getattr(model.encoder, 'backbone', None)
        prefix = 'backbone.'
        checkpoint['meta']['encoder'] = dict(
            mean=list(mean),
            std=list(std),
            backbone=dict(getattr(backbone, 'options', {})),
            untrained=[
                name[len(prefix):] for name in model.untrained
                if name.startswith(prefix)
            ])
