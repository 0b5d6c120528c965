"""Requests in flight as rows: the holds of all workers."""

from __future__ import annotations

from typing import Any

import msgspec

from laidian.store.connection import Connection


class LiveRow(msgspec.Struct, frozen=True):
    request_id: str
    owner: str
    key: str
    group: str
    quota: str
    operation: str
    model: str
    asked_model: str
    upstream: str
    stream: int
    created_at_ms: int
    input_tokens: int
    output_tokens: int
    amount_nano: int
    multiplier_ppm: int
    end_asked_at_ms: int | None
    """When the operator told it to end."""


class InFlight(msgspec.Struct, frozen=True):
    requests: int
    held_nano: int


_SELECT = """
    SELECT h.request_id, h.owner, k.name, g.name, q.name, h.operation, h.model, h.asked_model, coalesce(u.name, ''), h.stream,
           h.created_at_ms, h.input_tokens, h.output_tokens, h.amount_nano, h.multiplier_ppm,
           h.end_asked_at_ms
    FROM holds h JOIN keys k ON k.id = h.key_id JOIN groups g ON g.id = h.group_id JOIN quotas q ON q.id = h.quota_id
    LEFT JOIN upstreams u ON u.id = h.upstream_id
"""


def read_live(connection: Connection) -> list[LiveRow]:
    """Oldest first."""
    rows: list[tuple[Any, ...]] = connection.execute(f"{_SELECT} ORDER BY h.created_at_ms").fetchall()
    return [LiveRow(*row) for row in rows]


def in_flight(connection: Connection) -> InFlight:
    return InFlight(
        *connection.execute("SELECT count(*), coalesce(sum(amount_nano), 0) FROM holds").fetchone()
    )


def workers(connection: Connection) -> int:
    """Registered ones; a killed worker counts until another has settled its holds."""
    (number,) = connection.execute("SELECT count(*) FROM workers").fetchone()
    return int(number)


def ask_to_end(connection: Connection, request_id: str, now_ms: int) -> None:
    """Tells the worker that owns a request to end it; the word goes with the hold."""
    connection.execute("UPDATE holds SET end_asked_at_ms = ? WHERE request_id = ?", (now_ms, request_id))


def asked_to_end(connection: Connection, owner: str) -> list[str]:
    """Requests of a worker that it was told to end and has not."""
    rows = connection.execute(
        "SELECT request_id FROM holds WHERE owner = ? AND end_asked_at_ms IS NOT NULL", (owner,)
    )
    return [request_id for (request_id,) in rows]


def old_holds(connection: Connection, before_ms: int) -> tuple[int, int, int]:
    """(how many, nano-USD, when the oldest began) of holds that began before."""
    return connection.execute(
        "SELECT count(*), coalesce(sum(amount_nano), 0), coalesce(min(created_at_ms), 0) FROM holds WHERE created_at_ms < ?",
        (before_ms,),
    ).fetchone()
