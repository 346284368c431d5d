"""Tar shards made by hand, and a web server for them."""
import io
import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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


class Server:
    """Files of a folder over http on this machine, with faults to order.

    Attributes:
        asked (list): (path, range or None) of each request.
        cut (dict): After how many bytes the next answers of a path break
            off, one after the other.
        status (dict): Codes that the next requests of a path get instead.
        ranges (bool): Whether ``Range`` is known.
        moved (dict): Paths that lie elsewhere.
    """

    def __init__(self, folder):
        self.folder, self.asked = Path(folder), []
        self.cut, self.status, self.moved = {}, {}, {}
        self.ranges = True
        outer = self

        class Handler(BaseHTTPRequestHandler):

            def log_message(self, *args):
                pass

            def do_GET(self):
                outer.answer(self)

        self.http = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.http.server_port}'

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *args):
        self.http.shutdown()
        self.http.server_close()

    def answer(self, request):
        path, wanted = request.path, request.headers.get('Range')
        self.asked.append((path, wanted))
        if self.status.get(path):
            return request.send_error(self.status[path].pop(0))
        if path in self.moved:
            request.send_response(302)
            request.send_header('Location', self.moved[path])
            return request.end_headers()
        file = self.folder / path.lstrip('/')
        if not file.is_file():
            return request.send_error(404)
        data = file.read_bytes()
        start = int(wanted[6:-1]) if wanted and self.ranges else 0
        request.send_response(206 if start else 200)
        request.send_header('Content-Length', str(len(data) - start))
        request.end_headers()
        stop = self.cut[path].pop(0) if self.cut.get(path) else len(data)
        request.wfile.write(data[start:max(stop, start)])
