"""A published backbone with all that goes with it."""
import os
import os.path as osp
from typing import List, NamedTuple, Optional

from .atomic import remove, write_file
from .convert import convert_backbone
from .converted import Converted
from .metafile import enter_weights, read_metafile
from .model_card import metafile_row, model_card, row_text
from .publish import Measure, Prepared, Published, prepare, write_hashed
from .timm_folder import NoTimmModelError, timm_model, write_timm_folder


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
                    which: Optional[str] = None,
                    name: Optional[str] = None,
                    date: Optional[str] = None,
                    timm: Optional[bool] = None,
                    metafile: Optional[str] = None,
                    collection: str = 'SAIP',
                    config: Optional[str] = None,
                    measure: Optional[Measure] = None,
                    **said) -> Release:
    """Publish a backbone in all formats, with model card and metafile row.

    Each file is written whole or not at all, and if one cannot be, none
    stays. Each is named after its own hash: ``<stem>.pth``,
    ``<stem>.safetensors``, ``<stem>_timm/``, ``<stem>.md`` and
    ``<stem>.yml``.

    Args:
        checkpoint (str): As in :func:`.publish.publish_backbone`, which also
            explains ``out_dir``, ``which``, ``name``, ``date`` and ``said``
            (``teacher``, ``data``, ``licence``, ``semantic_weight``).
        timm (bool, optional): Whether to write a folder that timm opens.
            Defaults to None: where timm has such a model.
        metafile (str, optional): Also enter the file there.
        collection (str): Of the metafile's row. Defaults to 'SAIP'.
        config (str, optional): Path of its config, for the row.
        measure (Callable, optional): As there.

    Returns:
        Release: Files and notes.

    Raises:
        FileNotFoundError, ValueError: As there, and if the metafile is none;
            before anything is written.
        NoTimmModelError: With ``timm=True``, if timm has no such model;
            likewise.
        OSError: If a file cannot be written.
    """
    made = prepare(checkpoint, which, name, date, measure, **said)
    found = convert_backbone(made.content)
    notes: List[str] = []
    if metafile is not None:
        read_metafile(metafile)
    if timm is not False:
        try:
            timm_model(found)
        except NoTimmModelError as error:
            if timm:
                raise
            timm = False
            notes.append(f'no folder for timm: {error}')
    before = set(os.listdir(out_dir)) if osp.isdir(out_dir) else set()
    files: List[str] = []
    try:
        published = _write_weights(made, found, out_dir, timm is not False,
                                   files)
        row = metafile_row(found, published[0], made.name, collection, config)
        _write_texts(made, found, published, row, files)
        if metafile is not None:
            there = enter_weights(metafile, row)
            notes.append(f'{metafile}: {made.name} '
                         f'{"filled in" if there else "added"}')
    except BaseException:
        for path in files:
            if osp.basename(path) not in before:
                remove(path)
        raise
    return Release(published[0], files, notes)


def _write_weights(made: Prepared, found: Converted, out_dir: str, timm: bool,
                   files: List[str]) -> List[Published]:
    """Write the weights; ``files`` gets each path when it is there."""
    stem, published = osp.join(out_dir, made.stem), []
    for suffix in ('.pth', '.safetensors'):
        one = write_hashed(made.content, stem, made.parameters, suffix)
        published.append(one)
        files.append(one.path)
    if timm:
        folder = f'{osp.splitext(files[0])[0]}_timm'
        write_timm_folder(found, folder)
        files.append(folder)
    return published


def _write_texts(made: Prepared, found: Converted, published: List[Published],
                 row: dict, files: List[str]) -> None:
    """Write model card and row; ``files`` has the weights, and gets both."""
    stem = osp.splitext(files[0])[0]
    folder = next((osp.basename(f) for f in files if f.endswith('_timm')),
                  None)
    card = model_card(found, published[0], made.name, published[1:], folder)
    for path, text in ((f'{stem}.md', card), (f'{stem}.yml', row_text(row))):
        write_file(path, text.encode())
        files.append(path)
