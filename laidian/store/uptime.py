"""Probes added up by the hour, for as long as a status page looks back. Retention, as a rule: single probes, the last PROBES_KEPT of each
upstream (`store.upstreams`); their sums by the hour, DAYS_KEPT days, of deleted upstreams too.

The row of an hour is written in the transaction of its probe, so that the two never disagree.
"""

from __future__ import annotations

import msgspec

from laidian.store.connection import Connection

HOUR_MS = 3_600_000
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
