"""Spans of time that usage is looked at by, and the buckets that a chart of one has."""

from __future__ import annotations

import datetime
from typing import Literal

import msgspec

Name = Literal["24h", "yesterday", "7d", "30d", "today", "all"]
NAMES: tuple[Name, ...] = ("24h", "yesterday", "7d", "30d", "today", "all")
"""In the order in which a key goes through them; the first is where one begins. All time is never the beginning."""
HOUR = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)


class Span(msgspec.Struct, frozen=True):
    since: datetime.datetime | None
    """None: since ever."""
    until: datetime.datetime | None
    """None: until now, whenever that is."""
    by: Literal["hour", "day"]
    """Its buckets."""

    @property
    def query(self) -> dict[str, str]:
        """As the API's filters have it."""
        found = {} if self.since is None else {"since": iso(self.since)}
        return found if self.until is None else found | {"until": iso(self.until)}


def span_of(name: Name, now: datetime.datetime) -> Span:
    """Whole hours and whole days, in UTC as everything on the server."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    today = hour.replace(hour=0)
    return {
        "24h": Span(hour - 23 * HOUR, None, "hour"),
        "yesterday": Span(today - DAY, today, "hour"),
        "7d": Span(today - 6 * DAY, None, "hour"),
        "30d": Span(today - 29 * DAY, None, "day"),
        "today": Span(today, None, "hour"),
        "all": Span(None, None, "day"),
    }[name]


def before(span: Span, now: datetime.datetime) -> Span | None:
    """The span of the same length before it; None: there is nothing before all time."""
    if span.since is None:
        return None
    length = (span.until or now) - span.since
    return Span(span.since - length, span.since, span.by)


def buckets(span: Span, now: datetime.datetime, oldest: datetime.datetime | None) -> list[datetime.datetime]:
    """When each begins, oldest first. `oldest`: where a span without beginning begins; None: nowhere."""
    start = span.since if span.since is not None else oldest
    if start is None:
        return []
    step = HOUR if span.by == "hour" else DAY
    if span.by == "day":
        start = start.replace(hour=0, minute=0, second=0, microsecond=0)
    end = span.until or now
    return [start + step * index for index in range(min(4_000, max(0, -((start - end) // step))))]


def begins(name: str) -> datetime.datetime | None:
    """When the bucket of a summary's row begins, `2026-11-22T10:00Z` or `2026-11-22`; None: it is no time."""
    try:
        found = datetime.datetime.fromisoformat(name)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=datetime.UTC)


def iso(at: datetime.datetime) -> str:
    return at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
