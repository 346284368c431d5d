"""Write rendered people to disk, in the formats of the real data sets."""
import hashlib
import json
import os
import os.path as osp
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Iterator, List, Optional, Sequence

import cv2
from mmengine.utils import ProgressBar

from ..datasets.prepare.output import check_folder
from ..weights import write_file
from ..weights.atomic import remove_leftovers
from .writers import SIZES, WRITERS

MANIFEST = 'synthetic.json'
RECIPE = 3  # raise it when the same seed gives other pictures
CHUNK = 16  # pictures a worker renders at a time


def write_dataset(out_dir: str,
                  formats: Sequence[str] = ('luperson', 'market1501'),
                  size: str = 'tiny',
                  seed: int = 0,
                  workers: int = 0,
                  progress: bool = True) -> dict:
    """Render people and lay them out as the named data sets do.

    The same settings give the same bytes, whatever ``workers`` is. Each
    format gets its own folder with a manifest, which says that it is
    complete only after everything else is written: an interrupted run is
    taken up by the same call, a complete one is left as it is.

    Args:
        out_dir (str): Gets one folder a format.
        formats (list[str]): Names in ``WRITERS``. Defaults to
            ('luperson', 'market1501').
        size (str): 'tiny', 'small' or 'large'. Defaults to 'tiny'.
        seed (int): Not negative. Defaults to 0.
        workers (int): Processes; 0 renders in this one. Defaults to 0.
        progress (bool): Whether to show a bar. Defaults to True.

    Returns:
        dict: Format -> manifest (``dict``: settings, ``num``, ``files``,
        ``sha256``, ``skipped``).

    Raises:
        ValueError: If a setting is unknown or out of range.
        FileExistsError: If a format's folder holds something else.
        OSError: If a file cannot be written; names it.
    """
    _check(formats, size, seed, workers)
    out_dir = osp.expanduser(out_dir)
    settings = dict(size=size, seed=seed, recipe=RECIPE)
    # All folders first: nothing is rendered if one of them is refused.
    states = {
        name: _claim(osp.join(out_dir, name), name, settings)
        for name in formats
    }
    manifests = {}
    for name in formats:
        root, known = osp.join(out_dir, name), states[name]
        if known is not None:
            manifests[name] = dict(known, skipped=True)
        else:
            manifests[name] = dict(
                _write_format(root, name, settings, workers, progress),
                skipped=False)
    return manifests


def _check(formats, size, seed, workers):
    unknown = [name for name in formats if name not in WRITERS]
    if unknown or not formats:
        raise ValueError(f'unknown formats {unknown}; choose from '
                         f'{sorted(WRITERS)}')
    if size not in SIZES:
        raise ValueError(f"size must be one of {SIZES}, got '{size}'")
    if seed < 0 or workers < 0:
        raise ValueError('seed and workers must not be negative, got '
                         f'{seed} and {workers}')


def _claim(root: str, name: str, settings: dict) -> Optional[dict]:
    """Make sure that a folder is ours to write.

    Returns:
        dict or None: The manifest if everything is there already.
    """
    path = osp.join(root, MANIFEST)
    check_folder(osp.dirname(osp.abspath(root)))
    if osp.lexists(root) and not osp.isdir(root):
        raise FileExistsError(f"'{root}' is no folder; choose another output "
                              'folder or remove it')
    if not osp.isdir(root) or not os.listdir(root):
        return None
    if not osp.isfile(path):
        raise FileExistsError(
            f"'{root}' is not empty and was not made by this tool (no "
            f'{MANIFEST}); choose another output folder or remove it')
    try:
        with open(path, encoding='utf-8') as file:
            manifest = json.load(file)
        found = {key: manifest[key] for key in settings}
    except (ValueError, KeyError, TypeError) as error:
        raise FileExistsError(f"'{path}' cannot be read ({error!r}); remove "
                              f"'{root}' and run again") from error
    if found != settings:
        raise FileExistsError(
            f"'{root}' holds {name} rendered with {found}, asked for is "
            f'{settings}; choose another output folder or remove it')
    # More files are the user's: lists made of ours, for example.
    whole = manifest.get('complete') and manifest['files'] < sum(
        len(files) for _, _, files in os.walk(root))
    return manifest if whole else None


def _write_format(root, name, settings, workers, progress):
    writer = WRITERS[name]
    for folder, _, _ in os.walk(root):  # of a killed run
        remove_leftovers(folder)
    _save_manifest(root, dict(settings, format=name, complete=False))
    jobs = writer.plan(settings['size'], settings['seed'])
    if progress:
        print(f'{name}: {len(jobs)} pictures into {root}')
    bar = ProgressBar(len(jobs)) if progress else None
    digest, records, files = hashlib.sha256(), [], 0
    for done in _render_all(writer, jobs, root, settings['seed'], workers):
        for content, count, record in done:
            digest.update(content)
            files += count
            records.append(record)
        if bar is not None:
            bar.update(len(done))
    if progress:
        print()
    extra = writer.finish(root, jobs, records)
    for path in extra:
        with open(osp.join(root, path), 'rb') as file:
            digest.update(hashlib.sha256(file.read()).digest())
    manifest = dict(
        settings,
        format=name,
        complete=True,
        num=len(jobs),
        files=files + len(extra),
        sha256=digest.hexdigest())
    _save_manifest(root, manifest)
    return manifest


def _render_all(writer, jobs, root, seed, workers) -> Iterator[List[tuple]]:
    """Render in order, a chunk at a time."""
    chunks = [jobs[i:i + CHUNK] for i in range(0, len(jobs), CHUNK)]
    render = partial(_render_chunk, writer.name, root, seed)
    if workers < 2:
        yield from map(render, chunks)
        return
    # One thread a process: the pictures are small.
    with ProcessPoolExecutor(
            workers, initializer=cv2.setNumThreads, initargs=(1, )) as pool:
        yield from pool.map(render, chunks)


def _render_chunk(name: str, root: str, seed: int, jobs) -> List[tuple]:
    """Render and save pictures.

    Returns:
        list[tuple]: ``(SHA-256, number of files, record)`` of each.
    """
    results = []
    for job in jobs:
        files, record = WRITERS[name].render(job, seed)
        digest = hashlib.sha256()
        for path, content in sorted(files.items()):
            digest.update(path.encode() + content)
            # They can be rendered again, and waiting for the disk after
            # each takes as long as rendering.
            write_file(osp.join(root, path), content, sync=False)
        results.append((digest.digest(), len(files), record))
    return results


def _save_manifest(root: str, manifest: dict) -> None:
    text = json.dumps(manifest, indent=2) + '\n'
    write_file(osp.join(root, MANIFEST), text.encode())
