import os
import os.path as osp
from pathlib import Path
from typing import Union

from mmengine.fileio import LocalBackend, register_backend
from mmengine.utils import mkdir_or_exist


class AtomicBackend(LocalBackend):
    """Local files which are either the old ones or the new ones, never half.

    Content goes to a hidden file beside the target, is flushed to the disk
    and then renamed over it. A run killed while it saves therefore leaves
    the previous file as it was; the leftover of a kill is overwritten by the
    next save of the same name.

    Example:
        >>> checkpoint = dict(
        ...     type='CheckpointHook', backend_args=dict(backend='atomic'))
    """

    def put(self, obj: bytes, filepath: Union[str, Path]) -> None:
        """Write bytes, all or nothing.

        Args:
            obj (bytes): Content.
            filepath (str or Path): Target; its folder is made if missing.
        """
        folder, name = osp.split(osp.abspath(filepath))
        mkdir_or_exist(folder)
        partial = osp.join(folder, f'.{name}.partial')
        try:
            with open(partial, 'wb') as file:
                file.write(obj)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, filepath)
        except BaseException:
            if osp.exists(partial):
                os.remove(partial)
            raise
        self._sync_folder(folder)

    def put_text(self,
                 obj: str,
                 filepath: Union[str, Path],
                 encoding: str = 'utf-8') -> None:
        """Write text, all or nothing.

        Args:
            obj (str): Content.
            filepath (str or Path): Target; its folder is made if missing.
            encoding (str): Defaults to 'utf-8'.
        """
        self.put(obj.encode(encoding), filepath)

    @staticmethod
    def _sync_folder(folder: str) -> None:
        """Make the rename itself survive a power cut, where that exists."""
        if os.name == 'posix':
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            except OSError:  # some network file systems refuse folders
                pass
            finally:
                os.close(handle)


register_backend('atomic', AtomicBackend, force=True)
