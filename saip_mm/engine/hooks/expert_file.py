import logging

from mmengine.hooks import Hook
from mmengine.logging import print_log

from mmpretrain.registry import HOOKS
from ...weights import CheckpointError, meta_of
from .model_parts import expert_of


@HOOKS.register_module()
class ExpertFileHook(Hook):
    """Note in each checkpoint which frozen expert it learnt from.

    ``meta['expert']`` gets ``file``, ``name`` and ``sha256`` of a
    ``FrozenExpert``, whose weights are not in the checkpoint. A resume with
    other weights is refused; the same file may lie elsewhere. Does nothing
    with other experts.

    Raises:
        CheckpointError: When about to resume with another expert.
    """

    priority = 'VERY_HIGH'  # before anything of the checkpoint is taken up

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Add to ``meta``."""
        source = getattr(expert_of(runner), 'source', None)
        if source:
            checkpoint['meta']['expert'] = dict(source)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Compare with the expert of this run, if it goes on."""
        said = meta_of(checkpoint).get('expert')
        source = getattr(expert_of(runner), 'source', None)
        if not isinstance(said, dict) or source is None:
            return
        if said.get('sha256') == source.get('sha256'):
            return
        there, here = (
            f"{s.get('file') or s.get('name') or 'a random start'} (SHA-256 "
            f"{str(s.get('sha256'))[:16]})" for s in (said, source))
        text = f'it learnt from the frozen expert {there}, here it is {here}'
        if runner._resume:
            raise CheckpointError(
                f'{runner._load_from or "the checkpoint"}: {text}. Resume '
                'with that file (model.expert.checkpoint), or begin anew from '
                'these weights: load_from instead of --resume')
        print_log(text, 'current', level=logging.WARNING)
