"""The stream of events: what is new in the database, told to whoever listens.

Asked only while somebody listens, by the worker that answers; the request path knows nothing of it. An event's id is the newest row of
each kind that was told ("120.7.33.5"), so any worker, also after a restart, continues after it. Requests in flight and circuits have no
history: a reader that comes gets those there are.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from laidian.admin.schema import (
    Changed,
    CircuitMoved,
    Ended,
    Event,
    Gap,
    Heard,
    LiveRequest,
    ProbeMade,
    Progress,
    Refused,
    Started,
    Stats,
    Told,
)
from laidian.admin.service.live import list_live
from laidian.admin.service.moments import day_start_ms, iso, iso_exact
from laidian.admin.service.operations import operation_wire
from laidian.admin.service.upstreams import probe_wire
from laidian.admin.service.usage import record_wire, refusal_wire
from laidian.domain.money import format_usd
from laidian.store.changes import Marks, News, read_marks, read_news
from laidian.store.connection import Connection
from laidian.store.database import catalog_version
from laidian.store.live import in_flight
from laidian.store.minutes import read_minutes
from laidian.store.refusals import count_refusals
from laidian.store.rollups import MINUTE_MS
from laidian.store.sums import SumFilter, add_up
from laidian.store.upstreams import CircuitRow, list_circuits

MOST = 1_000
"""Rows of a kind that are told at once; who was away for longer reads the listings again."""
_ID = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,18})")
_CircuitId = tuple[int, str, str]


class Look(msgspec.Struct, frozen=True):
    """What the database says at one moment."""

    at_ms: int
    news: News
    live: tuple[LiveRequest, ...]
    circuits: list[CircuitRow]
    stats: Stats | None


def look(connection: Connection, seen: Marks | None, now_ms: int, *, with_stats: bool) -> Look:
    """Everything since `seen`; None: since now."""
    return Look(
        now_ms,
        read_news(connection, seen or read_marks(connection), MOST),
        list_live(connection, now_ms),
        list_circuits(connection),
        stats(connection, now_ms) if with_stats else None,
    )


def stats(connection: Connection, now_ms: int) -> Stats:
    """The counters of this moment."""
    flying = in_flight(connection)
    minute = now_ms // MINUTE_MS
    past = read_minutes(connection, minute - 5)
    # the last sixty seconds are this minute and the rest of the one before, taken to be even
    share = 1 - now_ms % MINUTE_MS / MINUTE_MS
    weighed = [(1.0 if one.minute == minute else share, one) for one in past if one.minute >= minute - 1]
    five = [one for one in past if one.minute > minute - 5]
    (today,) = add_up(connection, SumFilter(since_ms=day_start_ms(now_ms)), None, with_latency=False)
    return Stats(
        at=iso_exact(now_ms),
        in_flight=flying.requests,
        held_usd=format_usd(flying.held_nano),
        requests_per_minute=round(sum(weight * one.requests for weight, one in weighed)),
        tokens_per_minute=round(sum(weight * one.tokens for weight, one in weighed)),
        failed_5m=sum(one.failed for one in five),
        refused_5m=count_refusals(connection, (minute - 4) * MINUTE_MS),
        requests_5m=sum(one.requests for one in five),
        requests_today=today.requests,
        spent_today_usd=format_usd(today.charged_nano),
        catalog_version=catalog_version(connection),
    )


class Listener:
    """One reader's place in the stream; turns looks into events."""

    def __init__(self, last_event_id: str = "") -> None:
        given = _ID.fullmatch(last_event_id)
        self.seen: Marks | None = Marks(*(int(part) for part in given.groups())) if given else None
        self._live: dict[str, LiveRequest] | None = None
        self._circuits: dict[_CircuitId, CircuitRow] = {}
        self._states: dict[_CircuitId, str] = {}

    def hear(self, found: Look) -> list[Heard]:
        """The events between the last look and this one, in the order in which they should be read."""
        events: list[Event] = []
        if found.news.cut:
            events.append(Gap(reason=f"more than {MOST} events were missed; read the listings again"))
        if found.stats is not None:
            events.append(Told(stats=found.stats))
        events += [Changed(operation=operation_wire(row)) for row in found.news.operations]
        events += [ProbeMade(probe=probe_wire(row, name)) for name, row in found.news.probes]
        events += self._moved(found.circuits, found.at_ms)
        events += self._flights(found.live)
        events += [Refused(record=refusal_wire(row)) for row in found.news.refusals]
        events += [Ended(record=record_wire(row)) for row in found.news.records]
        before, self.seen = self.seen or found.news.marks, found.news.marks
        # only the last one moves the reader on: who breaks off in the middle hears some again rather than never
        ids = [_id(before)] * (len(events) - 1) + [_id(self.seen)]
        return [Heard(id=id_, event=event) for id_, event in zip(ids, events, strict=False)]

    def _flights(self, live: tuple[LiveRequest, ...]) -> list[Event]:
        known, self._live = self._live or {}, {one.request_id: one for one in live}
        events: list[Event] = []
        for one in live:
            before = known.get(one.request_id)
            if before is None:
                events.append(Started(request=one))
            elif _moved_on(before, one):
                events.append(Progress(request=one))
        return events

    def _moved(self, rows: list[CircuitRow], now_ms: int) -> list[Event]:
        now = {(row.upstream_id, row.credential, row.model): row for row in rows}
        events: list[Event] = []
        for place, row in self._circuits.items():
            if place not in now:
                self._states.pop(place, None)
                events.append(_circuit(row, "closed"))
        for place, row in now.items():
            state: Literal["open", "half_open"] = "open" if row.open_until_ms > now_ms else "half_open"
            if self._states.get(place) != state or self._circuits[place].open_until_ms != row.open_until_ms:
                self._states[place] = state
                events.append(_circuit(row, state))
        self._circuits = now
        return events


def _id(marks: Marks) -> str:
    return ".".join(str(part) for part in msgspec.structs.astuple(marks))


def _moved_on(before: LiveRequest, now: LiveRequest) -> bool:
    return (before.output_tokens, before.upstream, before.held_usd, before.ending) != (
        now.output_tokens,
        now.upstream,
        now.held_usd,
        now.ending,
    )


def _circuit(row: CircuitRow, state: Literal["open", "half_open", "closed"]) -> CircuitMoved:
    return CircuitMoved(
        upstream=row.upstream,
        credential=row.credential,
        model=row.model,
        state=state,
        open_until=None if state == "closed" else iso(row.open_until_ms),
        reason=row.reason,
    )
