"""Pages through the requests: records and refusals in one order, both ways, from any moment, with any filter.

A record's place is (its id, 0), a refusal's (the newest record's id when it was written, its own id). Rows are only ever added at the
end of this order, so a cursor stays true while requests come in, and the two tables are merged without sorting either.
A page looks at a bounded number of rows (`WINDOW`), whatever is asked: a filter that fits nothing in a million records answers with an
empty page and how far it has looked, in the time of any other page. Which rows are looked at is decided by the filter that has an index:
the key, the model, trouble (a failure or a retry), or the trouble of one key.
"""

from __future__ import annotations

from typing import Any

import msgspec

from laidian.store import refusals
from laidian.store.connection import Connection
from laidian.store.refusals import RefusalRow
from laidian.store.rollups import ids_between
from laidian.store.usage import SELECT, TROUBLE, RecordRow, UsageFilter, conditions, part_of, record_row

WINDOW = 5_000
"""Records that one page looks at, at most: about 5 ms."""
TEXT_WINDOW = 2_000
"""The same where a text is looked for in each."""
_NARROW_CHARS = 14
"""A request id's beginning of this length leaves less than a second's requests, and its index finds them."""


class Place(msgspec.Struct, frozen=True, order=True):
    record_id: int
    refusal_id: int
    """0: of the record itself."""


OLDEST, NEWEST = Place(-1, 0), Place(1 << 60, 0)


class Entry(msgspec.Struct, frozen=True):
    place: Place
    row: RecordRow | RefusalRow


class Found(msgspec.Struct, frozen=True):
    entries: list[Entry]
    """Newest first."""
    end: Place | None
    """How far was looked: the next page begins beyond it. None: everything was."""


def read_page(
    connection: Connection, wanted: UsageFilter, limit: int, place: Place, *, newer: bool = False
) -> Found:
    """At most `limit` rows next to `place`, which is not among them; older ones, or newer ones."""
    found = [
        _records(connection, wanted, limit + 1, place, newer=newer) if wanted.kind != "refused" else _NOTHING,
        _refusals(connection, wanted, limit + 1, place, newer=newer)
        if wanted.kind != "accepted"
        else _NOTHING,
    ]
    # of both streams only what lies before the nearer of their ends is complete
    ends = [one.end for one in found if one.end is not None]
    end = (min(ends) if newer else max(ends)) if ends else None
    entries = sorted(
        (entry for one in found for entry in one.entries), key=lambda entry: entry.place, reverse=not newer
    )
    if end is not None:
        entries = [entry for entry in entries if (entry.place <= end if newer else entry.place >= end)]
    if len(entries) > limit:
        entries = entries[:limit]
        end = entries[-1].place
    return Found(entries[::-1] if newer else entries, end)


_NOTHING = Found([], None)


def newest_records(
    connection: Connection, wanted: UsageFilter, limit: int, *, before_id: int | None = None
) -> list[RecordRow]:
    """The newest records that fit, or the newest older than one, without refusals."""
    place = NEWEST if before_id is None else Place(before_id, 0)
    found = _records(connection, wanted, limit, place, newer=False)
    return [entry.row for entry in found.entries if isinstance(entry.row, RecordRow)]


def place_of(connection: Connection, at_ms: int) -> Place:
    """Where a page begins whose first row is the newest that began at or before a moment."""
    row = connection.execute(
        "SELECT id FROM usage_records WHERE started_at_ms <= ? ORDER BY started_at_ms DESC LIMIT 1", (at_ms,)
    ).fetchone()
    refusal = connection.execute(
        "SELECT after_id, id FROM refusals WHERE at_ms <= ? ORDER BY at_ms DESC LIMIT 1", (at_ms,)
    ).fetchone()
    places = [Place(row[0], 1 << 60)] if row else []
    places += [Place(refusal[0], refusal[1] + 1)] if refusal else []
    return max(places, default=OLDEST)


def started_near(connection: Connection, place: Place) -> int | None:
    """When the request at a place began, or the one before it."""
    row = connection.execute(
        "SELECT started_at_ms FROM usage_records WHERE id <= ? ORDER BY id DESC LIMIT 1", (place.record_id,)
    ).fetchone()
    return None if row is None else row[0]


def _records(connection: Connection, wanted: UsageFilter, limit: int, place: Place, *, newer: bool) -> Found:
    first, last = ids_between(connection, wanted.since_ms, wanted.until_ms)
    (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM usage_records").fetchone()
    last = newest if last is None else min(last, newest)
    if newer:
        first = max(first, place.record_id + 1)
    else:
        last = min(last, place.record_id if place.refusal_id else place.record_id - 1)
    if first > last:
        return _NOTHING
    driver, driven = _driver(wanted)
    where, values = conditions(wanted)
    stop = _stop(connection, wanted, driver, driven, first, last, newer=newer)
    low, high = (first, stop or last) if newer else (stop or first, last)
    # "+" keeps the index of time out: it would have SQLite sort all of a day to find its last 50
    where = where.replace("r.started_at_ms", "+r.started_at_ms")
    sql = f"{SELECT} WHERE r.id BETWEEN ? AND ? AND {driver} AND {where} ORDER BY r.id {'' if newer else 'DESC'} LIMIT ?"
    rows = connection.execute(sql, (low, high, *driven, *values, limit)).fetchall()
    entries = [Entry(Place(row[0], 0), record_row(row)) for row in rows]
    if len(entries) == limit:
        return Found(entries, entries[-1].place)
    if stop is None:
        return Found(entries, None)
    # a refusal written after the window's last record stands behind it and was not looked for beyond
    return Found(entries, Place(stop, 1 << 60) if newer else Place(stop, 0))


def _driver(wanted: UsageFilter) -> tuple[str, list[Any]]:
    """The condition that an index answers in the order of the ids, or none."""
    trouble = wanted.failed or wanted.ended not in ("", "complete") or (wanted.lowest_status or 0) >= 400
    if wanted.key_id is not None:
        return f"r.key_id = ? AND {TROUBLE}" if trouble else "r.key_id = ?", [wanted.key_id]
    if trouble:
        return TROUBLE, []
    if wanted.model:
        return "r.model = ?", [wanted.model]
    return "1", []


def _stop(
    connection: Connection,
    wanted: UsageFilter,
    driver: str,
    driven: list[Any],
    first: int,
    last: int,
    *,
    newer: bool,
) -> int | None:
    """The id at which a page has looked at enough records; None: it may look at all that are left."""
    if len(wanted.request_id) >= _NARROW_CHARS:
        return None
    most = TEXT_WINDOW if wanted.text or wanted.client else WINDOW
    if driver == "1":
        stop = first + most if newer else last - most
        return stop if first < stop < last else None
    row = connection.execute(
        f"SELECT r.id FROM usage_records r WHERE {driver} AND r.id BETWEEN ? AND ? ORDER BY r.id {'' if newer else 'DESC'} "
        "LIMIT 1 OFFSET ?",
        (*driven, first, last, most),
    ).fetchone()
    return None if row is None else row[0]


def _refusals(connection: Connection, wanted: UsageFilter, limit: int, place: Place, *, newer: bool) -> Found:
    if wanted.upstream or wanted.ended:
        return _NOTHING
    text, client = part_of(wanted.text), part_of(wanted.client)
    parts: list[tuple[str, Any]] = [
        ("f.at_ms >= ?", wanted.since_ms),
        ("f.at_ms < ?", wanted.until_ms),
        ("f.key_id = ?", wanted.key_id),
        ("f.key_id IN (SELECT id FROM keys WHERE name = ?)", wanted.key or None),
        ("f.model = ?", wanted.model or None),
        ("f.group_id IN (SELECT id FROM groups WHERE name = ?)", wanted.group or None),
        ("f.operation = ?", wanted.operation or None),
        ("f.status >= ?", wanted.lowest_status),
        ("f.status <= ?", wanted.highest_status),
        ("f.request_id LIKE ? ESCAPE '\\'", part_of(wanted.request_id)[1:] if wanted.request_id else None),
        ("f.client LIKE ? ESCAPE '\\'", client if wanted.client else None),
        (
            "(f.request_id || ' ' || f.model || ' ' || f.code || ' ' || f.client) LIKE ? ESCAPE '\\'",
            text if wanted.text else None,
        ),
    ]
    used = [(sql, value) for sql, value in parts if value is not None]
    where = "".join(f" AND {sql}" for sql, _ in used)
    side = (
        "f.after_id >= ? AND (f.after_id > ? OR f.id > ?)"
        if newer
        else "f.after_id <= ? AND (f.after_id < ? OR f.id < ?)"
    )
    order = "f.after_id, f.id" if newer else "f.after_id DESC, f.id DESC"
    rows = connection.execute(
        f"{refusals.SELECT} WHERE {side}{where} ORDER BY {order} LIMIT ?",
        (place.record_id, place.record_id, place.refusal_id, *(value for _, value in used), limit),
    ).fetchall()
    entries = [Entry(Place(row[1], row[0]), RefusalRow(*row)) for row in rows]
    return Found(entries, entries[-1].place if len(entries) == limit else None)
