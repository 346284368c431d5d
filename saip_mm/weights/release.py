"""A published backbone with all that goes with it."""
import os.path as osp
from typing import List, NamedTuple, Optional

from .atomic import write_file
from .convert import convert_backbone
from .metafile import enter_weights
from .model_card import metafile_row, model_card, row_text
from .publish import Published, publish_backbone, write_hashed
from .read import read_checkpoint
from .timm_folder import NoTimmModelError, write_timm_folder


class Release(NamedTuple):
    """What :func:`publish_release` wrote.

    Attributes:
        published (Published): The ``.pth``.
        files (list[str]): All paths, the ``.pth`` first, folders too.
        notes (list[str]): What was left out, and why.
    """
    published: Published
    files: List[str]
    notes: List[str]


def publish_release(checkpoint: str,
                    out_dir: str = '.',
                    which: str = 'student',
                    name: Optional[str] = None,
                    date: Optional[str] = None,
                    timm: Optional[bool] = None,
                    metafile: Optional[str] = None,
                    collection: str = 'SAIP',
                    config: Optional[str] = None,
                    **said) -> Release:
    """Publish a backbone in all formats, with model card and metafile row.

    Each file is written whole or not at all, and is named after its own
    hash: ``<stem>.pth``, ``<stem>.safetensors``, ``<stem>_timm/``,
    ``<stem>.md`` and ``<stem>.yml``.

    Args:
        checkpoint (str): As in :func:`.publish.publish_backbone`, which also
            explains ``out_dir``, ``which``, ``name``, ``date`` and ``said``
            (``teacher``, ``data``, ``licence``, ``semantic_weight``).
        timm (bool, optional): Whether to write a folder that timm opens.
            Defaults to None: where timm has such a model.
        metafile (str, optional): Also enter the file there.
        collection (str): Of the metafile's row. Defaults to 'SAIP'.
        config (str, optional): Path of its config, for the row.

    Returns:
        Release: Files and notes.

    Raises:
        FileNotFoundError, ValueError: As there, before anything is written.
        NoTimmModelError: With ``timm=True``, if timm has no such model.
    """
    published = publish_backbone(checkpoint, out_dir, which, name, date,
                                 **said)
    content = read_checkpoint(published.path)
    found = convert_backbone(content)
    stem = osp.splitext(published.path)[0]
    title = name or osp.basename(stem).rpartition('_')[0]
    other = write_hashed(content,
                         stem.rpartition('-')[0], published.parameters,
                         '.safetensors')
    files, notes = [published.path, other.path], []
    folder: Optional[str] = f'{stem}_timm'
    try:
        if timm is False:
            folder = None
        else:
            write_timm_folder(found, folder)
            files.append(folder)
    except NoTimmModelError as error:
        if timm:
            raise
        folder = None
        notes.append(f'no folder for timm: {error}')
    row = metafile_row(found, published, title, collection, config)
    card = model_card(found, published, title, [other], folder
                      and osp.basename(folder))
    for path, text in ((f'{stem}.md', card), (f'{stem}.yml', row_text(row))):
        write_file(path, text.encode())
        files.append(path)
    if metafile is not None:
        there = enter_weights(metafile, row)
        notes.append(
            f'{metafile}: {title} {"filled in" if there else "added"}')
    return Release(published, files, notes)
