"""The views of a folder before anything is trained on it."""
import os.path as osp
import tempfile
from typing import Tuple

from ..engine.config_doors import expand_home
from .inspect import draw_batch
from .start_config import NAME, write_config
from .start_plan import check_count


def draw_views(source: str,
               out: str,
               backbone: str = 'vit_tiny',
               num: int = 6,
               seed: int = 0) -> Tuple[int, int]:
    """Draw the views that a pretraining makes of some of its pictures.

    Args:
        source (str): A config; a folder with the ``pretrain.py`` that
            :func:`.start_config.write_config` wrote; or a folder of pictures.
        out (str): PNG file to write.
        backbone (str): For a folder of pictures. Defaults to 'vit_tiny'.
        num (int): Pictures, the rows. Defaults to 6.
        seed (int): Of the choice of pictures and of all draws. Defaults to 0.

    Returns:
        tuple[int, int]: Height and width of the picture.

    Raises:
        FileNotFoundError: If there is no such source.
        ValueError: If it holds no pictures, or ``out`` is no PNG.
    """
    check_count('num', num)
    path = expand_home(source)
    written = osp.join(path, NAME)
    if osp.isfile(written):
        path = written
    if not osp.isdir(path):
        return draw_batch('views', path, None, out, num, seed)
    with tempfile.TemporaryDirectory() as folder:
        config = write_config(path, folder, backbone, seed=seed, quiet=True)
        return draw_batch('views', config, None, out, num, seed)
