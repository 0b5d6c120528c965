"""One structured line per request on stderr, and the counters behind /metrics.

Lines are gathered and written every tenth of a second: one system call instead of one per request. The ledger is the record of
what happened; a line lost with a killed process is lost from the log only.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import msgspec
from prometheus_client import Counter, Histogram

if TYPE_CHECKING:
    from laidian.relay.life import Line

FLUSH_S = 0.1

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
        self._pending: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    def request(self, line: Line) -> None:
        """Counts and logs a finished request."""
        REQUESTS.labels(line.operation, line.status, line.ended or line.error).inc()
        DURATION.labels(line.operation).observe(line.duration_ms / 1000)
        if line.first_byte_ms is not None:
            FIRST_BYTE.labels(line.operation).observe(line.first_byte_ms / 1000)
        if line.usage_from:
            TOKENS.labels(line.model, "input").inc(line.input_tokens)
            TOKENS.labels(line.model, "output").inc(line.output_tokens)
            SPENT.labels(line.model).inc(line.amount_nano)
        if not self._lines:
            return
        if not self._pending:
            self._loop.call_later(FLUSH_S, self.flush)
        self._pending.append(_encode(line))

    def attempt(self, upstream: str, outcome: str) -> None:
        ATTEMPTS.labels(upstream, outcome).inc()

    def unauthenticated(self) -> None:
        UNAUTHENTICATED.inc()

    def flush(self) -> None:
        """Writes what has gathered. A full or closed stderr costs lines, never a request."""
        if not self._pending:
            return
        data = b"\n".join(self._pending) + b"\n"
        self._pending.clear()
        try:
            os.write(self._sink, data)
        except OSError:
            return
