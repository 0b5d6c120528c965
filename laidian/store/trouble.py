"""Tries at upstreams that did not go well, from the attempts that records keep. The index of trouble finds them."""

from __future__ import annotations

import msgspec

from laidian.store.connection import Connection
from laidian.store.usage import TROUBLE

LOOKED_AT = 1_000
"""Records with trouble that are looked at, at most: about 5 ms."""


class TroubleRow(msgspec.Struct, frozen=True):
    """A record with some attempt at the upstream."""

    request_id: str
    started_at_ms: int
    key: str
    model: str
    status: int
    ended: str
    attempts: str


def read_trouble(connection: Connection, upstream: str) -> list[TroubleRow]:
    """The newest records that failed or were tried again and name this upstream."""
    rows = connection.execute(
        "SELECT r.request_id, r.started_at_ms, k.name, r.model, r.status, r.ended, r.attempts FROM usage_records r "
        f"JOIN keys k ON k.id = r.key_id WHERE r.id IN (SELECT r.id FROM usage_records r WHERE {TROUBLE} ORDER BY r.id DESC LIMIT ?) "
        "AND instr(r.attempts, ?) > 0 ORDER BY r.id DESC",
        (LOOKED_AT, f'"upstream":{msgspec.json.encode(upstream).decode()}'),
    )
    return [TroubleRow(*row) for row in rows]
