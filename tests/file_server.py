"""A file server on this machine, which understands ranges and can break off."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer(ThreadingHTTPServer):
    """Serves ``files``; ``breaks_after`` bytes it hangs up; ``asked`` remembers path and range."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []
        self.breaks_after: int | None = None
        self.ranges = True
        self.status = 200

    def address(self, name: str) -> str:
        """Of one file."""
        return f"http://127.0.0.1:{self.server_port}/{name}"

    def handle_error(self, request, client_address) -> None:
        """A client that hangs up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        name, wanted = self.path.lstrip("/"), self.headers.get("Range", "")
        self.server.asked.append((name, wanted))
        content = self.server.files.get(name, b"")
        if self.server.status != 200:
            self.send_error(self.server.status)
            return
        first = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.server.ranges else None
        if first is not None and first >= len(content):
            self.send_error(416)
            return
        self.send_response(200 if first is None else 206)
        body = content[first or 0 :]
        if first is not None:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if self.server.breaks_after is None else body[: self.server.breaks_after])

    def log_message(self, *words) -> None:
        """Nothing on stderr, where the base class would write a line for each request."""


@contextmanager
def serving() -> Iterator[FileServer]:
    """A server that runs while the block does."""
    with FileServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
