"""What a checkpoint's own notes say of its training."""
import posixpath
from importlib import metadata
from typing import List, Optional

from .saved_config import saved_settings

LIBRARIES = dict(
    saip_mm=('saip_mm', ),
    torch=('torch', ),
    timm=('timm', ),
    mmengine=('onedl-mmengine', 'mmengine'),
    mmpretrain=('onedl-mmpretrain', 'mmpretrain'))


def versions() -> dict:
    """Versions of the libraries that make a backbone's numbers, by name."""
    from ..version import __version__
    found = dict(saip_mm=__version__)
    for name, packages in LIBRARIES.items():
        for package in packages:
            try:
                found.setdefault(name, metadata.version(package))
            except metadata.PackageNotFoundError:
                continue
    return found


def training_facts(meta: dict) -> dict:
    """Teacher and data, of the config that mmengine saves in ``meta``.

    Args:
        meta (dict): Of a training checkpoint.

    Returns:
        dict: ``teacher`` and ``data`` as texts, where the config says them.
        Names of lists and folders only, no place on a machine.

    Example:
        >>> training_facts(dict(cfg=\"\"\"
        ... model = dict(expert=dict(type='EmaExpert'))
        ... train_dataloader = dict(dataset=dict(sources=[
        ...     dict(data_root='a/lup', ann_file='lists/lup1m.txt')]))\"\"\"))
        {'teacher': 'EMA of the student', 'data': 'lup1m.txt'}
    """
    settings = saved_settings(meta)
    model = settings.get('model')
    expert = model.get('expert') if isinstance(model, dict) else None
    found = dict(
        teacher=_teacher(expert),
        data=', '.join(dict.fromkeys(_sets(settings.get('train_dataloader'))))
        or None)
    return {key: value for key, value in found.items() if value}


def _teacher(expert) -> Optional[str]:
    if not isinstance(expert, dict):
        return None
    if expert.get('type') == 'EmaExpert':
        return 'EMA of the student'
    files = list(_values(expert, ('checkpoint', 'model_name')))
    kind = str(expert.get('type'))
    return f'{kind}, {posixpath.basename(files[0])}' if files else kind


def _sets(loader) -> List[str]:
    """Lists of the data sets of a loader, or folders where there are none."""
    lists = _values(loader, ('ann_file', ))
    names = lists or _values(loader, ('data_root', ))
    return [posixpath.basename(name.rstrip('/')) for name in names]


def _values(settings, keys) -> List[str]:
    """Texts under such keys, however deep."""
    found = []
    if isinstance(settings, dict):
        for key, value in settings.items():
            if key in keys and isinstance(value, str) and value:
                found.append(value)
            else:
                found += _values(value, keys)
    elif isinstance(settings, (list, tuple)):
        for value in settings:
            found += _values(value, keys)
    return found
