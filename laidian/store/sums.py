"""Sums of usage over any time and grouping, from the rollups and, where those do not reach, from the records.

A time is cut into pieces that are whole days, whole hours, and the rest: each is read from the table that has it, what is not folded
yet from the records, and one statement adds all of it up. So the sums are exact to the millisecond, whatever was folded when.
The rule a newcomer would break: a record is in exactly one piece. Those behind the watermark are in the cubes; a piece that reads
records behind it takes a time that no cube of the same question covers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from laidian.domain.latency import CLASSES
from laidian.store.connection import Connection
from laidian.store.rollups import (
    DAY_MS,
    DAYS,
    GROUP_DAYS,
    GROUP_HOURS,
    HOUR_MS,
    HOURS,
    KEY_DAYS,
    KEY_HOURS,
    LATENCY,
    MEASURES,
    Cube,
    kept_from_ms,
)

Grouping = Literal["hour", "day", "model", "key", "group", "upstream", "status"]
_END_MS = 1 << 62


class SumFilter(msgspec.Struct, frozen=True, kw_only=True):
    """None filters nothing; an empty tuple fits nothing."""

    since_ms: int | None = None
    until_ms: int | None = None
    key_ids: tuple[int, ...] | None = None
    model: str | None = None
    group_ids: tuple[int, ...] | None = None
    upstream_ids: tuple[int, ...] | None = None
    classes: tuple[int, ...] | None = None
    """Of the status, in hundreds; 0 for what was lost."""


class Sum(msgspec.Struct, frozen=True):
    """Records added up."""

    name: int | str | None
    """Hour or day since the epoch, model, id of key, group or upstream (0: none), class of status; None: all together."""
    requests: int
    failed: int
    estimated: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    charged_nano: int
    shortfall_nano: int
    duration_ms: int
    """All together; 0, like the two after it, where latency was not asked for or is not kept."""
    first_byte_ms: int
    first_bytes: int
    durations: tuple[int, ...]
    """Counts in the classes of domain.latency; empty where the question kept none."""
    first_byte_counts: tuple[int, ...]


_NAMES: dict[Grouping | None, str] = {
    None: "NULL",
    "hour": f"at_ms / {HOUR_MS}",
    "day": f"at_ms / {DAY_MS}",
    "model": "model",
    "key": "key_id",
    "group": "group_id",
    "upstream": "upstream_id",
    "status": "class",
}
_DIMENSIONS: dict[str, str] = {**KEY_DAYS.dimensions, **DAYS.dimensions}
"""Every one, as it is read from one record `r`."""
_PLACE = ["at_ms", *_DIMENSIONS]
_SOURCES = MEASURES | LATENCY
_TIMES = frozenset({"duration_ms", "first_byte_ms", "first_bytes"})
_PLAIN = len(MEASURES) + 1
_TOTALS = Cube("key_totals", "hour", HOUR_MS, {"key_id": "r.key_id"}, False)
_SHORT_MS = 16 * HOUR_MS
"""Up to so long, adding up the hours of all keys is less work than subtracting what each had come to."""
_SHORT_OF_ONE_MS = 36 * HOUR_MS
"""The same for what they were charged alone."""
_LONG_MS = 45 * DAY_MS
"""Beyond it, latency is left out, too."""
_FINE_MS = 49 * HOUR_MS
"""By the hour, latency is added up for as long only: beyond, nobody reads it."""


def add_up(
    connection: Connection,
    wanted: SumFilter,
    by: Grouping | None,
    *,
    most: int | None = None,
    with_latency: bool = True,
) -> list[Sum]:
    """Days and hours newest first, everything else dearest first; at most `most`. Latency, which is most of the work, is known where
    neither keys nor groups matter, the time is not too long, and it is wanted.
    """
    cubes = _cubes(wanted, by)
    pieces = _pieces(connection, wanted, by, cubes)
    if (
        by == "key"
        and most is not None
        and any(place is _TOTALS and high == _END_MS for place, _, high in pieces)
    ):
        # who comes first is found by what each was charged, and only of those all the rest is read
        wanted = msgspec.structs.replace(wanted, key_ids=tuple(_charged(connection, pieces, wanted, most)))
    span_ms = sum(high - low for place, low, high in pieces if place != "tail")
    fine = span_ms <= (_FINE_MS if by == "hour" else _LONG_MS)
    latency = with_latency and fine and cubes is not None and cubes[0].latency
    measures = [*MEASURES, *LATENCY] if latency else [name for name in MEASURES if name not in _TIMES]
    selects, values = _selects(pieces, wanted, measures)
    sums = [
        f"coalesce(sum({name}), 0)" if name in measures else "0"
        for name in (*MEASURES, *(LATENCY if latency else ()))
    ]
    columns = [*_PLACE, *measures]
    order = "" if by is None else f"GROUP BY 1 ORDER BY {'1 DESC' if by in ('hour', 'day') else '8 DESC, 1'}"
    rows = connection.execute(
        f"WITH pieces ({', '.join(columns)}) AS ({selects}) "
        f"SELECT {_NAMES[by]}, {', '.join(sums)} FROM pieces {order} {'' if most is None else f'LIMIT {most}'}",
        values,
    )
    # a subtraction of two totals leaves a row for a key that did nothing in between
    return [_sum(row) for row in rows if row[1] or by is None]


def charged_since(connection: Connection, since_ms: int, most: int | None = None) -> dict[int, int]:
    """Nano-USD by the id of the key, for what began since, dearest first; at most `most` keys. Those without a request may be left out."""
    wanted = SumFilter(since_ms=since_ms)
    pieces = _pieces(connection, wanted, "key", (_TOTALS, KEY_HOURS), short_ms=_SHORT_OF_ONE_MS)
    return _charged(connection, pieces, wanted, most)


def _charged(
    connection: Connection, pieces: list[Piece], wanted: SumFilter, most: int | None
) -> dict[int, int]:
    selects, values = _selects(pieces, wanted, ["charged_nano"])
    rows = connection.execute(
        f"WITH pieces ({', '.join(_PLACE)}, charged_nano) AS ({selects}) SELECT key_id, sum(charged_nano) FROM pieces "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 {'' if most is None else f'LIMIT {most}'}",
        values,
    )
    return dict(rows.fetchall())


def _selects(pieces: list[Piece], wanted: SumFilter, measures: Sequence[str]) -> tuple[str, list[Any]]:
    """All pieces under each other, and their values."""
    selects: list[str] = []
    values: list[Any] = []
    for cube, low, high in pieces:
        if isinstance(cube, str):
            sql, used = _from_records(wanted, cube, low, high, measures)
        elif cube is _TOTALS:
            sql, used = _from_totals(wanted, low, high, measures)
        else:
            sql, used = _from_cube(cube, wanted, low, high, measures)
        selects.append(sql)
        values += used
    return " UNION ALL ".join(selects), values


def _cubes(wanted: SumFilter, by: Grouping | None) -> tuple[Cube, Cube] | None:
    """The tables of days and of hours that know every dimension of the question; None: only the records do."""
    filtered = {
        "key_id": wanted.key_ids, "model": wanted.model, "group_id": wanted.group_ids, "upstream_id": wanted.upstream_ids,
        "class": wanted.classes,
    }  # fmt: skip
    asked = {name for name, those in filtered.items() if those is not None}
    if by not in (None, "hour", "day"):
        asked.add(_NAMES[by])
    if by == "key" and asked == {"key_id"} and wanted.key_ids is None:
        return _TOTALS, KEY_HOURS
    for days, hours in ((DAYS, HOURS), (GROUP_DAYS, GROUP_HOURS), (KEY_DAYS, KEY_HOURS)):
        if asked <= set(days.dimensions) and asked <= set(hours.dimensions):
            return days, hours
    return None


Piece = tuple[Cube | Literal["edge", "tail"], int, int]
"""Where to read, from when to when in milliseconds, the end excluded. `tail`: records that are not folded; `edge`: those that are."""


def _pieces(
    connection: Connection,
    wanted: SumFilter,
    by: Grouping | None,
    cubes: tuple[Cube, Cube] | None,
    *,
    short_ms: int = _SHORT_MS,
) -> list[Piece]:
    since, until = wanted.since_ms or 0, _END_MS if wanted.until_ms is None else wanted.until_ms
    tail: Piece = ("tail", since, until)
    # what is folded lies between these hours; no piece asks for more of eternity than that
    first_known, last_known = connection.execute(
        "SELECT min(hour), max(hour) + 1 FROM usage_spans"
    ).fetchone()
    if first_known is None:
        return [tail]
    since = max(since, first_known * HOUR_MS)
    until_now = until >= last_known * HOUR_MS
    if until_now:
        # up to now: the day that runs has no records of tomorrow, so it is a whole one
        until = _up(last_known * HOUR_MS, DAY_MS)
    first_hour, last_hour = _up(since, HOUR_MS), until - until % HOUR_MS
    if cubes is None or first_hour >= last_hour:
        return [tail, ("edge", since, until)]
    days, hours = cubes
    pieces: list[Piece] = [tail, ("edge", since, first_hour), ("edge", last_hour, until)]
    kept_ms = kept_from_ms(connection, hours)
    with_records_ms = min(last_hour, last_known * HOUR_MS) - first_hour
    if days is _TOTALS and (with_records_ms > short_ms or first_hour < kept_ms):
        whole: Piece = (days, first_hour, _END_MS if until_now else last_hour)
        return [cut for cut in (*pieces, whole) if cut[1] < cut[2]]
    first_day, last_day = _up(first_hour, DAY_MS), last_hour - last_hour % DAY_MS
    if by == "hour" or days is _TOTALS or first_day >= last_day:
        pieces.append((hours, first_hour, last_hour))
    else:
        pieces += [(hours, first_hour, first_day), (days, first_day, last_day), (hours, last_day, last_hour)]
    return [cut for piece in pieces for cut in _cut(piece, hours, kept_ms) if cut[1] < cut[2]]


def _cut(piece: Piece, hours: Cube, kept_ms: int) -> list[Piece]:
    """Hours that are forgotten are read from the records."""
    place, low, high = piece
    if place is not hours or low >= kept_ms:
        return [piece]
    return [("edge", low, min(high, kept_ms)), (hours, max(low, kept_ms), high)]


def _up(at_ms: int, period_ms: int) -> int:
    return -(-at_ms // period_ms) * period_ms


def _from_cube(
    cube: Cube, wanted: SumFilter, low: int, high: int, measures: Sequence[str]
) -> tuple[str, list[Any]]:
    where, values = _where(wanted, {name: name for name in cube.dimensions})
    dimensions = [name if name in cube.dimensions else "NULL" for name in _DIMENSIONS]
    columns = [f"{cube.period} * {cube.period_ms}", *dimensions, *measures]
    first, last = low // cube.period_ms, high // cube.period_ms
    if cube is KEY_HOURS and wanted.key_ids is not None:
        # it is ordered by time: a key is found by asking for each hour, not by walking over all keys
        where = (
            "hour IN (WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?) SELECT i FROM n) "
            f"AND {where}"
        )
    else:
        where = f"{cube.period} >= ? AND {cube.period} < ? AND {where}"
    return f"SELECT {', '.join(columns)} FROM {cube.table} WHERE {where}", [first, last, *values]


def _from_totals(wanted: SumFilter, low: int, high: int, measures: Sequence[str]) -> tuple[str, list[Any]]:
    """What each key came to in whole hours: its total at the end less its total at the beginning. `high` of _END_MS: until now."""
    columns = ["0", *("b.key_id" if name == "key_id" else "NULL" for name in _DIMENSIONS)]
    where, values = _where(wanted, {"key_id": "b.key_id"})
    before = "FROM key_totals WHERE key_id = b.key_id AND hour < ?"
    if len(measures) == 1:
        # found in one step, where a join takes two
        columns.append(
            f"b.{measures[0]} - coalesce((SELECT {measures[0]} {before} ORDER BY hour DESC LIMIT 1), 0)"
        )
        begun = ""
    else:
        columns += [f"b.{name} - coalesce(a.{name}, 0)" for name in measures]
        begun = f"LEFT JOIN key_totals a ON a.key_id = b.key_id AND a.hour = (SELECT max(hour) {before})"
    first, last = low // HOUR_MS, high // HOUR_MS
    if high == _END_MS:
        # who did nothing since the beginning is passed by
        return f"SELECT {', '.join(columns)} FROM key_sums b {begun} WHERE b.hour >= ? AND {where}", [
            first,
            first,
            *values,
        ]
    ended = (
        "keys k CROSS JOIN key_totals b ON b.key_id = k.id AND b.hour = "
        "(SELECT max(hour) FROM key_totals WHERE key_id = k.id AND hour < ?)"
    )
    places = [last, first] if begun else [first, last]
    return f"SELECT {', '.join(columns)} FROM {ended} {begun} WHERE {where}", [*places, *values]


def _from_records(
    wanted: SumFilter, kind: Literal["edge", "tail"], low: int, high: int, measures: Sequence[str]
) -> tuple[str, list[Any]]:
    where, values = _where(wanted, _DIMENSIONS, hidden=kind == "tail" or wanted.key_ids is None)
    columns = ["r.started_at_ms", *_DIMENSIONS.values(), *(_SOURCES[name] for name in measures)]
    mark = "(SELECT value FROM meta WHERE name = 'folded_to')"
    # "+" hides an index: what is not folded is found by id, an edge by its time, or by its key and time
    place = (
        f"r.id > {mark} AND +r.started_at_ms >= ? AND +r.started_at_ms < ?"
        if kind == "tail"
        else f"+r.id <= {mark} AND r.started_at_ms >= ? AND r.started_at_ms < ?"
    )
    return f"SELECT {', '.join(columns)} FROM usage_records r WHERE {place} AND {where}", [low, high, *values]


def _where(wanted: SumFilter, sources: dict[str, str], *, hidden: bool = False) -> tuple[str, list[Any]]:
    """`hidden`: no index of a dimension may stand in for the one of the time."""
    parts: list[str] = []
    values: list[Any] = []
    for name, those in (
        ("key_id", wanted.key_ids),
        ("model", None if wanted.model is None else (wanted.model,)),
        ("group_id", wanted.group_ids),
        ("upstream_id", wanted.upstream_ids),
        ("class", wanted.classes),
    ):
        if those is not None:
            parts.append(f"{'+' * hidden}{sources[name]} IN ({', '.join('?' * len(those))})")
            values += those
    return " AND ".join(parts) or "1", values


def _sum(row: tuple[Any, ...]) -> Sum:
    latency = row[_PLAIN:]
    return Sum(*row[:_PLAIN], durations=latency[:CLASSES], first_byte_counts=latency[CLASSES:])


def merged(sums: list[Sum]) -> Sum:
    """All of them together."""
    plain = [
        sum(column) for column in zip(*(msgspec.structs.astuple(one)[1:12] for one in sums), strict=True)
    ] or [0] * 11
    return Sum(
        None,
        *plain,
        durations=tuple(sum(column) for column in zip(*(one.durations for one in sums), strict=True)),
        first_byte_counts=tuple(
            sum(column) for column in zip(*(one.first_byte_counts for one in sums), strict=True)
        ),
    )
