"""An upstream that says word for word what a test wants: for what the simulated provider never says.

with scripted() as upstream, served(upstream.provider) as laidian:
    upstream.say(b"data: …\n\n", kind="text/event-stream")
    ...
    upstream.heard[0].body
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import msgspec

from tests.simulated_provider import SimulatedProvider

HOST = "127.0.0.1"


class Heard(msgspec.Struct, frozen=True):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Words(msgspec.Struct, frozen=True):
    """One answer, in the pieces in which it is written."""

    pieces: tuple[bytes, ...]
    kind: str
    status: int


class Scripted:
    def __init__(self, port: int) -> None:
        self.port = port
        self.heard: list[Heard] = []
        self.words: deque[Words] = deque()

    @property
    def provider(self) -> SimulatedProvider:
        """As far as `served` needs one: where it is."""
        return SimulatedProvider(HOST, self.port, cast("subprocess.Popen[bytes]", None))

    def say(self, *pieces: bytes, kind: str = "application/json", status: int = 200) -> None:
        """The next request that nothing was said for yet gets this answer."""
        self.words.append(Words(pieces, kind, status))


@contextlib.contextmanager
def scripted() -> Iterator[Scripted]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            said.heard.append(Heard(self.command, self.path, {}, b""))
            self._answer(Words((b'{"object":"list","data":[]}',), "application/json", 200))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            said.heard.append(Heard(self.command, self.path, headers, body))
            self._answer(said.words.popleft())

        def _answer(self, words: Words) -> None:
            self.send_response(words.status)
            self.send_header("content-type", words.kind)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for piece in words.pieces:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        server.daemon_threads = True
        said = Scripted(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield said
        finally:
            server.shutdown()
            thread.join()
