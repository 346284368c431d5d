"""What people read about a published backbone, and what a zoo reads."""
import os.path as osp
from typing import List, Optional, Sequence, Tuple

import yaml

from .architecture import VIT
from .converted import Converted
from .publish import Published

UNKNOWN = 'not stated'
# the scope of each library's registry, for its example
LIBRARIES = ('mmpretrain', 'mmpose', 'mmdet', 'mmseg')


def model_card(found: Converted, published: Published, name: str,
               others: Sequence[Published], timm: Optional[str]) -> str:
    """A model card in Markdown.

    Args:
        found (Converted): The published backbone.
        published (Published): Its ``.pth``.
        name (str): Of the model.
        others (Sequence[Published]): The same in other formats.
        timm (str, optional): Name of timm's folder.

    Returns:
        str: Front matter, what it is, what it expects, how it is loaded.
    """
    meta = found.meta
    licence = meta.get('licence') or UNKNOWN
    front = dict(license=licence, library_name='saip_mm', tags=['person'])
    files = [
        f'| `{osp.basename(p.path)}` | `{p.sha256}` |'
        for p in (published, *others)
    ]
    return '\n'.join([
        '---',
        yaml.safe_dump(front,
                       sort_keys=False).rstrip(), '---', '', f'# {name}', '',
        _what_it_is(found, published), '', '| file | SHA-256 |',
        '| --- | --- |', *files, '', *_facts(found, licence), '', '## Load it',
        '', *_loading(found, published, timm)
    ]) + '\n'


def _what_it_is(found: Converted, published: Published) -> str:
    which = found.meta.get('origin', {}).get('which') or found.which
    whose = f', of the {which}' if which else ''
    return (f'The image encoder alone: {found.model["type"].split(".")[-1]}, '
            f'{published.parameters:,} parameters{whose}.')


def _facts(found: Converted, licence: str) -> List[str]:
    meta = found.meta
    origin, statistics = meta.get('origin', {}), meta.get('input', {})
    rows = [
        ('config', origin.get('config') or UNKNOWN),
        ('trained for', f'{origin.get("epoch")} epochs, '
         f'{origin.get("iter")} iterations'),
        ('expert', meta.get('teacher') or UNKNOWN),
        ('data', meta.get('data') or UNKNOWN), ('licence', licence),
        ('input', f'RGB, 0-255, mean {statistics["mean"]}, std '
         f'{statistics["std"]}' if 'mean' in statistics else UNKNOWN),
        ('trained at', '{}x{} pixels'.format(
            *statistics['size']) if 'size' in statistics else UNKNOWN),
        ('image token', _image_token(found)),
        ('positions', f'{found.grid[0]}x{found.grid[1]}'
         if found.grid else 'none, any size'),
        ('arguments no tensor shows', f'`{found.options}`'),
        *_batch_norm(meta),
        ('layers never trained', ', '.join(meta.get('untrained') or ['none'])),
        ('versions', ', '.join(f'{k} {v}'
                               for k, v in meta.get('versions', {}).items())
         or UNKNOWN)
    ]
    return ['| | |', '| --- | --- |', *(f'| {k} | {v} |' for k, v in rows)]


def _batch_norm(meta: dict) -> List[Tuple[str, str]]:
    """Where running statistics come from, if not from the training."""
    if 'batch_norm' not in meta:
        return []
    return [("BatchNorm's statistics", f'of {meta["batch_norm"]}')]


def _image_token(found: Converted) -> str:
    if found.model['type'] == VIT:
        return 'the class token' if 'cls_token' in found.weights else 'none'
    norm = "the LayerNorm of `meta['tokens']['image_norm']`" if (
        'image_norm' in found.meta.get(
            'tokens', {})) else 'a LayerNorm that is not in the file'
    return f'the mean of the last map, then {norm}'


def _loading(found: Converted, published: Published,
             timm: Optional[str]) -> List[str]:
    file = osp.basename(published.path)
    arguments = [f'    {k}={v!r},' for k, v in found.model.items()]
    text = [
        '```python', 'from saip_mm.apis import load_backbone', '',
        f"backbone = load_backbone('{file}')", '```', '',
        f'In a config of {", ".join(LIBRARIES)}:', '', '```python',
        "custom_imports = dict(imports=['saip_mm'], "
        'allow_failed_imports=False)', 'backbone = dict(', *arguments,
        "    init_cfg=dict(type='Pretrained',",
        f"                  checkpoint='{file}'))", '```'
    ]
    if timm is None:
        return text
    text += [
        '', '```python',
        f"model = timm.create_model('local-dir:{timm}', pretrained=True)"
    ]
    if found.model['type'] != VIT:
        text[-1] = text[-1].replace('pretrained=True)',
                                    'pretrained=True, features_only=True)')
    if found.model.get('last_stride') == 1:
        place = ('stages_3[0].conv' if 'star' in found.model['model_name'] else
                 'stages_3.downsample.conv2.conv')
        text += [f'model.{place}.stride = (1, 1)  # as it was trained']
    return text + ['```']


def metafile_row(found: Converted, published: Published, name: str,
                 collection: str, config: Optional[str]) -> dict:
    """An entry of a metafile's ``Models``.

    Args:
        found (Converted): The published backbone.
        published (Published): Its ``.pth``.
        name (str): Of the model, unique.
        collection (str): It belongs to.
        config (str, optional): Path of its config in the repository.

    Returns:
        dict: ``Weights`` is the file's name alone: a zoo adds the place.
    """
    meta = found.meta
    about = {
        'Epochs': meta.get('origin', {}).get('epoch'),
        'Training Data': meta.get('data'),
        'Teacher': meta.get('teacher'),
        'License': meta.get('licence'),
        'Parameters': published.parameters,
        'SHA-256': published.sha256,
        'Bytes': osp.getsize(published.path),
    }
    row = {
        'Name': name,
        'In Collection': collection,
        'Config': config,
        'Metadata': {
            k: v
            for k, v in about.items() if v is not None
        },
        'Weights': osp.basename(published.path),
    }
    return {k: v for k, v in row.items() if v is not None}


def row_text(row: dict) -> str:
    """A metafile's row as YAML, indented as they are here."""
    text = yaml.safe_dump([row], sort_keys=False, allow_unicode=True)
    return ''.join(f'  {line}\n' for line in text.splitlines())
