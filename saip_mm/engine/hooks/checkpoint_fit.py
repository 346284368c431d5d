from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel

from mmpretrain.registry import HOOKS
from ...weights import (BACKBONES, CheckpointError, NoMatchError,
                        check_weights, listed_keys, weights_of)
from .model_parts import bare_model


@HOOKS.register_module()
class CheckpointFitHook(Hook):
    """Refuse a checkpoint of another architecture: loaded, resumed, tested.

    mmengine loads what happens to fit and warns of the rest, so that a wrong
    file trains from random weights, or measures them.

    Args:
        partial (bool): Of ``load_from``, take what fits and warn, if
            anything does: a detector of other classes, say. A resume needs
            all. Defaults to False.

    Raises:
        CheckpointError: If tensors are missing, left over, or have other
            shapes; position tables of another length are left to the model.
    """

    priority = 'VERY_HIGH'  # before hooks that take up parts of the file

    def __init__(self, partial: bool = False) -> None:
        self.partial = partial

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Compare names and shapes before mmengine loads anything."""
        model = bare_model(runner)
        if isinstance(model, BaseTTAModel):
            model = model.module
        file = runner._load_from or 'the checkpoint'
        remedy = self._remedy(model, file, runner._resume)
        try:
            check_weights(
                model,
                weights_of(checkpoint),
                file,
                exact=True,
                file_keys=listed_keys(checkpoint),
                remedy=remedy)
        except ValueError as error:
            if (not self.partial or runner._resume
                    or isinstance(error, NoMatchError)):
                raise CheckpointError(str(error)) from error
            runner.logger.warning(f'partial=True, take what fits: {error}')

    @staticmethod
    def _remedy(model, file: str, resume: bool) -> str:
        if resume:
            return 'Resume with the config that it was trained with'
        names = list(model.state_dict())
        place = next((prefix for prefix in BACKBONES['student'] if any(
            name.startswith(prefix) for name in names)), 'backbone.')
        return ('Take the config that it was trained with; a backbone alone '
                f'goes to model.{place}init_cfg.checkpoint={file} instead of '
                'load_from; to start from the part that fits, '
                'default_hooks.checkpoint_fit.partial=True')
