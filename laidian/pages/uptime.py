"""How well something worked, by day and by hour: from the probes of the accounts behind it, and from the requests it was asked to serve.

Pure. A model works when one of its accounts does, so the best account of an hour counts; requests know better than probes, so an hour
with enough of them is judged by them. The rule a newcomer would break: an hour without either is no data, never an outage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from laidian.store.uptime import HOUR_MS, HourRow

DAYS, HOURS = 90, 24
ENOUGH = 5
"""Requests of an hour that outweigh its probes."""


class Traffic(msgspec.Struct, frozen=True):
    """Requests of one model in one hour."""

    requests: int
    good: int
    """Answered, or refused for the caller's own fault."""


class Uptime(msgspec.Struct, frozen=True):
    """Shares from 0 to 1, oldest first; None: nothing is known."""

    days: tuple[float | None, ...]
    """The last one is still running."""
    hours: tuple[float | None, ...]
    whole: float | None
    """Of all hours of the days that are known."""
    last: float | None
    """Of the hours."""


def uptime(
    rows: Iterable[HourRow], upstreams: frozenset[int], traffic: Mapping[int, Traffic], now_ms: int
) -> Uptime:
    """Of what these accounts serve; `traffic` by hour since the epoch."""
    hour = now_ms // HOUR_MS
    known: dict[int, float] = {}
    for row in rows:
        if row.upstream_id in upstreams:
            known[row.hour] = max(known.get(row.hour, 0.0), row.good / row.probes)
    for at, seen in traffic.items():
        if seen.requests >= ENOUGH:
            known[at] = seen.good / seen.requests
    today = hour // 24
    days = [
        _mean(known.get(at) for at in range(day * 24, day * 24 + 24))
        for day in range(today - DAYS + 1, today + 1)
    ]
    hours = [known.get(at) for at in range(hour - HOURS + 1, hour + 1)]
    first = (today - DAYS + 1) * 24
    return Uptime(
        tuple(days), tuple(hours), _mean(known.get(at) for at in range(first, hour + 1)), _mean(hours)
    )


def first_hour(now_ms: int) -> int:
    """From which on rows are needed."""
    return (now_ms // HOUR_MS // 24 - DAYS + 1) * 24


def _mean(shares: Iterable[float | None]) -> float | None:
    known = [share for share in shares if share is not None]
    return sum(known) / len(known) if known else None
