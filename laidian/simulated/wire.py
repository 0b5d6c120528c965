"""One HTTP exchange over ASGI: the request read whole, the answer sent, the client's leaving noticed.

Knows nothing of dialects. What a newcomer would break: after the body, `receive` must be watched by exactly
one task, and its `http.disconnect` means a client that left only while an answer is still owed.

Faults of transport: returning without the last body message makes Granian close with a FIN inside the body
(seen with granian 2.8.7, 2026-11-22). For a TCP reset there is no ASGI word, so the connection's descriptor
is looked up by its peer address and disconnected with connect(AF_UNSPEC), which Linux answers with an RST.
"""

from __future__ import annotations

import asyncio
import ctypes
import gzip
import os
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote

import msgspec

from .values import ClientGone, Ended, Event, Json, Refusal

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 64 * 1024 * 1024
"""Above OpenAI's 50 MB images and Anthropic's 32 MB messages."""
_SPLIT_GAP_S = 0.002
_MERGED_EVENTS = 3


class Exchange:
    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._client: Any = scope.get("client")
        self._watch: asyncio.Task[None] | None = None
        self.method: str = scope["method"]
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        self.path = unquote(raw_path.split(b"?")[0].decode("latin-1"))
        self.query: str = scope["query_string"].decode("latin-1")
        self.headers = _joined(scope["headers"])
        self.extra_headers: list[tuple[str, str]] = [("x-simulated", "true")]
        """Sent with whatever answer this exchange gets."""
        self.gone = asyncio.Event()
        """Set when the client has left while an answer was owed."""
        self.status = 0
        """The status sent; 0 before any."""
        self.gzip = False
        """Encode the answer with gzip, asked for or not."""

    async def read_body(self) -> bytes:
        """The whole body. Raises Refusal (413) above 64 MiB and ClientGone when the upload breaks off."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > LARGEST_BODY:
                raise Refusal(413, f"The body is larger than {LARGEST_BODY} bytes.", code="request_too_large")
            parts.append(part)
            if not message.get("more_body", False):
                break
        self._watch = asyncio.create_task(self._notice_leaving())
        return b"".join(parts)

    async def pause(self, ms: float) -> None:
        """Wait, or raise ClientGone as soon as the client leaves. With 0 it only looks."""
        if ms <= 0:
            await asyncio.sleep(0)
        if ms > 0 and not self.gone.is_set():
            try:
                await asyncio.wait_for(self.gone.wait(), ms / 1000)
            except TimeoutError:
                return
        if self.gone.is_set():
            raise ClientGone

    async def wait_until(self, event: asyncio.Event) -> None:
        """Wait for the event, or raise ClientGone when the client leaves first."""
        waits = [asyncio.create_task(event.wait()), asyncio.create_task(self.gone.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self.gone.is_set():
            raise ClientGone

    async def send(
        self, status: int, body: bytes, content_type: str, headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        """A whole answer with its length."""
        sent_headers = list(headers)
        if self.gzip:
            body = gzip.compress(body, mtime=0)
            sent_headers.append(("content-encoding", "gzip"))
        sent_headers.append(("content-length", str(len(body))))
        await self._start(status, content_type, sent_headers)
        await self._finish(body)

    async def send_json(self, status: int, value: object, headers: Iterable[tuple[str, str]] = ()) -> None:
        await self.send(status, msgspec.json.encode(value), "application/json", headers)

    async def send_half(self, status: int, body: bytes, content_type: str) -> None:
        """An answer that promises its whole length and brings half of it."""
        await self._start(status, content_type, [("content-length", str(len(body)))])
        await self._send(_body(body[: len(body) // 2], more=True))

    async def start_stream(self, content_type: str) -> None:
        headers = [("cache-control", "no-cache")]
        if self.gzip:
            headers.append(("content-encoding", "gzip"))
        await self._start(200, content_type, headers)

    async def send_chunk(self, chunk: bytes) -> None:
        await self._send(_body(chunk, more=True))

    async def end_stream(self, last: bytes = b"") -> None:
        await self._finish(last)

    async def reset(self) -> None:
        """Reset the TCP connection, or come as near to it as this system allows. Raises Ended, always."""
        found = _connection(self._client)
        if found is not None:
            with found:
                _disconnect(found)
        raise Ended

    def close(self) -> None:
        """Stop watching the connection. Safe to call twice."""
        if self._watch is not None:
            self._watch.cancel()

    async def _notice_leaving(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.gone.set()
                return

    async def _start(self, status: int, content_type: str, headers: list[tuple[str, str]]) -> None:
        pairs = [("content-type", content_type), *self.extra_headers, *headers]
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
        self.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": encoded})

    async def _finish(self, body: bytes) -> None:
        self.close()
        await self._send(_body(body, more=False))


class EventStream:
    """Frames events as SSE, or as one JSON array, and sends them with the framing faults asked for."""

    def __init__(self, exchange: Exchange, *, array: bool, fault: str | None) -> None:
        self._exchange = exchange
        self._array = array
        self._fault = fault
        self._count = 0
        self._waiting: list[bytes] = []
        self._gzip = zlib.compressobj(wbits=31) if exchange.gzip else None

    async def start(self) -> None:
        await self._exchange.start_stream(
            "application/json" if self._array else "text/event-stream; charset=utf-8"
        )

    async def send(self, event: Event) -> None:
        framed = self._framed(event)
        self._count += 1
        if self._fault == "split":
            for piece in in_pieces(framed):
                await self._put(piece)
                await self._exchange.pause(_SPLIT_GAP_S * 1000)
            return
        if self._fault == "merge":
            self._waiting.append(framed)
            if len(self._waiting) < _MERGED_EVENTS:
                return
            framed = b"".join(self._waiting)
            self._waiting.clear()
        await self._put(framed)

    async def flush(self) -> None:
        """Send what `merge` holds back."""
        if self._waiting:
            await self._put(b"".join(self._waiting))
            self._waiting.clear()

    async def end(self, *, whole: bool = True) -> None:
        """End the body cleanly; a JSON array is closed only when whole."""
        last = b"".join(self._waiting)
        if self._array and whole:
            last += b"]" if self._count else b"[]"
        if self._gzip is not None:
            last = self._gzip.compress(last) + self._gzip.flush()
        await self._exchange.end_stream(last)

    async def _put(self, chunk: bytes) -> None:
        if self._gzip is not None:
            chunk = self._gzip.compress(chunk) + self._gzip.flush(zlib.Z_SYNC_FLUSH)
        await self._exchange.send_chunk(chunk)

    def _framed(self, event: Event) -> bytes:
        data = _event_data(event)
        if self._array:
            return (b",\r\n" if self._count else b"[") + data + b"\n"
        end = b"\r\n" if self._fault == "crlf" else b"\n"
        comment = b": simulated comment" + end + end if self._fault == "comments" else b""
        name = b"event: " + event.name.encode() + end if event.name else b""
        return comment + name + b"data: " + data + end + end


def in_pieces(framed: bytes) -> list[bytes]:
    """The bytes in three pieces, the first cut inside a character if one has several bytes."""
    first = next((place + 1 for place, byte in enumerate(framed) if byte >= 0xC0), len(framed) // 3)
    second = (first + len(framed)) // 2
    return [piece for piece in (framed[:first], framed[first:second], framed[second:]) if piece]


def _event_data(event: Event) -> bytes:
    if event.raw and isinstance(event.data, str):
        return event.data.encode()
    return msgspec.json.encode(event.data)


def _joined(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _body(body: bytes, *, more: bool) -> dict[str, Json | bytes]:
    return {"type": "http.response.body", "body": body, "more_body": more}


def _connection(client: Any) -> socket.socket | None:
    """A second handle on the connection from that peer. Granian gives the peer's port as a string."""
    try:
        peer = (str(client[0]), int(client[1]))
        descriptors = [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]
    except (TypeError, ValueError, OSError):
        return None
    for descriptor in descriptors:
        try:
            candidate = socket.socket(fileno=os.dup(descriptor))
        except OSError:
            continue
        try:
            if candidate.getpeername()[:2] == peer:
                return candidate
        except (OSError, TypeError, IndexError):
            pass
        candidate.close()
    return None


def _disconnect(connection: socket.socket) -> None:
    address = struct.pack("H14x", socket.AF_UNSPEC)
    ctypes.CDLL(None).connect(connection.fileno(), address, len(address))
