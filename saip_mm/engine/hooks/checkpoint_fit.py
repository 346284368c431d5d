from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel
from mmengine.runner.base_loop import BaseLoop

from mmpretrain.registry import HOOKS
from ...weights import (BACKBONES, CheckpointError, NoMatchError,
                        check_weights, for_test, listed_keys, training_only,
                        weights_of)
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

    A test takes a checkpoint whose training parts are others, such as the
    classifier of other persons, see :func:`~saip_mm.weights.load_weights`.

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
        weights, spared = weights_of(checkpoint), ()
        if not isinstance(getattr(runner, '_train_loop', None), BaseLoop):
            weights = for_test(model, weights, file)
            spared = training_only(model)
        try:
            check_weights(
                model,
                weights,
                file,
                exact=True,
                file_keys=listed_keys(checkpoint),
                remedy=remedy,
                spared=spared)
        except ValueError as error:
            if (not self.partial or runner._resume
                    or isinstance(error, NoMatchError)):
                raise CheckpointError(str(error)) from error
            runner.logger.warning(f'partial=True, take what fits: {error}')

    @staticmethod
    def _remedy(model, file: str, resume: bool) -> str:
        if resume:
            return ('Resume with the config that it was trained with; to '
                    'begin anew from the part that fits (with other persons '
                    f'or classes, say), leave --resume out and set load_from='
                    f'{file} default_hooks.checkpoint_fit.partial=True')
        names = list(model.state_dict())
        place = next((prefix for prefix in BACKBONES['student'] if any(
            name.startswith(prefix) for name in names)), 'backbone.')
        return ('Take the config that it was trained with; a backbone alone '
                f'goes to model.{place}init_cfg.checkpoint={file} instead of '
                'load_from; to start from the part that fits, '
                'default_hooks.checkpoint_fit.partial=True')
