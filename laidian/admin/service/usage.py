"""Usage records as the operator reads them: pages, sums, export, one with its receipt."""

from __future__ import annotations

import re
from typing import Literal, cast, get_args

import msgspec

from laidian.admin.schema import (
    Attempt,
    Grouping,
    Page,
    Receipt,
    ReceiptLine,
    UsageDetail,
    UsageQuery,
    UsageRecord,
    UsageSummary,
)
from laidian.admin.service import totals
from laidian.admin.service.keys import find_key
from laidian.admin.service.moments import iso_exact, parse_when
from laidian.admin.service.names import unknown
from laidian.admin.service.reading import checked
from laidian.domain.money import format_multiplier, format_usd
from laidian.domain.price import Unpriced, price_usage
from laidian.domain.record import ENDINGS
from laidian.errors import BadRequest, NotFound
from laidian.store import pages
from laidian.store import usage as rows
from laidian.store.connection import Connection
from laidian.store.pages import NEWEST, Place
from laidian.store.prices import price_of_version
from laidian.store.refusals import RefusalRow, count_refusals, read_refusal
from laidian.store.usage import RecordRow, UsageFilter

LARGEST_PAGE = 500
KINDS = ("accepted", "refused")
_CURSOR = re.compile(r"(-?)([0-9]{1,19})\.([0-9]{1,19})")
_CLASSES: dict[str, tuple[int | None, int | None]] = {
    "ok": (1, 399),
    "error": (None, None),
    "2xx": (200, 299),
    "4xx": (400, 499),
    "5xx": (500, 599),
}
_ATTEMPTS = tuple[Attempt, ...]


def list_usage(
    connection: Connection, query: UsageQuery, *, limit: int, cursor: str | None, at: str = "", now_ms: int
) -> Page[UsageRecord]:
    """One page, newest first, accepted and refused requests in one order. Raises BadRequest, or NotFound for a name that never was."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise BadRequest(f"A page has 1 to {LARGEST_PAGE} records, not {limit}.", param="limit")
    wanted = usage_filter(connection, query, now_ms)
    newer, place = _place(connection, cursor, at, now_ms)
    found = pages.read_page(connection, wanted, limit, place, newer=newer)
    places = [entry.place for entry in found.entries]
    if newer:
        # what a page begins beyond is on its other side, whether or not there is more
        previous, following = found.end or (places[0] if places else place), places[-1] if places else place
    else:
        previous, following = places[0] if places else place, found.end
    short = found.end is not None and len(places) < limit
    searched_ms = pages.started_near(connection, found.end) if short and found.end is not None else None
    return Page(
        items=tuple(entry_wire(entry.row) for entry in found.entries),
        next=None if following is None else _cursor(following),
        previous=_cursor(previous, newer=True),
        searched_to=None if searched_ms is None else iso_exact(searched_ms),
    )


def _place(connection: Connection, cursor: str | None, at: str, now_ms: int) -> tuple[bool, Place]:
    """Whether newer rows are asked for, and beyond which place."""
    if at:
        if cursor:
            raise BadRequest("A page begins at a cursor or at a moment, not at both.", param="at")
        return False, pages.place_of(connection, parse_when(at, now_ms, param="at", back=True))
    if not cursor:
        return False, NEWEST
    if not (parts := _CURSOR.fullmatch(cursor)):
        raise BadRequest("The cursor is not one that a page gave. Start again without it.", param="cursor")
    return bool(parts[1]), Place(int(parts[2]), int(parts[3]))


def _cursor(place: Place, *, newer: bool = False) -> str:
    return f"{'-' * newer}{place.record_id}.{place.refusal_id}"


def sum_usage(
    connection: Connection, query: UsageQuery, by: str, *, top: int = 0, now_ms: int
) -> UsageSummary:
    """Totals by hour, day, model, key, group, upstream or status, and of all. `top`: that many rows, 0 for every one.

    Raises BadRequest or NotFound. From the rollups, unless the filter asks for what those do not know.
    """
    if by not in get_args(Grouping):
        raise BadRequest(unknown("grouping", by, get_args(Grouping)).message, param="by")
    grouping = cast(Grouping, by)
    wanted = usage_filter(connection, query, now_ms)
    summed = totals.by_filter(connection, wanted, grouping, top)
    refused = 0
    if (
        wanted.kind != "accepted"
        and msgspec.structs.replace(wanted, since_ms=None, until_ms=None, kind="") == UsageFilter()
    ):
        refused = count_refusals(connection, wanted.since_ms or 0, wanted.until_ms)
    return UsageSummary(by=grouping, rows=summed.rows, total=summed.total, refused=refused)


def show_usage(connection: Connection, request_id: str) -> UsageDetail:
    """A record with its receipt. Raises NotFound."""
    row = rows.read_record(connection, request_id)
    if row is None:
        refusal = read_refusal(connection, request_id)
        if refusal is not None:
            return _refused(refusal)
        raise NotFound(
            "There is no request of that id. One that is still running is under /live; one that was refused is forgotten after two weeks, "
            "or sooner when there are very many.",
            param="request_id",
        )
    return UsageDetail(
        record=record_wire(row),
        receipt=receipt(connection, row),
        held_usd=format_usd(row.held_nano),
        attempts=msgspec.json.decode(row.attempts, type=_ATTEMPTS),
    )


def _refused(row: RefusalRow) -> UsageDetail:
    nothing = format_usd(0)
    receipt = Receipt(
        lines=(),
        multiplier=format_multiplier(1_000_000),
        amount_usd=nothing,
        charged_usd=nothing,
        service_tier="default",
        note="refused before it was accepted, so it cost nothing",
        price_version="",
        price_source="",
        price_source_date="",
    )
    return UsageDetail(record=refusal_wire(row), receipt=receipt, held_usd=nothing, attempts=())


def receipt(connection: Connection, row: RecordRow) -> Receipt:
    """The calculation again, from the price the record names: the lines add up to the amount, or the note says why there are none."""
    price = price_of_version(connection, row.price_version)
    lines: tuple[ReceiptLine, ...] = ()
    note, tier = "", row.service_tier
    try:
        again = price_usage(
            price, row.usage, service_tier=row.service_tier, multiplier_ppm=row.multiplier_ppm
        )
    except Unpriced as error:
        note = f"charged at what was held: the price has no rate for {error.unit}"
    else:
        note, tier = again.note, again.service_tier
        lines = tuple(
            ReceiptLine(
                unit=line.unit,
                quantity=line.quantity,
                usd_per_million=format_usd(line.nano_per_million),
                cost_usd=format_usd(line.amount_nano),
            )
            for line in again.lines
        )
        if again.amount_nano != row.amount_nano:
            lines, note = (), "the process died while it ran: charged at most what was held"
    return Receipt(
        lines=lines,
        multiplier=format_multiplier(row.multiplier_ppm),
        amount_usd=format_usd(row.amount_nano),
        charged_usd=format_usd(row.amount_nano - row.shortfall_nano),
        service_tier=tier,
        note=note,
        price_version=price.version,
        price_source=price.source,
        price_source_date=price.source_date,
    )


def usage_filter(connection: Connection, query: UsageQuery, now_ms: int) -> UsageFilter:
    """What a query means. Raises BadRequest, or NotFound for a key, group or upstream that never was."""
    query = checked(query)
    if query.ended and query.ended not in ENDINGS:
        raise BadRequest(unknown("ending", query.ended, ENDINGS).message, param="ended")
    if query.kind not in ("", *KINDS):
        raise BadRequest(unknown("kind", query.kind, KINDS).message, param="kind")
    lowest, highest, failed = _status(query.status)
    key, key_id = _key(connection, query.key)
    _known(connection, "groups", "group", query.group)
    _known(connection, "upstreams", "upstream", query.upstream)
    return UsageFilter(
        since_ms=parse_when(query.since, now_ms, param="since", back=True) if query.since else None,
        until_ms=parse_when(query.until, now_ms, param="until", back=True) if query.until else None,
        key=key,
        key_id=key_id,
        model=query.model,
        group=query.group,
        upstream=query.upstream,
        ended=query.ended,
        lowest_status=lowest,
        highest_status=highest,
        failed=failed,
        request_id=query.request_id,
        operation=query.operation,
        client=query.client,
        text=query.text,
        kind=query.kind,
    )


def _key(connection: Connection, address: str) -> tuple[str, int | None]:
    """A name that several keys have had, or one id, by which an index finds a page in order."""
    ids = rows.ids_of_key(connection, address) if address else []
    if len(ids) > 1:
        return address, None
    if address and not ids:
        ids = [find_key(connection, address).id]
    return "", ids[0] if ids else None


def _known(connection: Connection, kind: Literal["groups", "upstreams"], what: str, name: str) -> None:
    if name and name not in (names := rows.names_ever(connection, kind)):
        raise unknown(what, name, names, param=what)


def _status(text: str) -> tuple[int | None, int | None, bool]:
    """Lowest, highest, and whether only failures are wanted."""
    if text in _CLASSES:
        lowest, highest = _CLASSES[text]
        return lowest, highest, text == "error"
    if text and not (text.isascii() and text.isdecimal() and len(text) <= 3):
        raise BadRequest(f'{text[:20]!a} is no status; write 429, 4xx, 5xx, "ok" or "error".', param="status")
    return (int(text), int(text), False) if text else (None, None, False)


def entry_wire(row: RecordRow | RefusalRow) -> UsageRecord:
    return record_wire(row) if isinstance(row, RecordRow) else refusal_wire(row)


def refusal_wire(row: RefusalRow) -> UsageRecord:
    return UsageRecord(
        request_id=row.request_id,
        kind="refused",
        key=row.key,
        group=row.group,
        quota="",
        upstream="",
        operation=row.operation,
        model=row.model,
        asked_model=row.model,
        upstream_model="",
        stream=False,
        started_at=iso_exact(row.at_ms),
        first_byte_ms=None,
        duration_ms=row.duration_ms,
        status=row.status,
        ended="",
        error_code=row.code,
        usage_from="none",
        input_tokens=0,
        cached_tokens=0,
        output_tokens=0,
        usage={},
        multiplier=format_multiplier(1_000_000),
        cost_usd=format_usd(0),
        shortfall_usd=format_usd(0),
        client=row.client,
        message=row.message,
    )


def _told(row: RecordRow) -> tuple[str, int]:
    """Why it failed, as its last attempt has it, and how many were tried before that."""
    if row.status < 400 and row.ended == "complete" and "},{" not in row.attempts:
        return "", 0
    attempts = msgspec.json.decode(row.attempts, type=_ATTEMPTS)
    retries = max(0, len(attempts) - 1)
    if row.status < 400 and row.ended == "complete":
        return "", retries
    last = attempts[-1] if attempts else None
    told = (
        f"{last.upstream}: {last.message}"
        if last is not None and last.message
        else ENDINGS.get(row.ended, "")
    )
    return told, retries


def record_wire(row: RecordRow) -> UsageRecord:
    usage = row.usage
    message, retries = _told(row)
    return UsageRecord(
        request_id=row.request_id,
        key=row.key,
        group=row.group,
        quota=row.quota,
        upstream=row.upstream,
        operation=row.operation,
        model=row.model,
        asked_model=row.asked_model,
        upstream_model=row.upstream_model,
        stream=bool(row.stream),
        started_at=iso_exact(row.started_at_ms),
        first_byte_ms=row.first_byte_ms,
        duration_ms=row.duration_ms,
        status=row.status,
        ended=row.ended,
        error_code=row.error_code,
        usage_from=cast(Literal["upstream", "estimated", "none"], row.usage_from),
        input_tokens=usage.total_input_tokens,
        cached_tokens=usage.cached_input + usage.cached_image_input + usage.cached_audio_input,
        output_tokens=usage.total_output_tokens,
        usage=dict(usage.quantities()),
        multiplier=format_multiplier(row.multiplier_ppm),
        cost_usd=format_usd(row.amount_nano - row.shortfall_nano),
        shortfall_usd=format_usd(row.shortfall_nano),
        client=row.client,
        message=message,
        retries=retries,
    )
