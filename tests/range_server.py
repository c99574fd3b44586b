"""A server of files on this machine that counts what it sends, and can be told to misbehave."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


class RangeServer(ThreadingHTTPServer):
    """Serves ``folder``.

    Attributes:
        requests: the paths asked for, with the range.
        sent_bytes: of bodies.
        tokens: what stood in the Authorization headers.
        misbehave: ``whole`` ignores ranges; ``short`` ends in the middle; ``drop`` does so once; ``other`` sends
            another part; ``grows`` says another size each time; ``boasts`` one that no file has; ``stall`` sends
            nothing; ``unsized`` does not say the size; ``loop`` redirects to itself; ``locked`` asks for a token;
            ``broken`` fails with 503.
        pages: answers of the hub's API, by path.
        redirects: paths that are found elsewhere.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.requests: list[str] = []
        self.sent_bytes = 0
        self.tokens: list[str | None] = []
        self.misbehave = ""
        self.pages: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.version = '"one"'
        self.dropped = False

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RangeServer

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        server = self.server
        path = unquote(urlsplit(self.path).path)
        asked = self.headers.get("Range")
        server.requests.append(f"{path} {asked or ''}".strip())
        server.tokens.append(self.headers.get("Authorization"))
        if path in server.redirects:
            return self._answer(302, {"Location": server.redirects[path]})
        if server.misbehave == "loop":
            return self._answer(302, {"Location": self.path + "x"})
        if server.misbehave == "locked" and not self.headers.get("Authorization"):
            return self._answer(401)
        if server.misbehave == "broken":
            return self._answer(503)
        if server.misbehave == "stall":
            time.sleep(5)
            return None
        if path in server.pages:
            return self._answer(200, {}, server.pages[path])
        file = server.folder / path.lstrip("/")
        if not file.is_file():
            return self._answer(404)
        return self._part(file, asked)

    def _part(self, file: Path, asked: str | None) -> None:
        server = self.server
        size = file.stat().st_size
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", asked or "")
        if match is None or server.misbehave == "whole":
            return self._send(200, {"ETag": server.version}, file, 0, size)
        first = int(match[1])
        last = min(int(match[2] or size - 1), size - 1)
        if first > last:
            return self._answer(416)
        if server.misbehave == "other":
            first += 1
        said = size + len(server.requests) if server.misbehave == "grows" else size
        said = 9 * 10**18 if server.misbehave == "boasts" else said
        where = f"bytes {first}-{last}/{'*' if server.misbehave == 'unsized' else said}"
        return self._send(206, {"ETag": server.version, "Content-Range": where}, file, first, last - first + 1)

    def _send(self, code: int, headers: dict[str, str], file: Path, first: int, count: int) -> None:
        server = self.server
        self._head(code, headers, count)
        short = server.misbehave == "short" or (server.misbehave == "drop" and not server.dropped)
        server.dropped = server.dropped or short
        left = count // 2 if short else count
        with file.open("rb") as data:
            data.seek(first)
            while left:
                piece = data.read(min(left, 1 << 16))
                try:
                    self.wfile.write(piece)
                except OSError:
                    return
                server.sent_bytes += len(piece)
                left -= len(piece)
        if short:
            self.close_connection = True
            self.connection.close()

    def _answer(self, code: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self._head(code, headers or {}, len(body))
        self.wfile.write(body)

    def _head(self, code: int, headers: dict[str, str], count: int) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(count))
        self.end_headers()


@contextmanager
def serving(folder: Path) -> Iterator[RangeServer]:
    """A server of this folder while the block runs."""
    server = RangeServer(folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
