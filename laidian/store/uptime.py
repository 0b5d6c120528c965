"""How well accounts and models did, as far back as a status page looks: probes by the hour, and what the rollups say of requests.

Retention, as a rule: single probes, the last PROBES_KEPT of each
upstream (`store.upstreams`); their sums by the hour, DAYS_KEPT days, of deleted upstreams too.

The row of an hour is written in the transaction of its probe, so that the two never disagree.
"""

from __future__ import annotations

import msgspec

from laidian.domain.latency import CLASSES
from laidian.store.connection import Connection

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
DAYS_KEPT = 91
"""Ninety whole days, and the one that runs."""


class HourRow(msgspec.Struct, frozen=True):
    """How one upstream answered its probes in one hour."""

    upstream_id: int
    hour: int
    """Since the epoch."""
    probes: int
    """At least one."""
    good: int


class Asked(msgspec.Struct, frozen=True):
    """How the requests for one model ended in one hour or day."""

    requests: int
    good: int
    """Answered, or refused for the caller's own fault."""


class Demand(msgspec.Struct, frozen=True):
    """What was asked of one model."""

    hours: dict[int, Asked]
    """By hour since the epoch; of the last ones only."""
    days: dict[int, Asked]
    """By day since the epoch."""
    first_bytes: tuple[int, ...]
    """Of good answers in these hours: counts in the classes of domain.latency."""


def add_probe(connection: Connection, upstream_id: int, at_ms: int, *, ok: bool) -> None:
    """Counts a probe, and forgets this upstream's hours that are too old."""
    hour = at_ms // HOUR_MS
    connection.execute(
        "INSERT INTO probe_hours (upstream_id, hour, probes, good) VALUES (?, ?, 1, ?) "
        "ON CONFLICT (upstream_id, hour) DO UPDATE SET probes = probes + 1, good = good + excluded.good",
        (upstream_id, hour, int(ok)),
    )
    connection.execute(
        "DELETE FROM probe_hours WHERE upstream_id = ? AND hour < ?", (upstream_id, hour - DAYS_KEPT * 24)
    )


def read_hours(connection: Connection, since_hour: int) -> list[HourRow]:
    """Of every upstream, from an hour on, in order."""
    rows = connection.execute(
        "SELECT upstream_id, hour, probes, good FROM probe_hours WHERE hour >= ? ORDER BY upstream_id, hour",
        (since_hour,),
    )
    return [HourRow(*row) for row in rows]


_GOOD = "sum(CASE WHEN class IN (0, 5) THEN 0 ELSE requests END)"
"""0: lost with its process."""
_FIRST_BYTES = ", ".join(f"sum(CASE WHEN class = 2 THEN f{number} ELSE 0 END)" for number in range(CLASSES))


def read_demand(connection: Connection, since_hour: int, since_day: int) -> dict[str, Demand]:
    """By priced model, from the rollups (`store.rollups`), which are seconds behind the records."""
    found: dict[str, Demand] = {}
    for model, day, requests, good in connection.execute(
        f"SELECT model, day, sum(requests), {_GOOD} FROM usage_days WHERE day >= ? GROUP BY 1, 2",
        (since_day,),
    ):
        found.setdefault(model, Demand({}, {}, ())).days[day] = Asked(requests, good)
    for model, hour, requests, good in connection.execute(
        f"SELECT model, hour, sum(requests), {_GOOD} FROM usage_hours WHERE hour >= ? GROUP BY 1, 2",
        (since_hour,),
    ):
        found.setdefault(model, Demand({}, {}, ())).hours[hour] = Asked(requests, good)
    for model, *counts in connection.execute(
        f"SELECT model, {_FIRST_BYTES} FROM usage_hours WHERE hour >= ? GROUP BY 1", (since_hour,)
    ):
        found[model] = msgspec.structs.replace(found[model], first_bytes=tuple(counts))
    return found
