"""Reading usage records: one, and sums with any filter. Nothing here writes; the ledger does.

Names are joined, deleted ones included, so that history stays readable. Pages are in store.pages, sums that screens ask for in
store.sums; those here read every record they add up.
"""

from __future__ import annotations

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
    operation: str = ""
    client: str = ""
    """A part of it."""
    text: str = ""
    """A part of the request id, a model's name, the error's code or the client's name."""
    kind: str = ""
    """accepted or refused; empty: both."""


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


_FROM = """
    FROM usage_records r JOIN keys k ON k.id = r.key_id JOIN groups g ON g.id = r.group_id JOIN quotas q ON q.id = r.quota_id
    LEFT JOIN upstreams u ON u.id = r.upstream_id
"""
SELECT = f"""
    SELECT r.id, r.request_id, k.name, g.name, q.name, coalesce(u.name, ''), r.operation, r.model, r.asked_model, r.upstream_model,
           r.stream, r.started_at_ms, r.first_byte_ms, r.duration_ms, r.status, r.ended, r.error_code, r.usage_from,
           r.price_version, r.service_tier, r.multiplier_ppm, r.amount_nano, r.shortfall_nano, r.held_nano, r.attempts, r.client,
           {", ".join(f"r.{unit}" for unit in UNITS)}
    {_FROM}
"""
_CACHED = ("cached_input", "cached_image_input", "cached_audio_input")
_TEXTS = "(r.request_id || ' ' || r.model || ' ' || r.asked_model || ' ' || r.error_code || ' ' || r.client)"
TROUBLE = "(r.status >= 400 OR r.status = 0 OR r.ended <> 'complete' OR instr(r.attempts, '},{') > 0)"
"""Word for word the condition of the indexes usage_records_trouble and usage_records_key_trouble."""
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


def read_record(connection: Connection, request_id: str) -> RecordRow | None:
    row = connection.execute(f"{SELECT} WHERE r.request_id = ?", (request_id,)).fetchone()
    return None if row is None else record_row(row)


def sum_records(connection: Connection, wanted: UsageFilter, by: Grouping) -> list[SumRow]:
    """Days newest first; everything else dearest first."""
    where, values = conditions(wanted)
    order = "1 DESC" if by in ("hour", "day") else "8 DESC, 1"
    rows = connection.execute(
        f"SELECT {_NAMES[by]}, {_SUMS} {_FROM} WHERE {where} GROUP BY 1 ORDER BY {order}", values
    )
    return [SumRow(*row) for row in rows]


def sum_all(connection: Connection, wanted: UsageFilter) -> SumRow:
    """One row; its name is empty."""
    where, values = conditions(wanted)
    return SumRow(*connection.execute(f"SELECT '', {_SUMS} {_FROM} WHERE {where}", values).fetchone())


def ids_of_key(connection: Connection, name: str) -> list[int]:
    """Every key that has this name or had it when it was deleted."""
    return [key_id for (key_id,) in connection.execute("SELECT id FROM keys WHERE name = ?", (name,))]


def ids_of_name(connection: Connection, table: Literal["groups", "upstreams"], name: str) -> tuple[int, ...]:
    """Everything that has this name or had it when it was deleted."""
    return tuple(id_ for (id_,) in connection.execute(f"SELECT id FROM {table} WHERE name = ?", (name,)))


def names_of(connection: Connection, table: str, ids: list[int]) -> dict[int, str]:
    """Names by id of these keys, groups or upstreams, deleted ones included."""
    given = msgspec.json.encode(ids).decode()
    return dict(
        connection.execute(
            f"SELECT id, name FROM {table} WHERE id IN (SELECT value FROM json_each(?))", (given,)
        ).fetchall()
    )


def names_ever(connection: Connection, kind: Literal["groups", "upstreams"]) -> set[str]:
    """Names of things that are or were, deleted ones included."""
    return {name for (name,) in connection.execute(f"SELECT DISTINCT name FROM {kind}")}


def any_record(connection: Connection) -> bool:
    return connection.execute("SELECT 1 FROM usage_records LIMIT 1").fetchone() is not None


def last_failure(connection: Connection, since_ms: int) -> tuple[int, int] | None:
    """(when it began, status) of the newest record that failed, if it began since."""
    row = connection.execute(
        f"SELECT r.started_at_ms, r.status FROM usage_records r WHERE {TROUBLE} AND {_FAILED} ORDER BY r.id DESC LIMIT 1"
    ).fetchone()
    return None if row is None or row[0] < since_ms else (row[0], row[1])


def conditions(wanted: UsageFilter) -> tuple[str, list[Any]]:
    """A filter as SQL on `usage_records r`, with its values."""
    parts: list[tuple[str, Any]] = [
        ("r.started_at_ms >= ?", wanted.since_ms),
        ("r.started_at_ms < ?", wanted.until_ms),
        ("r.key_id = ?", wanted.key_id),
        ("r.key_id IN (SELECT id FROM keys WHERE name = ?)", wanted.key or None),
        ("r.model = ?", wanted.model or None),
        ("r.group_id IN (SELECT id FROM groups WHERE name = ?)", wanted.group or None),
        ("r.upstream_id IN (SELECT id FROM upstreams WHERE name = ?)", wanted.upstream or None),
        ("r.ended = ?", wanted.ended or None),
        ("r.operation = ?", wanted.operation or None),
        ("r.status >= ?", wanted.lowest_status),
        ("r.status <= ?", wanted.highest_status),
        ("r.client LIKE ? ESCAPE '\\'", part_of(wanted.client) if wanted.client else None),
        (f"{_TEXTS} LIKE ? ESCAPE '\\'", part_of(wanted.text) if wanted.text else None),
    ]
    if wanted.request_id:
        # a range instead of LIKE, which no index of binary order serves
        parts += [
            ("r.request_id >= ?", wanted.request_id),
            ("r.request_id < ?", wanted.request_id + "\U0010ffff"),
        ]
    used = [(sql, value) for sql, value in parts if value is not None]
    found = [sql for sql, _ in used] + ([_FAILED] if wanted.failed else [])
    return " AND ".join(found) or "1", [value for _, value in used]


def part_of(text: str) -> str:
    """A LIKE pattern, with `\\` as its escape, for whatever holds the text."""
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def record_row(row: tuple[Any, ...]) -> RecordRow:
    """Of the columns of SELECT."""
    return RecordRow(*row[:26], usage=Usage(*row[26:]))
