from mmengine.hooks import Hook

from mmpretrain.registry import HOOKS
from .model_parts import bare_model


@HOOKS.register_module()
class EncoderMetaHook(Hook):
    """Say in each checkpoint what its encoder expects, and what it lacks.

    ``meta['encoder']`` gets ``backbone``: its arguments that no tensor shows,
    such as the last stride or the heads, ``untrained``: names of the
    backbone's parameters that no objective reached, ``stride`` and, of a
    plain transformer, ``patch_index`` of the inner tokens, and, where the
    preprocessor has them, ``mean`` and ``std`` of the input (RGB, 0-255);
    ``semantic_weight`` of an encoder that has one.
    Publishing hands them on. Models other than ``ViewPretraining`` are left
    alone.
    """

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Add to ``meta``."""
        model = bare_model(runner)
        if not hasattr(model, 'untrained'):
            return
        prefix, encoder = 'backbone.', model.encoder
        meta = dict(
            backbone=dict(getattr(encoder.backbone, 'options', {})),
            untrained=[
                name[len(prefix):] for name in model.untrained
                if name.startswith(prefix)
            ])
        if hasattr(encoder.dims, 'stride'):
            meta['stride'] = encoder.dims.stride
        if hasattr(encoder, 'patch_index'):
            meta['patch_index'] = encoder.patch_index
        if hasattr(encoder, 'semantic_weight'):
            meta['semantic_weight'] = encoder.semantic_weight
        if hasattr(model.data_preprocessor, 'mean'):
            mean, std = model.input_statistics
            meta.update(mean=list(mean), std=list(std))
        checkpoint['meta']['encoder'] = meta
