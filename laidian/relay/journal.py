"""One structured line per request on stderr, and the counters behind /metrics.

Lines are gathered and written every tenth of a second: one system call instead of one per request. The ledger is the record of
what happened; a line lost with a killed process is lost from the log only.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from prometheus_client import Counter, Histogram

if TYPE_CHECKING:
    from laidian.relay.line import Line

ROOM_BYTES = 256 * 1024
"""Of each counter file, enough for some thousand series."""


def _make_room() -> None:
    """Fills this worker's counter files with real zeros before they are mapped.

    The metrics library maps sparse files; touching a page of one on a full disk ends the process with SIGBUS (tried 2026-11-22).
    """
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    for kind in ("counter", "histogram") if folder else ():
        path = Path(folder or "") / f"{kind}_{os.getpid()}.db"
        if not path.exists():
            path.write_bytes(bytes(ROOM_BYTES))


_make_room()

FLUSH_S = 0.1
FLUSH_LINES = 64
"""At most about half a millisecond of counting in one go."""
MOST_CHILDREN = 2_000

_encode = msgspec.json.Encoder().encode

REQUESTS = Counter(
    "laidian_requests",
    "Requests by operation, HTTP status and how they ended.",
    ["operation", "status", "ended"],
)
TOKENS = Counter("laidian_tokens", "Tokens metered, by model and side.", ["model", "side"])
SPENT = Counter("laidian_spent_nano_usd", "Money charged, in nano-USD, by model.", ["model"])
DURATION = Histogram(
    "laidian_request_seconds",
    "From a request's head to its settlement.",
    ["operation"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300),
)
FIRST_BYTE = Histogram(
    "laidian_first_byte_seconds",
    "From a request's head to the first byte of its answer.",
    ["operation"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
ATTEMPTS = Counter("laidian_upstream_attempts", "Tries at upstreams by outcome.", ["upstream", "outcome"])
UNAUTHENTICATED = Counter("laidian_unauthenticated", "Requests without a valid key.")


class Journal:
    def __init__(self, *, lines: bool, sink: int = 2) -> None:
        self._lines = lines
        self._sink = sink
        self._pending: list[Line] = []
        self._loop = asyncio.get_running_loop()
        self._children: dict[tuple[str, ...], _Children] = {}

    def request(self, line: Line) -> None:
        """Takes note of a finished request. Counting and writing wait for others to share the cost with."""
        pending = self._pending
        pending.append(line)
        if len(pending) == 1:
            self._loop.call_later(FLUSH_S, self.flush)
        elif len(pending) >= FLUSH_LINES:
            self.flush()

    def attempt(self, upstream: str, outcome: str) -> None:
        if outcome != "ok":
            ATTEMPTS.labels(upstream, outcome).inc()

    def unauthenticated(self) -> None:
        UNAUTHENTICATED.inc()

    def flush(self) -> None:
        """Counts and writes what has gathered. A full or closed stderr costs lines, never a request."""
        lines, self._pending = self._pending, []
        if not lines:
            return
        for line in lines:
            self._count(line)
        if not self._lines:
            return
        try:
            os.write(self._sink, b"\n".join([_encode(line) for line in lines]) + b"\n")
        except OSError:
            return

    def _count(self, line: Line) -> None:
        key = (line.operation, str(line.status), line.ended or line.error, line.model, line.upstream)
        children = self._children.get(key)
        if children is None:
            if len(self._children) > MOST_CHILDREN:
                self._children.clear()
            children = self._children[key] = _Children(*key)
        children.requests.inc()
        children.duration.observe(line.duration_ms / 1000)
        if line.first_byte_ms is not None:
            children.first_byte.observe(line.first_byte_ms / 1000)
        if line.usage_from:
            children.input.inc(line.input_tokens)
            children.output.inc(line.output_tokens)
            children.spent.inc(line.amount_nano)
            if line.ended == "complete":
                children.answered.inc()


class _Children:
    """The counters of one kind of request, looked up once: looking up labels costs as much as counting."""

    __slots__ = ("answered", "duration", "first_byte", "input", "output", "requests", "spent")

    def __init__(self, operation: str, status: str, ended: str, model: str, upstream: str) -> None:
        self.requests = REQUESTS.labels(operation, status, ended)
        self.duration = DURATION.labels(operation)
        self.first_byte = FIRST_BYTE.labels(operation)
        if model:
            self.input = TOKENS.labels(model, "input")
            self.output = TOKENS.labels(model, "output")
            self.spent = SPENT.labels(model)
            self.answered = ATTEMPTS.labels(upstream, "ok")
