"""Usage records as the operator reads them: pages, sums, export, one with its receipt."""

from __future__ import annotations

from collections.abc import Iterator
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
    UsageRow,
    UsageSummary,
)
from laidian.admin.service.keys import find_key
from laidian.admin.service.moments import iso_exact, parse_when
from laidian.admin.service.names import unknown
from laidian.admin.service.reading import checked
from laidian.domain.money import format_multiplier, format_usd
from laidian.domain.price import Unpriced, price_usage
from laidian.domain.record import ENDINGS
from laidian.errors import BadRequest, NotFound
from laidian.store import usage as rows
from laidian.store.connection import Connection
from laidian.store.prices import price_of_version
from laidian.store.usage import RecordRow, SumRow, UsageFilter

LARGEST_PAGE = 500
_CLASSES: dict[str, tuple[int | None, int | None]] = {
    "ok": (1, 399),
    "error": (None, None),
    "2xx": (200, 299),
    "4xx": (400, 499),
    "5xx": (500, 599),
}
_ATTEMPTS = tuple[Attempt, ...]


def list_usage(
    connection: Connection, query: UsageQuery, *, limit: int, cursor: str | None, now_ms: int
) -> Page[UsageRecord]:
    """One page, newest first. Raises BadRequest, or NotFound for a key, group or upstream that never was."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise BadRequest(f"A page has 1 to {LARGEST_PAGE} records, not {limit}.", param="limit")
    wanted = usage_filter(connection, query, now_ms)
    found = rows.read_records(connection, wanted, limit + 1, _before(cursor))
    more = len(found) > limit
    return Page(
        items=tuple(record_wire(row) for row in found[:limit]),
        next=str(found[limit - 1].id) if more else None,
    )


def export_usage(connection: Connection, query: UsageQuery, *, now_ms: int) -> Iterator[UsageRecord]:
    """Every record, newest first, one at a time."""
    for row in rows.each_record(connection, usage_filter(connection, query, now_ms)):
        yield record_wire(row)


def sum_usage(connection: Connection, query: UsageQuery, by: str, *, now_ms: int) -> UsageSummary:
    """Totals by day, model, key, group or upstream, and of all. Raises BadRequest or NotFound."""
    if by not in get_args(Grouping):
        raise BadRequest(unknown("grouping", by, get_args(Grouping)).message, param="by")
    wanted = usage_filter(connection, query, now_ms)
    grouping = cast(Grouping, by)
    sums = rows.sum_records(connection, wanted, grouping)
    total = rows.sum_all(connection, wanted)
    return UsageSummary(by=grouping, rows=tuple(_sum(row) for row in sums), total=_sum(total))


def show_usage(connection: Connection, request_id: str) -> UsageDetail:
    """A record with its receipt. Raises NotFound."""
    row = rows.read_record(connection, request_id)
    if row is None:
        raise NotFound(
            "There is no usage record of that request id. One that is still running is under /live; one that was refused before "
            "it was accepted has none.",
            param="request_id",
        )
    return UsageDetail(
        record=record_wire(row),
        receipt=receipt(connection, row),
        held_usd=format_usd(row.held_nano),
        attempts=msgspec.json.decode(row.attempts, type=_ATTEMPTS),
    )


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


def _before(cursor: str | None) -> int | None:
    if cursor is None or cursor == "":
        return None
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 18):
        raise BadRequest("The cursor is not one that a page gave. Start again without it.", param="cursor")
    return int(cursor)


def record_wire(row: RecordRow) -> UsageRecord:
    usage = row.usage
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
    )


def _sum(row: SumRow) -> UsageRow:
    return UsageRow(
        name=row.name,
        requests=row.requests,
        failed=row.failed,
        estimated=row.estimated,
        input_tokens=row.input_tokens,
        cached_tokens=row.cached_tokens,
        output_tokens=row.output_tokens,
        cost_usd=format_usd(row.charged_nano),
        shortfall_usd=format_usd(row.shortfall_nano),
    )
