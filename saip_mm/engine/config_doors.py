"""What a config, or an option given to it, gets wrong: mended or refused."""
import difflib
import inspect
import os
import os.path as osp
from typing import Any, Iterator, List, Optional, Tuple, Union

from mmengine.config import Config
from mmengine.runner import Runner

from .launch_options import tell

# default hooks which mmengine itself knows how to leave out
BUILT_IN_HOOKS = ('runtime_info', 'timer', 'sampler_seed', 'logger',
                  'param_scheduler', 'checkpoint')
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
# what the runner and the tools read of a config; any other name is a
# variable, whose value the settings got when the file was read
READ = frozenset(inspect.signature(Runner.__init__).parameters) | {
    'auto_scale_lr', 'compile', 'custom_imports', 'find_unused_parameters',
    'model_wrapper_cfg', 'strategy', 'sync_bn', 'tta_model', 'tta_pipeline'
}
# whole numbers of at least 1
COUNTS = ('train_cfg.max_epochs', 'train_cfg.max_iters',
          'train_cfg.val_interval', 'optim_wrapper.accumulative_counts',
          *(f'{loader}.batch_size' for loader in LOADERS))


def warn_of_new_keys(cfg: Config, options: dict) -> None:
    """Say which ``--cfg-options`` name settings that a config lacks.

    mmengine adds them, and a misspelled one has no effect. Some are meant:
    settings with a default are often left out of a config. A variable of the
    config, such as ``backbone``, has none either.

    Args:
        cfg (Config): Before the options.
        options (dict): Values by dotted names.

    Raises:
        ValueError: If a name leads through something that has no parts.
    """
    known = None
    for name in options:
        _tell_of_variable(cfg, name)
        node, done = cfg._cfg_dict, []
        for part in name.split('.'):
            done.append(part)
            if isinstance(node, (list, tuple)):
                if not part.isdigit() or int(part) >= len(node):
                    raise ValueError(
                        f'--cfg-options {name}: {".".join(done[:-1])} is a '
                        f'list of {len(node)}, its parts are numbers from 0')
                node = node[int(part)]
                continue
            if not isinstance(node, dict):
                raise ValueError(
                    f'--cfg-options {name}: {".".join(done[:-1])} is '
                    f'{node!r} in the config and has no parts')
            if part == '_delete_':
                break
            if part not in node:
                known = known or list(_names(cfg._cfg_dict))
                near = _nearest('.'.join(done), known)
                rest = name.split('.')[len(done):]
                meant = '.'.join([near, *rest]) if near else ''
                tell(f'WARNING: --cfg-options {name}: the config has no '
                     f'{".".join(done)}, it is added' +
                     (f'; did you mean {meant}?' if meant else ''))
                break
            node = node[part]


def complete_config(cfg: Config) -> None:
    """Make settings that were changed alone agree with their neighbours.

    ``~`` is a home folder in any value. Hooks set to None are left out.
    Without workers (``num_workers=0``) nothing about workers is asked for. A
    sampler that has to know the loader's batch gets it.
    Of validation and testing, a loop without settings gets the default one,
    and one whose data or metric are None is left out.

    Args:
        cfg (Config): Changed.
    """
    _expand_home(cfg._cfg_dict)
    hooks = cfg.get('default_hooks') or {}
    for name in [n for n, hook in hooks.items() if hook is None]:
        if name not in BUILT_IN_HOOKS:
            hooks.pop(name)
    if isinstance(cfg.get('custom_hooks'), (list, tuple)):
        cfg.custom_hooks = [h for h in cfg.custom_hooks if h is not None]
    for loader in LOADERS:
        for node in _loaders(cfg.get(loader)):
            if node.get('num_workers') == 0:
                node['persistent_workers'] = False
                node.pop('prefetch_factor', None)
            sampler = node.get('sampler')
            if isinstance(sampler, dict) and 'batch_size' in sampler:
                sampler['batch_size'] = node.get('batch_size')
    _complete_loop(cfg, 'val')
    _complete_loop(cfg, 'test')


def check_training(cfg: Config) -> None:
    """Refuse settings with which nothing can be trained.

    Raises:
        ValueError: Names the setting, its value and what it must be.
    """
    for name in ('model', 'train_dataloader', 'train_cfg', 'optim_wrapper'):
        if not cfg.get(name):
            raise ValueError(f'the config has no {name}: nothing can be '
                             'trained without it')
    loop = cfg.train_cfg
    if 'type' not in loop and 'by_epoch' not in loop:
        loop['by_epoch'] = 'max_iters' not in loop
    check_counts(cfg)
    if cfg.get('val_cfg') is None and any(
            'ReduceOnPlateau' in str(scheduler.get('type'))
            for scheduler in _loaders(cfg.get('param_scheduler'))):
        tell('WARNING: the learning rate falls by results of validation '
             '(ReduceOnPlateau), and there is none: it stays as it is')


def check_counts(cfg: Config) -> None:
    """Refuse lengths and batches that are no whole number of at least 1.

    Raises:
        ValueError: Names the setting and its value.
    """
    for name in COUNTS:
        outer, inner = name.split('.')
        node = cfg.get(outer)
        value = node.get(inner) if isinstance(node, dict) else None
        if value is None:
            continue
        whole = isinstance(value, int) or (isinstance(value, float)
                                           and value.is_integer())
        if isinstance(value, bool) or not whole or value < 1:
            raise ValueError(f'{name}={value!r}: it must be a whole number of '
                             'at least 1')
    for loader in LOADERS:
        for node in _loaders(cfg.get(loader)):
            workers = node.get('num_workers', 0)
            if not isinstance(workers, int) or workers < 0:
                raise ValueError(f'{loader}.num_workers={workers!r}: it must '
                                 'be a whole number, 0 for none')


def check_folder(folder: str, name: str) -> None:
    """Make a folder that is going to be written to, or say why not.

    Args:
        folder (str): The folder.
        name (str): What it is, for the error.

    Raises:
        OSError: If it is a file, or cannot be made or written to.
    """
    try:
        os.makedirs(folder or '.', exist_ok=True)
    except FileExistsError as error:
        raise FileExistsError(f'{name} {folder} is a file: it must be a '
                              'folder') from error
    except OSError as error:
        raise type(error)(error.errno, f'{name} {folder} cannot be made '
                          f'({error.strerror}): choose another') from error
    if not os.access(folder or '.', os.W_OK | os.X_OK):
        raise PermissionError(f'{name} {folder} cannot be written to: choose '
                              'another, or change its permissions')


def expand_home(path: Optional[str]) -> Optional[str]:
    """Replace a leading ``~`` by the home folder; None stays."""
    return path and osp.expanduser(path)


def _expand_home(node: Union[dict, list]) -> None:
    parts = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in parts:
        if isinstance(value, str):
            if value == '~' or value.startswith(('~/', '~\\')):
                node[key] = osp.expanduser(value)
        elif isinstance(value, tuple):
            items = list(value)
            _expand_home(items)
            if items != list(value):
                node[key] = tuple(items)
        elif isinstance(value, (dict, list)):
            _expand_home(value)


def _loaders(node: Any) -> Iterator[dict]:
    """A loader (or scheduler), or those of a list of them."""
    for loader in node if isinstance(node, (list, tuple)) else [node]:
        if isinstance(loader, dict):
            yield loader


def _complete_loop(cfg: Config, stage: str) -> None:
    parts = [f'{stage}_{part}' for part in ('dataloader', 'evaluator', 'cfg')]
    if all(cfg.get(part) is None for part in parts):
        return
    if parts[2] not in cfg and all(cfg.get(part) for part in parts[:2]):
        cfg[parts[2]] = dict()  # mmengine's default loop
        return
    empty = [part for part in parts if cfg.get(part) is None]
    if not empty:
        return
    what = dict(val='validation', test='testing')[stage]
    if any(part not in cfg for part in empty):
        raise ValueError(f'the config has no {empty[0]}: {what} needs '
                         f'{", ".join(parts)}; set all of them to None to do '
                         'without')
    tell(f'{empty[0]} is None: no {what}')
    for part in parts:
        cfg[part] = None


def _tell_of_variable(cfg: Config, name: str) -> None:
    """Say that a change of a variable comes too late, and what to set."""
    top = name.split('.')[0]
    if top in READ or top not in cfg:
        return
    others = [n for n in _names(cfg._cfg_dict) if n.split('.')[0] in READ]
    meant = [n for n in others if n.endswith(f'.{name}')] or [
        n for n in others if n.split('.')[-1] == name.split('.')[-1]
    ]
    tell(f'WARNING: --cfg-options {name}: {top} is a variable of the config, '
         'copied where it is used when the file is read, and has no effect '
         'now' + (f'; did you mean {min(meant, key=len)}?' if meant else ''))


def _names(node: Any, prefix: str = '') -> Iterator[str]:
    """Dotted names of all settings, those in lists left out."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield f'{prefix}{key}'
            yield from _names(value, f'{prefix}{key}.')


def _nearest(name: str, known: List[str]) -> str:
    """The most similar name beside it, else anywhere; '' if none is."""
    outer, _, inner = name.rpartition('.')
    beside, elsewhere = _split(known, outer)
    near = difflib.get_close_matches(inner, beside, 1, 0.7)
    if near:
        return f'{outer}.{near[0]}'.lstrip('.')
    same = [other for other in elsewhere if other.split('.')[-1] == inner]
    if same:
        return min(same, key=len)
    near = difflib.get_close_matches(name, elsewhere, 1, 0.8)
    return near[0] if near else ''


def _split(known: List[str], outer: str) -> Tuple[List[str], List[str]]:
    beside, elsewhere = [], []
    for name in known:
        above, _, inner = name.rpartition('.')
        if above == outer:
            beside.append(inner)
        else:
            elsewhere.append(name)
    return beside, elsewhere
