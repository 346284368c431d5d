"""Tar shards made by hand."""
import io
import json
import tarfile
from pathlib import Path

from ._images import encode, photo


def write_tar(path, members):
    """A tar file of (name, bytes), as others than us would write it."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, 'w') as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def write_shards(folder, counts, sizes=True):
    """Shards with pictures that differ, and their index."""
    entries, number = [], 0
    for shard, count in enumerate(counts):
        members = []
        for _ in range(count):
            data = encode(photo(40, 20, seed=number))
            members.append((f'p{number:04d}.jpg', data))
            number += 1
        path = Path(write_tar(Path(folder) / f'{shard:06d}.tar', members))
        entry = dict(url=path.name, nsamples=count)
        if sizes:
            entry['filesize'] = path.stat().st_size
        entries.append(entry)
    (Path(folder) / 'shards.json').write_text(
        json.dumps(dict(shardlist=entries)))
    return str(folder)
