"""How well something worked, by day and by hour: from the probes of the accounts behind it, and from the requests it was asked to serve.

Pure. A model works when one of its accounts does, so the best account of an hour counts; requests know better than probes, so an hour or
a day with enough of them is judged by them. The rule a newcomer would break: an hour without either is no data, never an outage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from laidian.domain.latency import percentile_ms
from laidian.store.uptime import HOUR_MS, Asked, Demand, HourRow

DAYS, HOURS = 90, 24
ENOUGH_AN_HOUR, ENOUGH_A_DAY = 5, 20
"""Requests that outweigh the probes of their time."""


class Uptime(msgspec.Struct, frozen=True):
    """Shares from 0 to 1, oldest first; None: nothing is known."""

    days: tuple[float | None, ...]
    """The last one is still running."""
    hours: tuple[float | None, ...]
    whole: float | None
    """Of all days that are known."""
    last: float | None
    """Of all hours that are known."""
    first_byte_ms: int | None = None
    """The median of these hours; None: nothing was asked."""


def uptime(rows: Iterable[HourRow], upstreams: frozenset[int], demand: Demand | None, now_ms: int) -> Uptime:
    """Of what these accounts serve."""
    hour, today = now_ms // HOUR_MS, now_ms // HOUR_MS // 24
    probed: dict[int, float] = {}
    for row in rows:
        if row.upstream_id in upstreams:
            probed[row.hour] = max(probed.get(row.hour, 0.0), row.good / row.probes)
    asked_hours, asked_days = (demand.hours, demand.days) if demand else ({}, {})
    hours = tuple(
        _share(asked_hours, at, ENOUGH_AN_HOUR, probed.get(at)) for at in range(hour - HOURS + 1, hour + 1)
    )
    days = tuple(
        _share(asked_days, day, ENOUGH_A_DAY, _mean(probed.get(at) for at in range(day * 24, day * 24 + 24)))
        for day in range(today - DAYS + 1, today + 1)
    )
    first_byte_ms = percentile_ms(demand.first_bytes, 0.5) if demand else None
    return Uptime(days, hours, _mean(days), _mean(hours), first_byte_ms)


def first_hour(now_ms: int) -> int:
    """From which on probes are needed."""
    return (now_ms // HOUR_MS // 24 - DAYS + 1) * 24


def _share(asked: Mapping[int, Asked], at: int, enough: int, probed: float | None) -> float | None:
    seen = asked.get(at)
    return seen.good / seen.requests if seen is not None and seen.requests >= enough else probed


def _mean(shares: Iterable[float | None]) -> float | None:
    known = [share for share in shares if share is not None]
    return sum(known) / len(known) if known else None
