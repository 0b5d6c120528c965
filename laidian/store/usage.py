"""Reading usage records: pages, sums, one. Nothing here writes; the ledger does.

Names are joined, deleted ones included, so that history stays readable. Pages go by id, newest first, and never count.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from laidian.domain.usage import INPUT_UNITS, OUTPUT_UNITS, UNITS, Usage
from laidian.store.connection import Connection

Grouping = Literal["hour", "day", "model", "key", "group", "upstream", "status"]


class UsageFilter(msgspec.Struct, frozen=True):
    """None and empty filter nothing."""

    since_ms: int | None = None
    until_ms: int | None = None
    key: str = ""
    """Name; keys of that name that were deleted count too."""
    key_id: int | None = None
    model: str = ""
    group: str = ""
    upstream: str = ""
    ended: str = ""
    lowest_status: int | None = None
    highest_status: int | None = None
    failed: bool = False
    """Only those with a status of 400 or above, or without any."""
    request_id: str = ""
    """Its beginning."""


class RecordRow(msgspec.Struct, frozen=True):
    id: int
    request_id: str
    key: str
    group: str
    quota: str
    upstream: str
    operation: str
    model: str
    asked_model: str
    upstream_model: str
    stream: int
    started_at_ms: int
    first_byte_ms: int | None
    duration_ms: int
    status: int
    ended: str
    error_code: str
    usage_from: str
    price_version: str
    service_tier: str
    multiplier_ppm: int
    amount_nano: int
    shortfall_nano: int
    held_nano: int
    attempts: str
    client: str
    usage: Usage


class SumRow(msgspec.Struct, frozen=True):
    name: str
    requests: int
    failed: int
    estimated: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    charged_nano: int
    shortfall_nano: int


class Today(msgspec.Struct, frozen=True):
    requests: int
    failed: int
    charged_nano: int


_FROM = """
    FROM usage_records r JOIN keys k ON k.id = r.key_id JOIN groups g ON g.id = r.group_id JOIN quotas q ON q.id = r.quota_id
    LEFT JOIN upstreams u ON u.id = r.upstream_id
"""
_SELECT = f"""
    SELECT r.id, r.request_id, k.name, g.name, q.name, coalesce(u.name, ''), r.operation, r.model, r.asked_model, r.upstream_model,
           r.stream, r.started_at_ms, r.first_byte_ms, r.duration_ms, r.status, r.ended, r.error_code, r.usage_from,
           r.price_version, r.service_tier, r.multiplier_ppm, r.amount_nano, r.shortfall_nano, r.held_nano, r.attempts, r.client,
           {", ".join(f"r.{unit}" for unit in UNITS)}
    {_FROM}
"""
_CACHED = ("cached_input", "cached_image_input", "cached_audio_input")
_FAILED = "(r.status >= 400 OR r.status = 0)"
_NAMES: dict[Grouping, str] = {
    "hour": "strftime('%Y-%m-%dT%H:00Z', r.started_at_ms / 1000, 'unixepoch')",
    "day": "strftime('%Y-%m-%d', r.started_at_ms / 1000, 'unixepoch')",
    "model": "r.model",
    "key": "k.name",
    "group": "g.name",
    "upstream": "coalesce(u.name, '')",
    "status": "CASE WHEN r.status = 0 THEN 'lost' ELSE r.status / 100 || 'xx' END",
}


def _sum(units: tuple[str, ...]) -> str:
    return f"coalesce(sum({' + '.join(f'r.{unit}' for unit in units)}), 0)"


_SUMS = f"""
    count(*), coalesce(sum({_FAILED}), 0), coalesce(sum(r.usage_from = 'estimated'), 0), {_sum(INPUT_UNITS)}, {_sum(_CACHED)},
    {_sum(OUTPUT_UNITS)}, coalesce(sum(r.amount_nano - r.shortfall_nano), 0), coalesce(sum(r.shortfall_nano), 0)
"""


def read_records(
    connection: Connection, wanted: UsageFilter, limit: int, before_id: int | None
) -> list[RecordRow]:
    """At most `limit` records older than `before_id`, newest first."""
    where, values = _where(wanted, before_id)
    # the index on started_at_ms would have SQLite sort a whole day to find its last 50 (0.3 s for 200,000 records); "+" hides it
    where = where.replace("r.started_at_ms", "+r.started_at_ms")
    rows = connection.execute(f"{_SELECT} WHERE {where} ORDER BY r.id DESC LIMIT ?", (*values, limit))
    return [_record(row) for row in rows]


def each_record(connection: Connection, wanted: UsageFilter) -> Iterator[RecordRow]:
    """All of them, newest first, without holding them in memory."""
    where, values = _where(wanted, None)
    for row in connection.execute(f"{_SELECT} WHERE {where} ORDER BY r.id DESC", values):
        yield _record(row)


def read_record(connection: Connection, request_id: str) -> RecordRow | None:
    row = connection.execute(f"{_SELECT} WHERE r.request_id = ?", (request_id,)).fetchone()
    return None if row is None else _record(row)


def sum_records(connection: Connection, wanted: UsageFilter, by: Grouping) -> list[SumRow]:
    """Days newest first; everything else dearest first."""
    where, values = _where(wanted, None)
    order = "1 DESC" if by in ("hour", "day") else "8 DESC, 1"
    rows = connection.execute(
        f"SELECT {_NAMES[by]}, {_SUMS} {_FROM} WHERE {where} GROUP BY 1 ORDER BY {order}", values
    )
    return [SumRow(*row) for row in rows]


def sum_all(connection: Connection, wanted: UsageFilter) -> SumRow:
    """One row; its name is empty."""
    where, values = _where(wanted, None)
    return SumRow(*connection.execute(f"SELECT '', {_SUMS} {_FROM} WHERE {where}", values).fetchone())


def today_by_key(connection: Connection, since_ms: int) -> dict[int, Today]:
    """What was begun since and is settled, by key id."""
    rows = connection.execute(
        f"SELECT r.key_id, count(*), sum({_FAILED}), sum(r.amount_nano - r.shortfall_nano) FROM usage_records r "
        "WHERE r.started_at_ms >= ? GROUP BY r.key_id",
        (since_ms,),
    )
    return {row[0]: Today(*row[1:]) for row in rows}


def ids_of_key(connection: Connection, name: str) -> list[int]:
    """Every key that has this name or had it when it was deleted."""
    return [key_id for (key_id,) in connection.execute("SELECT id FROM keys WHERE name = ?", (name,))]


def names_ever(connection: Connection, kind: Literal["groups", "upstreams"]) -> set[str]:
    """Names of things that are or were, deleted ones included."""
    return {name for (name,) in connection.execute(f"SELECT DISTINCT name FROM {kind}")}


def _where(wanted: UsageFilter, before_id: int | None) -> tuple[str, list[Any]]:
    pattern = wanted.request_id.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    parts: list[tuple[str, Any]] = [
        ("r.id < ?", before_id),
        ("r.started_at_ms >= ?", wanted.since_ms),
        ("r.started_at_ms < ?", wanted.until_ms),
        ("r.key_id = ?", wanted.key_id),
        ("r.key_id IN (SELECT id FROM keys WHERE name = ?)", wanted.key or None),
        ("r.model = ?", wanted.model or None),
        ("r.group_id IN (SELECT id FROM groups WHERE name = ?)", wanted.group or None),
        ("r.upstream_id IN (SELECT id FROM upstreams WHERE name = ?)", wanted.upstream or None),
        ("r.ended = ?", wanted.ended or None),
        ("r.status >= ?", wanted.lowest_status),
        ("r.status <= ?", wanted.highest_status),
        ("r.request_id LIKE ? ESCAPE '\\'", pattern if wanted.request_id else None),
    ]
    used = [(sql, value) for sql, value in parts if value is not None]
    conditions = [sql for sql, _ in used] + ([_FAILED] if wanted.failed else [])
    return " AND ".join(conditions) or "1", [value for _, value in used]


def _record(row: tuple[Any, ...]) -> RecordRow:
    return RecordRow(*row[:26], usage=Usage(*row[26:]))
