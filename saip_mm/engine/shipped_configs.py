"""Configs that come with the package, wherever it is installed."""
import functools
import os.path as osp

from mmengine.config import Config

from ..weights.shipped import PLACES, shipped_place

PREFIX = 'saip_mm::'
CONFIGS = 'configs'


def config_path(name: str) -> str:
    """Where a shipped config lies.

    Args:
        name (str): Its place below ``configs``, such as
            ``saip/vit_tiny.py``, with or without ``saip_mm::`` in front.

    Returns:
        str: Its path.

    Raises:
        FileNotFoundError: If there is none of that name.

    Example:
        >>> config_path('saip_mm::saip/vit_tiny.py').replace('\\\\', '/')
        '.../configs/saip/vit_tiny.py'
    """
    if name.startswith(PREFIX):
        name = name[len(PREFIX):]
    place = shipped_place(f'{CONFIGS}/{name}')
    if place is None:
        raise FileNotFoundError(
            f"saip_mm has no config '{name}': names are places below its "
            f'folder of configs, {osp.join(PLACES[0], CONFIGS)}, as in '
            f'{PREFIX}saip/vit_tiny.py')
    return osp.join(place, CONFIGS, *name.split('/'))


def register_prefix() -> None:
    """Let ``_base_ = 'saip_mm::saip/vit_tiny.py'`` find what is shipped.

    mmengine resolves ``mmdet::`` and the like by a fixed list of packages,
    and gives what it finds that package's registry as scope. There is no
    registry of this package, its classes are mmpretrain's.
    """
    resolve = Config._get_cfg_path
    if getattr(resolve, 'prefix', None) == PREFIX:
        return

    @functools.wraps(resolve)
    def resolve_own(cfg_path, filename):
        if cfg_path.startswith(PREFIX):
            return config_path(cfg_path), None
        return resolve(cfg_path, filename)

    resolve_own.prefix = PREFIX
    Config._get_cfg_path = staticmethod(resolve_own)


register_prefix()
