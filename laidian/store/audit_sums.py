"""Compares the rollups with the records that were folded into them, day by day, so that it needs memory for one day.

The sums of days are proved from the records; those of hours, groups and totals from the days.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from laidian.store.connection import Connection
from laidian.store.rollups import (
    DAY_MS,
    DAYS,
    GROUP_DAYS,
    GROUP_HOURS,
    HOURS,
    KEY_DAYS,
    MEASURES,
    Cube,
    added_up,
    folded_to,
)

_SUMS = ", ".join(f"sum({name})" for name in MEASURES)


class SumDifference(msgspec.Struct, frozen=True):
    table: str
    day: int | None
    """Since the epoch; None: of all days."""
    rows: int
    """That are not what they must be."""


def compare_sums(connection: Connection) -> Iterator[SumDifference]:
    """Every table and day that differs."""
    mark = folded_to(connection)
    for day in _days(connection, mark):
        for table, left, right in _of_day():
            number = _differing(connection, left, right, {"day": day, "mark": mark})
            if number:
                yield SumDifference(table, day, number)
    sums = f"SELECT key_id, {', '.join(MEASURES)} FROM key_sums"
    number = _differing(connection, f"SELECT key_id, {_SUMS} FROM key_days GROUP BY 1", sums, {})
    if number:
        yield SumDifference("key_sums", None, number)
    last = (
        "SELECT * FROM key_totals t WHERE hour = (SELECT max(hour) FROM key_totals WHERE key_id = t.key_id)"
    )
    number = _differing(connection, last, "SELECT * FROM key_sums", {})
    if number:
        yield SumDifference("key_totals", None, number)


def _days(connection: Connection, mark: int) -> list[int]:
    """Every day that a record began on or a sum is of."""
    rows = connection.execute(
        f"SELECT DISTINCT hour / 24 FROM usage_spans UNION SELECT day FROM usage_days UNION SELECT min(started_at_ms) / {DAY_MS} "
        f"FROM usage_records WHERE id <= ? UNION SELECT max(started_at_ms) / {DAY_MS} FROM usage_records WHERE id <= ?",
        (mark, mark),
    )
    return sorted(day for (day,) in rows if day is not None)


def _of_day() -> Iterator[tuple[str, str, str]]:
    for cube in (DAYS, KEY_DAYS):
        columns = ", ".join([cube.period, *cube.dimensions, *cube.measures])
        where = f"r.started_at_ms >= :day * {DAY_MS} AND r.started_at_ms < (:day + 1) * {DAY_MS} AND +r.id <= :mark"
        yield (
            cube.table,
            added_up(cube, where),
            f"SELECT {columns} FROM {cube.table} WHERE day = :day{_SEEK.get(cube.table, '')}",
        )
    for days, hours in ((DAYS, HOURS), (GROUP_DAYS, GROUP_HOURS)):
        yield (
            hours.table,
            _summed(days, ""),
            _summed(hours, "hour >= :day * 24 AND hour < (:day + 1) * 24", days),
        )
    yield (
        GROUP_DAYS.table,
        _summed(KEY_DAYS, "", GROUP_DAYS, "group_id, model"),
        _summed(GROUP_DAYS, "", None, "group_id, model"),
    )


_SEEK = {KEY_DAYS.table: " AND key_id IN (SELECT id FROM keys)"}
"""key_days is ordered by key."""


def _summed(cube: Cube, where: str, like: Cube | None = None, by: str = "") -> str:
    by = by or ", ".join((like or cube).dimensions)
    where = where or f"day = :day{_SEEK.get(cube.table, '')}"
    return f"SELECT {by}, {_SUMS} FROM {cube.table} WHERE {where} GROUP BY {by}"


def _differing(connection: Connection, left: str, right: str, values: dict[str, int]) -> int:
    (number,) = connection.execute(
        f"SELECT count(*) FROM (SELECT * FROM ({left} EXCEPT {right}) UNION ALL SELECT * FROM ({right} EXCEPT {left}))",
        values,
    ).fetchone()
    return int(number)
