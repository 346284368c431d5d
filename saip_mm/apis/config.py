"""A config from its file to a run: settings, work dir, runner."""
import os
import os.path as osp
from typing import Optional, Union

from mmengine.config import Config
from mmengine.registry import RUNNERS, init_default_scope
from mmengine.runner import Runner
from mmengine.utils import import_modules_from_strings
from torch import distributed

from ..engine.config_doors import (complete_config, expand_home,
                                   warn_of_new_keys)
from ..engine.launch_options import has_gpu
from ..engine.shipped_configs import PREFIX, config_path


def load_config(config: Union[str, os.PathLike, Config],
                options: Optional[dict] = None,
                work_dir: Optional[str] = None,
                launcher: str = 'none',
                schedule: Optional[float] = None) -> Config:
    """Read a config, change settings, import what it names, set its scope.

    All tools and interfaces read configs through here. Afterwards its parts
    can be built; a runner can be made of it.

    Args:
        config (str | PathLike | Config): Its file, or its contents, which
            are changed.
        options (dict, optional): Settings to override.
        work_dir (str, optional): Folder of the run. Defaults to the
            config's, and else to :func:`default_work_dir`.
        launcher (str): ``'none'``, ``'pytorch'``, ``'slurm'``, ``'mpi'``.
        schedule (float, optional): Fraction of the training to be done; it
            names the default work dir.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If an option leads nowhere, or a loop lacks a part.
    """
    cfg = config if isinstance(config, Config) else read_config(str(config))
    override(cfg, options)
    cfg.launcher = launcher
    cfg.work_dir = expand_home(work_dir) or cfg.get(
        'work_dir') or default_work_dir(cfg.filename or 'config', schedule)
    return cfg


def read_config(config: str) -> Config:
    """Read a config as its file has it; ``~`` is the home folder.

    ``saip_mm::saip/vit_tiny.py`` is a shipped one, wherever it lies.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    if config.startswith(PREFIX):
        config = config_path(config)
    config = expand_home(config)
    if not osp.isfile(config):
        raise FileNotFoundError(
            f'no config {config} in {os.getcwd()}; those of an installed '
            'saip_mm lie in the folder saip_mm/.mim/configs and are named '
            f'{PREFIX}saip/vit_tiny.py')
    return Config.fromfile(config)


def override(cfg: Config, options: Optional[dict] = None) -> None:
    """Override settings of a config and complete what depends on them.

    Args:
        cfg (Config): Changed; what it names is imported.
        options (dict, optional): Settings by dotted name.

    Raises:
        ValueError: If an option leads nowhere, or a loop lacks a part.
    """
    if options:
        warn_of_new_keys(cfg, options)
        cfg.merge_from_dict(options)
    complete_config(cfg)
    imports = cfg.get('custom_imports')
    if imports:
        import_modules_from_strings(**imports)
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))


def default_work_dir(config: str, schedule: Optional[float] = None) -> str:
    """Folder of a run: ``work_dirs`` and the config's place in ``configs``.

    Config names are short here, so the name alone would mix up tasks. A
    shortened training has a folder of its own: its checkpoints and its
    learning rates are not those of the whole.

    Example:
        >>> default_work_dir('../saip/configs/pose/coco/vit_tiny.py')
        'work_dirs/pose/coco/vit_tiny'
        >>> default_work_dir('mine.py')
        'work_dirs/mine'
        >>> default_work_dir('mine.py', schedule=0.25)
        'work_dirs/mine_x0.25'
    """
    suffix = '' if schedule is None else f'_x{schedule:g}'
    parts = osp.splitext(config)[0].replace(os.sep, '/').split('/')
    if 'configs' in parts[:-1]:
        last = len(parts) - 1 - parts[::-1].index('configs')
        return '/'.join(['work_dirs', *parts[last + 1:]]) + suffix
    return f'work_dirs/{parts[-1]}{suffix}'


def build_runner(cfg: Config) -> Runner:
    """Build the runner; on CPU, the processes' group before it.

    mmengine would ask CUDA for a device while it makes the group.
    """
    if (cfg.launcher == 'pytorch' and not has_gpu()
            and not distributed.is_initialized()):
        distributed.init_process_group('gloo')
    if 'runner_type' in cfg:
        return RUNNERS.build(cfg)
    return Runner.from_cfg(cfg)
