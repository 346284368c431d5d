"""A server of files that fails in the ways that servers do."""
import http.server
import re
import threading
import time
from contextlib import contextmanager
from pathlib import Path


class Web:
    """What a server has, how it fails, and what it was asked.

    Attributes:
        files (dict[str, bytes]): By path; those of ``folder`` beside them.
        cuts (list[int]): Bytes of the body after which the next answers end.
        statuses (list[int]): Instead of the next answers; 0 is none.
        asked (list[tuple]): Path and ``Range`` of each request.
    """

    def __init__(self, folder=None):
        self.files, self.redirects = {}, {}
        self.folder = folder and Path(folder)
        self.cuts, self.statuses, self.asked = [], [], []
        self.ranges = True
        self.says_length = True
        self.type = 'application/octet-stream'
        self.etag = None
        self.pause = 0.  # seconds a block
        self.address = ''

    def content(self, path):
        file = self.folder and self.folder / path.split('?')[0].lstrip('/')
        if file and file.is_file():
            return file.read_bytes()
        return self.files.get(path)

    def answer(self, handler):
        path, wanted = handler.path, handler.headers.get('Range')
        self.asked.append((path, wanted))
        status = self.statuses.pop(0) if self.statuses else 0
        if path in self.redirects:
            handler.send_response(302)
            handler.send_header('Location', self.redirects[path])
            return handler.end_headers()
        content, start = self.content(path), 0
        if status or content is None:
            return handler.send_error(status or 404)
        same = handler.headers.get('If-Range') in (None, self.etag)
        if wanted and self.ranges and same:
            start = int(re.fullmatch(r'bytes=(\d+)-', wanted)[1])
            if start >= len(content):
                return handler.send_error(416)
            handler.send_response(206)
            handler.send_header(
                'Content-Range',
                f'bytes {start}-{len(content) - 1}/{len(content)}')
        else:
            handler.send_response(200)
        handler.send_header('Content-Type', self.type)
        if self.etag:
            handler.send_header('ETag', self.etag)
        if self.says_length:
            handler.send_header('Content-Length', len(content) - start)
        handler.end_headers()
        body = content[start:]
        body = body[:self.cuts.pop(0)] if self.cuts else body
        for i in range(0, len(body), 4096):
            handler.wfile.write(body[i:i + 4096])
            time.sleep(self.pause)


@contextmanager
def serving(folder=None):
    """A :class:`Web` at its ``address`` on this machine."""
    web = Web(folder)

    class Handler(http.server.BaseHTTPRequestHandler):

        def do_GET(self):
            try:
                web.answer(self)
            except ConnectionError:  # the client was killed
                pass

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        web.address = f'http://127.0.0.1:{server.server_port}'
        yield web
        server.shutdown()
