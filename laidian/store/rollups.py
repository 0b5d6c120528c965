"""Usage records added up by minute, hour and day, so that no screen reads a million of them.

One worker folds new records in, in the order of their ids, and moves the watermark (`folded_to`) in the same transaction: what lies
behind it is in every table exactly once, what lies before it is read from the records themselves (store.sums). Periods are those in
which a request began, UTC. Several narrow tables, because one with every dimension would be as long as the records:

    usage_minutes            by upstream and status; only of the last hours (`minutes_from`)
    usage_hours, usage_days  by model, upstream and status; like the minutes with classes of latency
    group_hours, group_days  by group, model and status
    key_hours, key_days      by key, group and model; key_hours by time and only of the last days (`key_hours_from`), key_days by key
    key_totals               what each key had come to at the end of an hour in which it asked for something, so that any time of all keys
                             is one subtraction each
    key_sums                 what each key has come to until now, and its last hour: the newest row of each in key_totals, in one place
    usage_spans              the first and the last record id of each hour, by which a listing finds its time

The rule a newcomer would break: records are never changed after they are folded, and nothing else writes here, so that the audit can
prove these tables from the records.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

from laidian.domain.latency import BOUNDS_MS, CLASSES
from laidian.domain.usage import INPUT_UNITS, OUTPUT_UNITS
from laidian.store.connection import Connection

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
STEP = 250
"""Records folded in one go: about 3 ms of the writer's time."""
MINUTES_KEPT = 180
KEY_HOURS_KEPT = 768
"""32 days: a month back from any hour is whole."""

CACHED_UNITS = ("cached_input", "cached_image_input", "cached_audio_input")
MEASURES: dict[str, str] = {
    "requests": "1",
    "failed": "r.status = 0 OR r.status >= 400",
    "estimated": "r.usage_from = 'estimated'",
    "input_tokens": " + ".join(f"r.{unit}" for unit in INPUT_UNITS),
    "cached_tokens": " + ".join(f"r.{unit}" for unit in CACHED_UNITS),
    "output_tokens": " + ".join(f"r.{unit}" for unit in OUTPUT_UNITS),
    "charged_nano": "r.amount_nano - r.shortfall_nano",
    "shortfall_nano": "r.shortfall_nano",
    "duration_ms": "r.duration_ms",
    "first_byte_ms": "coalesce(r.first_byte_ms, 0)",
    "first_bytes": "r.first_byte_ms IS NOT NULL",
}
"""What is added up, as it is read from one record `r`."""


def _latency(column: str) -> list[str]:
    bounds = [None, *BOUNDS_MS, None]
    found: list[str] = []
    for low, high in itertools.pairwise(bounds):
        parts = [f"r.{column} >= {low}"] * (low is not None) + [f"r.{column} < {high}"] * (high is not None)
        found.append(f"coalesce({' AND '.join(parts)}, 0)")
    return found


LATENCY: dict[str, str] = dict(
    zip(
        [f"t{number}" for number in range(CLASSES)] + [f"f{number}" for number in range(CLASSES)],
        _latency("duration_ms") + _latency("first_byte_ms"),
        strict=True,
    )
)
"""t0 … of the whole request, f0 … of its first byte: whether a record falls into a class of domain.latency."""

CLASS = "r.status / 100"
"""2, 4, 5; 0 for what was lost with its process."""


class Cube(NamedTuple):
    """One table of sums."""

    table: str
    period: str
    """Name of its first column."""
    period_ms: int
    dimensions: dict[str, str]
    """The others of its key, as they are read from one record `r`."""
    latency: bool

    @property
    def measures(self) -> dict[str, str]:
        return MEASURES | LATENCY if self.latency else MEASURES


_BROAD = {"model": "r.model", "upstream_id": "coalesce(r.upstream_id, 0)", "class": CLASS}
_OF_KEYS = {"key_id": "r.key_id", "group_id": "r.group_id", "model": "r.model"}
MINUTES = Cube(
    "usage_minutes", "minute", MINUTE_MS, {"upstream_id": _BROAD["upstream_id"], "class": CLASS}, True
)
HOURS = Cube("usage_hours", "hour", HOUR_MS, _BROAD, True)
DAYS = Cube("usage_days", "day", DAY_MS, _BROAD, True)
_OF_GROUPS = {"group_id": "r.group_id", "model": "r.model", "class": CLASS}
GROUP_HOURS = Cube("group_hours", "hour", HOUR_MS, _OF_GROUPS, False)
GROUP_DAYS = Cube("group_days", "day", DAY_MS, _OF_GROUPS, False)
KEY_HOURS = Cube("key_hours", "hour", HOUR_MS, _OF_KEYS, False)
KEY_DAYS = Cube("key_days", "day", DAY_MS, _OF_KEYS, False)
CUBES = (MINUTES, HOURS, DAYS, GROUP_HOURS, GROUP_DAYS, KEY_HOURS, KEY_DAYS)


def added_up(cube: Cube, where: str) -> str:
    """Records that fit, added up as the cube has them: its columns in order."""
    keys = [f"r.started_at_ms / {cube.period_ms}", *cube.dimensions.values()]
    sums = [f"sum({source})" for source in cube.measures.values()]
    numbers = ", ".join(str(number) for number in range(1, len(keys) + 1))
    return f"SELECT {', '.join(keys + sums)} FROM usage_records r WHERE {where} GROUP BY {numbers}"


def _fold(cube: Cube) -> str:
    columns = ", ".join([cube.period, *cube.dimensions, *cube.measures])
    more = ", ".join(f"{name} = {name} + excluded.{name}" for name in cube.measures)
    where = "r.id > ?1 AND r.id <= ?2 AND r.started_at_ms >= ?3"
    return f"INSERT INTO {cube.table} ({columns}) {added_up(cube, where)} ON CONFLICT DO UPDATE SET {more}"


_FOLDS = {cube.table: _fold(cube) for cube in CUBES}
# "+": by the index of keys, SQLite would look at every key there is
_SUM_UP = f"""
    INSERT INTO key_sums (key_id, hour, {", ".join(MEASURES)})
    SELECT r.key_id, max(r.started_at_ms) / {HOUR_MS}, {", ".join(f"sum({source})" for source in MEASURES.values())}
    FROM usage_records r WHERE r.id > ? AND r.id <= ? GROUP BY +r.key_id
    ON CONFLICT DO UPDATE SET hour = max(hour, excluded.hour), {", ".join(f"{name} = {name} + excluded.{name}" for name in MEASURES)}
"""
_LATE = f"""
    SELECT r.key_id, r.started_at_ms / {HOUR_MS}, {", ".join(f"sum({source})" for source in MEASURES.values())}
    FROM usage_records r JOIN key_sums s ON s.key_id = r.key_id AND r.started_at_ms / {HOUR_MS} < s.hour
    WHERE r.id > ? AND r.id <= ? GROUP BY 1, 2
"""
_CARRY = f"""
    INSERT OR IGNORE INTO key_totals (key_id, hour, {", ".join(MEASURES)})
    SELECT ?1, ?2, {", ".join(f"coalesce(p.{name}, 0)" for name in MEASURES)} FROM (SELECT 1) LEFT JOIN key_totals p
    ON p.key_id = ?1 AND p.hour = (SELECT max(hour) FROM key_totals WHERE key_id = ?1 AND hour < ?2)
"""
# a request belongs to the hour in which it began, and to what every later hour had come to
_RAISE = f"UPDATE key_totals SET {', '.join(f'{name} = {name} + ?' for name in MEASURES)} WHERE key_id = ? AND hour >= ?"
_LAST = f"""
    INSERT OR REPLACE INTO key_totals (key_id, hour, {", ".join(MEASURES)})
    SELECT key_id, hour, {", ".join(MEASURES)} FROM key_sums
    WHERE key_id IN (SELECT r.key_id FROM usage_records r WHERE r.id > ? AND r.id <= ?)
"""
_SPANS = f"""
    INSERT INTO usage_spans (hour, first_id, last_id)
    SELECT started_at_ms / {HOUR_MS}, min(id), max(id) FROM usage_records WHERE id > ? AND id <= ? GROUP BY 1
    ON CONFLICT DO UPDATE SET first_id = min(first_id, excluded.first_id), last_id = max(last_id, excluded.last_id)
"""


def folded_to(connection: Connection) -> int:
    """The watermark: records up to this id are in the tables."""
    return _meta(connection, "folded_to")


def kept_from_ms(connection: Connection, cube: Cube) -> int:
    """Since when a cube that forgets is whole; 0 for the others."""
    name = {MINUTES.table: "minutes_from", KEY_HOURS.table: "key_hours_from"}.get(cube.table)
    return 0 if name is None else _meta(connection, name) * cube.period_ms


def fold(connection: Connection, most: int = STEP) -> bool:
    """Adds the oldest records that are not in yet, at most so many. True when there are more."""
    begin = folded_to(connection)
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM usage_records").fetchone()
    end = min(last, begin + most)
    if end <= begin:
        return False
    for cube in CUBES:
        connection.execute(_FOLDS[cube.table], (begin, end, kept_from_ms(connection, cube)))
    _add_to_keys(connection, begin, end)
    connection.execute(_SPANS, (begin, end))
    connection.execute("UPDATE meta SET value = ? WHERE name = 'folded_to'", (end,))
    return end < last


def _add_to_keys(connection: Connection, begin: int, end: int) -> None:
    """What keys came to by records that are not in yet. In its last hour a key has come to all of it; only what began in an earlier
    one, a minute ago or a week, is looked at one by one.
    """
    connection.execute(_SUM_UP, (begin, end))
    for key_id, hour, *more in connection.execute(_LATE, (begin, end)).fetchall():
        connection.execute(_CARRY, (key_id, hour))
        connection.execute(_RAISE, (*more, key_id, hour))
    connection.execute(_LAST, (begin, end))


def forget(connection: Connection, now_ms: int) -> None:
    """Drops what the short-lived tables need no longer. Moves forward only, whatever the clock does."""
    for cube, name, kept in (
        (MINUTES, "minutes_from", MINUTES_KEPT),
        (KEY_HOURS, "key_hours_from", KEY_HOURS_KEPT),
    ):
        since = max(_meta(connection, name), now_ms // cube.period_ms - kept)
        connection.execute(f"DELETE FROM {cube.table} WHERE {cube.period} < ?", (since,))
        connection.execute("UPDATE meta SET value = ? WHERE name = ?", (since, name))


def ids_between(connection: Connection, since_ms: int | None, until_ms: int | None) -> tuple[int, int | None]:
    """Record ids between which all lie that began in a time; the second is None when there is no upper bound.

    Whole hours, so the time itself has to be asked for as well. What is not folded yet always lies between them.
    """
    mark = folded_to(connection)
    first, last = 1, None
    if since_ms is not None:
        (found,) = connection.execute(
            "SELECT min(first_id) FROM usage_spans WHERE hour >= ?", (since_ms // HOUR_MS,)
        ).fetchone()
        first = mark + 1 if found is None else found
    if until_ms is not None:
        (newer,) = connection.execute("SELECT max(id) > ? FROM usage_records", (mark,)).fetchone()
        (found,) = connection.execute(
            "SELECT max(last_id) FROM usage_spans WHERE hour <= ?", (until_ms // HOUR_MS,)
        ).fetchone()
        last = None if newer else found or 0
    return first, last


def _meta(connection: Connection, name: str) -> int:
    (value,) = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return int(value)


def behind(connection: Connection) -> int:
    """Records that are not folded yet."""
    (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM usage_records").fetchone()
    return max(0, newest - folded_to(connection))
