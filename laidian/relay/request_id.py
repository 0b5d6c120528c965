"""Ids of requests: ours, not the client's; they sort by time and cannot be guessed."""

from __future__ import annotations

import os

from laidian.clock import now_ms


class _Chance:
    """Random bytes, asked of the system for many requests at once."""

    def __init__(self) -> None:
        self._pool = b""

    def take(self, size: int) -> bytes:
        if len(self._pool) < size:
            self._pool = os.urandom(size * 256)
        taken, self._pool = self._pool[:size], self._pool[size:]
        return taken


_chance = _Chance()


def new_request_id() -> str:
    """`req_` and 32 hex digits: 48 bits of time, so that ids sort, and 80 of chance."""
    return f"req_{now_ms():012x}{_chance.take(10).hex()}"
