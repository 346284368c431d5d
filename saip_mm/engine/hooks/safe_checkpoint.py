import os.path as osp
from contextlib import contextmanager
from typing import Iterator, List

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook

from mmpretrain.registry import HOOKS
from ...models.finite import REMEDY, NonFiniteError, training_state
from ...weights import NonFiniteWeightsError, check_finite, write_file


class _KeepingBackend:
    """A file backend that notes what it is to remove, for later."""

    def __init__(self, backend) -> None:
        self.backend = backend
        self.removals: List[tuple] = []

    def __getattr__(self, name: str):
        return getattr(self.backend, name)

    def remove(self, path: str) -> None:
        self.removals.append((self.backend.remove, path))

    def rmtree(self, path: str) -> None:
        self.removals.append((self.backend.rmtree, path))


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """mmengine's ``CheckpointHook``, by which no kill loses anything.

    - What ``max_keep_ckpts`` or a better score makes superfluous is deleted
      after the new file has been written, not before. There is a moment with
      one file more than ``max_keep_ckpts``; a kill in it leaves it there.
    - ``last_checkpoint`` names the new file when that is whole, and is itself
      written whole or not at all.
    - Weights or moments that are not finite are not saved: a step that
      overflows right before would otherwise leave a file nobody can use.

    Args:
        **kwargs: As of ``mmengine.CheckpointHook``.

    Raises:
        NonFiniteError: When about to save what is not finite, naming the
            tensor and the last good checkpoint.
    """

    last_good = None  # the checkpoint before the one that is being saved

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Look at every tensor before anything is written."""
        try:
            check_finite(checkpoint, 'the checkpoint to be saved')
        except NonFiniteWeightsError as error:
            runner.message_hub.update_info('last_ckpt', self.last_good)
            raise NonFiniteError(
                f'{error} ({training_state()}). {REMEDY}') from error

    def _save_checkpoint_with_step(self, runner, step: int,
                                   meta: dict) -> None:
        hub = runner.message_hub
        self.last_good = hub.runtime_info.get('last_ckpt')
        kept = list(self.keep_ckpt_ids) if self.max_keep_ckpts > 0 else []
        outdated = self._note_step(runner, step)
        name = self.filename_tmpl.format(step)
        path = self.file_backend.join_path(self.out_dir, name)
        hub.update_info('last_ckpt', path)
        try:
            runner.save_checkpoint(
                self.out_dir,
                name,
                self.file_client_args,
                save_optimizer=self.save_optimizer,
                save_param_scheduler=self.save_param_scheduler,
                meta=meta,
                by_epoch=self.by_epoch,
                backend_args=self.backend_args,
                **self.args)
        except BaseException:  # as if it had not been tried
            hub.update_info('last_ckpt', self.last_good)
            if self.max_keep_ckpts > 0:
                self.keep_ckpt_ids.clear()
                self.keep_ckpt_ids.extend(kept)
                hub.update_info('keep_ckpt_ids', kept)
            raise
        self.last_ckpt = self.last_good = path
        if is_main_process():
            pointer = osp.join(runner.work_dir, 'last_checkpoint')
            write_file(pointer, path.encode())
            for other in outdated:
                self._remove(other)

    def _note_step(self, runner, step: int) -> List[str]:
        """Take a step among those kept; files that it makes superfluous.

        The new file is to say which are kept, itself among them.
        """
        if self.max_keep_ckpts <= 0:
            return []
        steps = [s for s in self.keep_ckpt_ids if s != step] + [step]
        excess = max(0, len(steps) - self.max_keep_ckpts)
        self.keep_ckpt_ids.clear()
        self.keep_ckpt_ids.extend(steps[excess:])
        runner.message_hub.update_info('keep_ckpt_ids', steps[excess:])
        return [
            self.file_backend.join_path(self.out_dir,
                                        self.filename_tmpl.format(s))
            for s in steps[:excess]
        ]

    def _remove(self, path: str) -> None:
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)
        elif self.file_backend.isdir(path):  # as deepspeed saves
            self.file_backend.rmtree(path)

    def _save_best_checkpoint(self, runner, metrics) -> None:
        with self._removing_last():
            super()._save_best_checkpoint(runner, metrics)

    @contextmanager
    def _removing_last(self) -> Iterator[None]:
        """What is removed inside is removed at the end, if all went well.

        The parent removes the best file before it has written a better one.
        """
        backend = self.file_backend
        self.file_backend = keeping = _KeepingBackend(backend)
        try:
            yield
        finally:
            self.file_backend = backend
        best = {
            getattr(self, 'best_ckpt_path', None),
            *getattr(self, 'best_ckpt_path_dict', {}).values()
        }
        for remove, path in keeping.removals:
            if path not in best:  # the better one may have taken its name
                remove(path)
