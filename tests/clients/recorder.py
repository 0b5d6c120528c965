"""Writes down what clients really send: a server between a client and the instance that passes everything on as it came.

    LAIDIAN_RECORD=tests/clients/golden scripts/clients

runs the client tests through it and leaves one file for each client and route: its largest request, with where it is from and the day.
What a file must not hold is taken out: keys, paths of this machine, and the makers' own prose (system prompts, descriptions of tools),
which is theirs and which no relay looks at. Structure, names, order and types stay; `tests/clients/test_golden.py` sends it all again.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from tests.served import HOST, Served

VARIABLE = "LAIDIAN_RECORD"
KEY = "KEY"
"""Stands for the client's key."""
PROSE_CHARS = 60
"""A text with blanks that is longer is prose."""

_PRODUCT = re.compile(r"[A-Za-z][\w@.-]*(?:[ /](?:Python|JS|v)?[ /]?\d[\w.-]*)?")
_MODEL = re.compile(r"/models/[^/:?]+")
_SECRET = ("authorization", "x-api-key", "x-goog-api-key")
_CONNECTION = ("host", "content-length", "connection", "transfer-encoding", "accept-encoding")
_PLACES = re.compile(r"/(?:tmp|work|root|home)/[^\s\"',)]*")


class Golden(msgspec.Struct):
    """One request of one client."""

    source: str
    """The client and its version, as it names itself."""
    seen: str
    """The day it was recorded."""
    method: str
    path: str
    headers: dict[str, str]
    body: Any


class Recorder(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    target: ClassVar[tuple[str, int]]
    key: ClassVar[str]
    heard: ClassVar[dict[tuple[str, str], Golden]]

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self._note(body)
        connection = http.client.HTTPConnection(*self.target, timeout=120)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("connection", "close")
            self.end_headers()
            while piece := answer.read1(65536):
                self.wfile.write(piece)
                self.wfile.flush()
        finally:
            connection.close()
            self.close_connection = True

    def do_GET(self) -> None:
        self._pass()

    def do_POST(self) -> None:
        self._pass()

    def do_DELETE(self) -> None:
        self._pass()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _note(self, body: bytes) -> None:
        if not (self.headers.get("content-type") or "").startswith("application/json"):
            return
        with contextlib.suppress(msgspec.DecodeError):
            value: Any = msgspec.json.decode(body)
            source = _source(self.headers.get("user-agent") or "", self.headers.get("originator") or "")
            place = (source, _MODEL.sub("/models/MODEL", self.path.replace(self.key, KEY)))
            known = self.heard.get(place)
            if known is None or len(json.dumps(known.body)) < len(json.dumps(plain(value, self.key))):
                headers = {
                    name.lower(): KEY if name.lower() in _SECRET else _plain_text(text, self.key)
                    for name, text in self.headers.items()
                    if name.lower() not in _CONNECTION
                }
                day = datetime.now(UTC).date().isoformat()
                self.heard[place] = Golden(
                    source, day, self.command, place[1], headers, plain(value, self.key)
                )


def plain(value: Any, key: str) -> Any:
    """Without prose, keys and places."""
    if isinstance(value, dict):
        return {_plain_text(str(name), key): plain(one, key) for name, one in value.items()}  # type: ignore[misc]
    if isinstance(value, list):
        return [plain(one, key) for one in value]  # type: ignore[misc]
    return _plain_text(value, key) if isinstance(value, str) else value


def _plain_text(text: str, key: str) -> str:
    text = _PLACES.sub("/somewhere", text.replace(key, KEY))
    directives = re.findall(r"\[\[[^\]]*\]\]", text)
    if len(text) > PROSE_CHARS and " " in text:
        return " ".join([f"({len(text)} characters)", *directives])
    return text


def _source(agent: str, originator: str) -> str:
    found = _PRODUCT.search(agent)
    return found[0] if found else originator or "unknown"


@contextlib.contextmanager
def recorded(laidian: Served) -> Iterator[None]:
    """Clients reach the instance through the recorder, where one is wanted."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        yield
        return
    heard: dict[tuple[str, str], Golden] = {}
    handler = type(
        "Handler", (Recorder,), {"target": (HOST, laidian.port), "key": laidian.key, "heard": heard}
    )
    with ThreadingHTTPServer((HOST, 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        laidian.base_url, own = f"http://{HOST}:{server.server_address[1]}", laidian.base_url
        try:
            yield
        finally:
            laidian.base_url = own
            server.shutdown()
            write(Path(folder), heard)


def write(folder: Path, heard: dict[tuple[str, str], Golden]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for (source, path), golden in heard.items():
        name = re.sub(r"[^a-z0-9]+", "-", f"{source} {path}".lower()).strip("-")
        place = folder / f"{name}.json"
        if place.exists() and len(place.read_bytes()) > len(msgspec.json.encode(golden)):
            continue
        place.write_bytes(msgspec.json.format(msgspec.json.encode(golden), indent=1) + b"\n")


def read(folder: Path) -> dict[str, Golden]:
    """By file name."""
    return {
        place.stem: msgspec.json.decode(place.read_bytes(), type=Golden)
        for place in sorted(folder.glob("*.json"))
    }
