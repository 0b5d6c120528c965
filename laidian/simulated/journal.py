"""The last requests as they arrived, for tests that compare bytes. Credentials are kept as a prefix only.

Bounded twice: by number, and by the bytes of the bodies together, so that a demo left running stays small.
"""

from __future__ import annotations

import asyncio
from collections import deque

import msgspec

KEPT_REQUESTS = 200
KEPT_BODY_BYTES = 64 * 1024 * 1024
CREDENTIAL_HEADERS = frozenset({"authorization", "x-api-key", "x-goog-api-key", "cookie"})
PREFIX_LENGTH = 8


class RequestRecord(msgspec.Struct, frozen=True):
    method: str
    path: str
    """With the query string; a `key` in it is cut to its prefix."""
    headers: dict[str, str]
    """Names in lower case, repeated ones joined by a comma; credentials cut to their prefix."""
    body: bytes
    """Base64 on the wire."""


class RequestReport(msgspec.Struct, frozen=True):
    count: int
    """All requests since the journal was last emptied, dropped ones included."""
    requests: list[RequestRecord]


class Journal:
    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self.clear()

    def clear(self) -> None:
        self._kept: deque[RequestRecord] = deque()
        self._bytes = 0
        self._count = 0

    def add(self, record: RequestRecord) -> None:
        self._kept.append(record)
        self._count += 1
        self._bytes += len(record.body)
        while len(self._kept) > KEPT_REQUESTS or (self._bytes > KEPT_BODY_BYTES and len(self._kept) > 1):
            self._bytes -= len(self._kept.popleft().body)
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_for(self, count: int) -> None:
        """Return once so many requests arrived since the journal was last emptied."""
        while self._count < count:
            await self._changed.wait()

    def report(self) -> RequestReport:
        return RequestReport(self._count, list(self._kept))


def redact_headers(headers: dict[str, str]) -> dict[str, str]:
    """The same headers with each credential cut to its first characters (`Bearer ` is kept)."""
    return {name: _prefix(value) if name in CREDENTIAL_HEADERS else value for name, value in headers.items()}


def redact_query(query: str) -> str:
    """The same query string with the value of `key` cut to its first characters."""
    pairs = query.split("&")
    return "&".join(f"key={pair[4:][:PREFIX_LENGTH]}" if pair.startswith("key=") else pair for pair in pairs)


def _prefix(value: str) -> str:
    scheme, space, credential = value.partition(" ")
    if space and scheme.lower() in ("bearer", "basic"):
        return f"{scheme} {credential[:PREFIX_LENGTH]}"
    return value[:PREFIX_LENGTH]
