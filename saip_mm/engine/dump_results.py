import os.path as osp
import pickle

from mmengine.evaluator import DumpResults
from mmengine.logging import print_log

from ..weights import write_file
from .config_doors import check_folder

ENDINGS = ('.pkl', '.pickle')


class AtomicDumpResults(DumpResults):
    """Write all predictions to a pickle file, whole or not at all.

    Args:
        out_file_path (str): The file; an old one is replaced when all is
            written.
    """

    def compute_metrics(self, results: list) -> dict:
        """Write; there is nothing to measure."""
        write_file(self.out_file_path, pickle.dumps(results, protocol=4))
        print_log(f'{len(results)} predictions in {self.out_file_path}',
                  'current')
        return {}


def check_out_file(path: str) -> None:
    """Refuse, before a test is run, a file that could not be written.

    Args:
        path (str): The file; its folder is made.

    Raises:
        ValueError: If it does not end with ``.pkl`` or ``.pickle``.
        OSError: If it is a folder, or its folder cannot be written to.
    """
    if not path.endswith(ENDINGS):
        raise ValueError(f'--out {path} must end with {" or ".join(ENDINGS)}: '
                         'predictions are written as a pickle')
    if osp.isdir(path):
        raise IsADirectoryError(f'--out {path} is a folder: name a file')
    check_folder(osp.dirname(path), '--out')
