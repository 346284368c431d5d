"""The config a checkpoint was saved with, read without running it."""
import ast
from typing import Any, Optional

NOT_RUN = 'cfg_not_run'  # where a config goes that builds anything else
SCOPES = ('mmengine', 'mmcv', 'mmpretrain', 'mmdet', 'mmpose', 'mmseg')


def parse_config(text: Any) -> Optional[dict]:
    """Settings in the text of a config, as mmengine saves it.

    mmengine's own reader runs the text as a program.

    Args:
        text (str): Assignments of constants, lists, tuples and dicts.

    Returns:
        dict, optional: Values by name; None if the text is anything else.

    Example:
        >>> parse_config("a = dict(b=[1, -2.5], c=dict({'d e': None}))")
        {'a': {'b': [1, -2.5], 'c': {'d e': None}}}
        >>> parse_config("a = __import__('os').getcwd()") is None
        True
    """
    # mmengine replaces {{...}} in the text itself, before it is parsed
    if not isinstance(text, str) or '{{' in text:
        return None
    try:
        settings = {}
        for line in ast.parse(text).body:
            (target, ) = line.targets
            settings[target.id] = _value(line.value)
        return settings
    except (AttributeError, LookupError, RecursionError, SyntaxError,
            TypeError, ValueError):
        return None


def saved_settings(meta: dict) -> dict:
    """Settings of the config in a checkpoint's ``meta``; none: empty.

    Also of one that mmengine is kept from running, see :mod:`.loader`: it is
    only read here.
    """
    return parse_config(meta.get('cfg', meta.get(NOT_RUN))) or {}


def builds_known_classes(settings: Any) -> bool:
    """Whether each ``type`` is a class of a registry of OpenMMLab.

    mmengine's registry imports whatever else a dotted name points at,
    ``subprocess.call`` too; scopes and ``custom_imports`` are looked at
    likewise.

    Args:
        settings (Any): As :func:`parse_config` gives them.

    Example:
        >>> builds_known_classes([dict(type='mmdet.Resize'), dict(type='A')])
        True
        >>> builds_known_classes(dict(a=dict(type='os.system')))
        False
    """
    if isinstance(settings, dict):
        scopes = [
            str(settings.get('type', '')).rpartition('.')[0],
            str(settings.get('constructor', '')).rpartition('.')[0],
            settings.get('_scope_') or '',
            settings.get('default_scope') or ''
        ]
        if '_base_' in settings or any(
                isinstance(settings.get(key), str)
                and not settings[key].rpartition('.')[2][:1].isupper()
                for key in ('type', 'constructor')
                if '.' in str(settings.get(key))):
            return False
        imports = settings.get('custom_imports') or {}
        if isinstance(imports, dict):
            modules = imports.get('imports') or []
            modules = [modules] if isinstance(modules, str) else modules
            scopes += [str(module).partition('.')[0] for module in modules]
        return all(scope in ('', 'saip_mm', *SCOPES)
                   for scope in scopes) and all(
                       map(builds_known_classes, settings.values()))
    if isinstance(settings, (list, tuple)):
        return all(map(builds_known_classes, settings))
    return True


def _value(node: ast.AST) -> Any:
    if isinstance(node, ast.Call):
        if node.func.id != 'dict' or len(node.args) > 1:
            raise ValueError('a call')
        pairs = dict(_value(node.args[0])) if node.args else {}
        pairs.update((k.arg, _value(k.value)) for k in node.keywords)
        return pairs
    if isinstance(node, ast.Dict):
        return {_value(k): _value(v) for k, v in zip(node.keys, node.values)}
    if isinstance(node, (ast.List, ast.Tuple)):
        items = [_value(item) for item in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)
    if isinstance(node, ast.Name):  # as Python prints these numbers
        return dict(inf=float('inf'), nan=float('nan'))[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.Constant):
        return node.value
    return ast.literal_eval(node)
