"""Sums of usage as people read them: names for ids, money as text, percentiles from classes of latency."""

from __future__ import annotations

import msgspec

from laidian.admin.schema import Grouping, UsageRow
from laidian.admin.service.moments import day, iso
from laidian.domain.latency import percentile_ms
from laidian.domain.money import format_usd
from laidian.store import usage
from laidian.store.connection import Connection
from laidian.store.rollups import DAY_MS, HOUR_MS
from laidian.store.sums import Sum, SumFilter, add_up, merged
from laidian.store.usage import SumRow, UsageFilter

_LOST = 0
_CLASSES: dict[tuple[int | None, int | None, bool], tuple[int, ...]] = {
    (None, None, True): (_LOST, 4, 5),
    (1, 399, False): (1, 2, 3),
    (200, 299, False): (2,),
    (400, 499, False): (4,),
    (500, 599, False): (5,),
}
"""Filters by status that are whole classes."""


class Totals(msgspec.Struct, frozen=True):
    rows: tuple[UsageRow, ...]
    total: UsageRow


def by_filter(connection: Connection, wanted: UsageFilter, by: Grouping, top: int) -> Totals:
    """From the rollups where they know every word of the filter, else from the records themselves."""
    question = _question(connection, wanted)
    if question is None:
        sums = usage.sum_records(connection, wanted, by)
        rows = tuple(_plain(row) for row in (sums[:top] if top else sums))
        return Totals(rows, _plain(usage.sum_all(connection, wanted)))
    if by == "key":
        found = add_up(connection, question, by, most=top or None)
        return Totals(
            _named(connection, found, by),
            _row("", merged(add_up(connection, question, None, with_latency=False))),
        )
    found = add_up(connection, question, by)
    return Totals(_named(connection, found[:top] if top else found, by), _row("", merged(found)))


def _question(connection: Connection, wanted: UsageFilter) -> SumFilter | None:
    if (
        wanted.ended
        or wanted.request_id
        or wanted.operation
        or wanted.client
        or wanted.text
        or wanted.kind == "refused"
    ):
        return None
    status = (wanted.lowest_status, wanted.highest_status, wanted.failed)
    if status != (None, None, False) and status not in _CLASSES:
        return None
    keys = None if wanted.key_id is None else (wanted.key_id,)
    return SumFilter(
        since_ms=wanted.since_ms,
        until_ms=wanted.until_ms,
        key_ids=tuple(usage.ids_of_key(connection, wanted.key)) if wanted.key else keys,
        model=wanted.model or None,
        group_ids=usage.ids_of_name(connection, "groups", wanted.group) if wanted.group else None,
        upstream_ids=usage.ids_of_name(connection, "upstreams", wanted.upstream) if wanted.upstream else None,
        classes=_CLASSES.get(status),
    )


def _named(connection: Connection, sums: list[Sum], by: Grouping) -> tuple[UsageRow, ...]:
    """Ids of one name, of something that was deleted and made again, are one row."""
    tables = {"key": "keys", "group": "groups", "upstream": "upstreams"}
    ids = [one.name for one in sums if isinstance(one.name, int)]
    names: dict[int, str] = usage.names_of(connection, tables[by], ids) if by in tables else {}
    together: dict[str, list[Sum]] = {}
    for one in sums:
        together.setdefault(_name(one, by, names), []).append(one)
    return tuple(
        _row(name, those[0] if len(those) == 1 else merged(those)) for name, those in together.items()
    )


def _name(one: Sum, by: Grouping, names: dict[int, str]) -> str:
    value = one.name
    if not isinstance(value, int):
        return value or ""
    if by == "hour":
        return f"{iso(value * HOUR_MS)[:16]}Z"
    if by == "day":
        return day(value * DAY_MS)
    if by == "status":
        return f"{value}xx" if value else "lost"
    return names.get(value, "")


def _row(name: str, one: Sum) -> UsageRow:
    return UsageRow(
        name=name,
        requests=one.requests,
        failed=one.failed,
        estimated=one.estimated,
        input_tokens=one.input_tokens,
        cached_tokens=one.cached_tokens,
        output_tokens=one.output_tokens,
        cost_usd=format_usd(one.charged_nano),
        shortfall_usd=format_usd(one.shortfall_nano),
        first_byte_p50_ms=percentile_ms(one.first_byte_counts, 0.5),
        first_byte_p95_ms=percentile_ms(one.first_byte_counts, 0.95),
        duration_p50_ms=percentile_ms(one.durations, 0.5),
        duration_p95_ms=percentile_ms(one.durations, 0.95),
    )


def _plain(row: SumRow) -> UsageRow:
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
