"""The dashboard's first screen: four figures with their hour, upstreams in a line each, top keys, what needs the operator, the first run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from laidian import __version__
from laidian.admin.schema import Card, Cards, Overview, Setup, TopKey, Upstream, UpstreamRow
from laidian.admin.service import asked
from laidian.admin.service.attention import Disk, Seen, attention
from laidian.admin.service.health import success_percent, why_not_up
from laidian.admin.service.moments import day_start_ms, iso_exact
from laidian.admin.service.quotas import list_quotas
from laidian.admin.service.status import Instance
from laidian.admin.service.upstreams import list_upstreams
from laidian.domain.catalog import Catalog
from laidian.domain.latency import percentile_ms
from laidian.domain.money import format_usd
from laidian.store.connection import Connection
from laidian.store.groups import read_groups
from laidian.store.keys import count_keys, names_and_groups
from laidian.store.live import in_flight
from laidian.store.minutes import Minute, read_minutes, refusals_by_minute
from laidian.store.prices import adopted_source
from laidian.store.refusals import last_refusal
from laidian.store.rollups import DAY_MS, HOUR_MS, MINUTE_MS
from laidian.store.sums import SumFilter, add_up, charged_since
from laidian.store.upstreams import ids_by_name
from laidian.store.usage import any_record, last_failure

MINUTES = 60
TOP = 10
LAST_ERROR_MINUTES = 5


def overview(
    connection: Connection,
    instance: Instance,
    catalog: Catalog,
    shipped_source: str,
    disk: Disk | None,
    now_ms: int,
    *,
    public_url: bool,
) -> Overview:
    """The whole picture, in one consistent state."""
    minute = now_ms // MINUTE_MS
    past = read_minutes(connection, minute - 2 * MINUTES)
    upstreams = list_upstreams(connection, now_ms, instance.busy)
    quotas, keys, flying = list_quotas(connection, now_ms), count_keys(connection), in_flight(connection)
    refused = asked.in_vain(connection, now_ms)
    served = catalog.models()
    unpriced = sorted(
        (name for name in refused if catalog.price_of(name, now_ms) is None and name in served),
        key=lambda name: -refused[name],
    )
    seen = Seen(
        upstreams=upstreams,
        quotas=quotas,
        keys=keys,
        refused=refused,
        unpriced=tuple(unpriced),
        book=adopted_source(connection),
        shipped_book=shipped_source,
        disk=disk,
    )
    return Overview(
        at=iso_exact(now_ms),
        base_url=instance.base_url,
        version=__version__,
        uptime_s=max(0, now_ms - instance.started_at_ms) // 1000 if instance.pid else 0,
        in_flight=flying.requests,
        held_usd=format_usd(flying.held_nano),
        keys=keys,
        stopping=instance.stopping,
        cards=_cards(connection, past, now_ms),
        upstreams=_rows(connection, upstreams, past, now_ms),
        top_keys=_top_keys(connection, now_ms),
        attention=attention(connection, seen, now_ms),
        setup=Setup(
            public_url=public_url,
            upstreams=len(upstreams),
            probed=sum(one.last_probe is not None and one.last_probe.ok for one in upstreams),
            models=sum(1 for name in served if catalog.price_of(name, now_ms) is not None),
            groups=len(read_groups(connection)),
            quotas=len(quotas),
            keys=keys,
            requests=any_record(connection),
        ),
    )


def disk_of(folder: Path) -> Disk | None:
    """None when the system does not say."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return Disk(usage.total, usage.free)


def _cards(connection: Connection, past: list[Minute], now_ms: int) -> Cards:
    minute, midnight_ms = now_ms // MINUTE_MS, day_start_ms(now_ms)
    refused = refusals_by_minute(connection, minute - 2 * MINUTES)
    (today,) = add_up(connection, SumFilter(since_ms=midnight_ms), None, with_latency=False)
    (yesterday,) = add_up(
        connection,
        SumFilter(since_ms=midnight_ms - DAY_MS, until_ms=now_ms - DAY_MS),
        None,
        with_latency=False,
    )
    errors = _by_minute(past, lambda one: one.failed)
    for number, count in refused.items():
        errors[number] = errors.get(number, 0) + count
    requests = _by_minute(past, lambda one: one.requests)
    spend = _by_minute(past, lambda one: one.charged_nano)
    five = range(minute - 4, minute + 1)
    return Cards(
        requests=_card(requests, minute),
        tokens=_card(_by_minute(past, lambda one: one.tokens), minute),
        spend=Card(now=today.charged_nano, before=yesterday.charged_nano, series=_series(spend, minute)),
        errors=Card(
            now=_total(errors, five),
            before=_total(errors, range(minute - MINUTES - 4, minute - MINUTES + 1)),
            series=_series(errors, minute),
        ),
        spent_today_usd=format_usd(today.charged_nano),
        requests_5m=_total(requests, five) + _total(refused, five),
        last_error_status=_last_error(connection, (minute - LAST_ERROR_MINUTES + 1) * MINUTE_MS),
    )


def _card(values: dict[int, int], minute: int) -> Card:
    return Card(
        now=values.get(minute - 1, 0),
        before=values.get(minute - 1 - MINUTES, 0),
        series=_series(values, minute),
    )


def _by_minute(past: Iterable[Minute], of: Callable[[Minute], int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for one in past:
        found[one.minute] = found.get(one.minute, 0) + of(one)
    return found


def _series(values: dict[int, int], minute: int) -> tuple[int, ...]:
    return tuple(values.get(number, 0) for number in range(minute - MINUTES + 1, minute + 1))


def _total(values: dict[int, int], minutes: Iterable[int]) -> int:
    return sum(values.get(number, 0) for number in minutes)


def _last_error(connection: Connection, since_ms: int) -> int | None:
    found = [one for one in (last_failure(connection, since_ms), last_refusal(connection, since_ms)) if one]
    return max(found)[1] if found else None


def _rows(
    connection: Connection, upstreams: tuple[Upstream, ...], past: list[Minute], now_ms: int
) -> tuple[UpstreamRow, ...]:
    ids = ids_by_name(connection)
    since_ms = (now_ms // HOUR_MS - 23) * HOUR_MS
    day = {
        one.name: one
        for one in add_up(connection, SumFilter(since_ms=since_ms), "upstream", with_latency=False)
    }
    minute = now_ms // MINUTE_MS
    rows: list[UpstreamRow] = []
    for upstream in upstreams:
        id_ = ids[upstream.name]
        own = {one.minute: one for one in past if one.upstream_id == id_ and one.minute > minute - MINUTES}
        latency = [
            sum(column) for column in zip(*(one.first_byte_counts for one in own.values()), strict=True)
        ]
        reason, _, until = why_not_up(upstream)
        last, total = own.get(minute - 1), day.get(id_)
        rows.append(
            UpstreamRow(
                name=upstream.name,
                kind=upstream.kind,
                state=upstream.state,
                reason=reason,
                until=until,
                in_flight=upstream.in_flight,
                requests_per_minute=last.requests if last else 0,
                success_percent_24h=success_percent(total.requests, total.failed) if total else None,
                first_byte_p50_ms=percentile_ms(latency, 0.5),
                first_byte_p95_ms=percentile_ms(latency, 0.95),
                requests=_series({number: one.requests for number, one in own.items()}, minute),
                failed=_series({number: one.failed for number, one in own.items()}, minute),
                first_byte_ms=tuple(
                    _mean(own.get(number)) for number in range(minute - MINUTES + 1, minute + 1)
                ),
            )
        )
    return tuple(rows)


def _mean(one: Minute | None) -> int | None:
    return one.first_byte_ms // one.first_bytes if one is not None and one.first_bytes else None


def _top_keys(connection: Connection, now_ms: int) -> tuple[TopKey, ...]:
    midnight_ms = day_start_ms(now_ms)
    dearest = tuple(charged_since(connection, midnight_ms, TOP))
    named = names_and_groups(connection, list(dearest))
    return tuple(
        TopKey(
            name=named[one.name][0],
            group=named[one.name][1],
            requests_today=one.requests,
            spent_today_usd=format_usd(one.charged_nano),
        )
        for one in add_up(connection, SumFilter(since_ms=midnight_ms, key_ids=dearest), "key")
        if isinstance(one.name, int)
    )
