"""How upstreams have been doing: latency by the hour and the minute, how often they answered, what went wrong last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from laidian.admin.schema import Attempt, LatencyPoint, Upstream, UpstreamError, UpstreamHealth
from laidian.admin.service.moments import iso, iso_exact
from laidian.admin.service.upstreams import find_upstream, show_upstream
from laidian.domain.latency import percentile_ms
from laidian.store.connection import Connection
from laidian.store.minutes import Minute, read_minutes
from laidian.store.rollups import HOUR_MS, MINUTE_MS
from laidian.store.sums import Sum, SumFilter, add_up, merged
from laidian.store.trouble import read_trouble
from laidian.store.upstreams import last_probes
from laidian.upstream.probe import PROBE_EVERY_S

HOURS, MINUTES = 24, 60
_ATTEMPTS = tuple[Attempt, ...]


def upstream_health(
    connection: Connection, name: str, now_ms: int, busy: Mapping[int, int]
) -> UpstreamHealth:
    """Raises NotFound."""
    row = find_upstream(connection, name)
    upstream = show_upstream(connection, name, now_ms, busy)
    this_hour, this_minute = now_ms // HOUR_MS, now_ms // MINUTE_MS
    since_ms = (this_hour - HOURS + 1) * HOUR_MS
    hours = {
        one.name: one
        for one in add_up(
            connection, SumFilter(since_ms=since_ms, until_ms=now_ms + 1, upstream_ids=(row.id,)), "hour"
        )
    }
    minutes = {
        one.minute: one
        for one in read_minutes(connection, this_minute - MINUTES + 1)
        if one.upstream_id == row.id
    }
    total = merged(list(hours.values()))
    probed = last_probes(connection).get(row.id)
    probes = upstream.state not in ("disabled", "no_credential", "deleted")
    next_probe_ms = now_ms if probed is None else max(now_ms, probed.at_ms + int(PROBE_EVERY_S * 1000))
    reason, since, until = why_not_up(upstream)
    return UpstreamHealth(
        upstream=name,
        state=upstream.state,
        reason=reason,
        since=since,
        until=until,
        last_probe=upstream.last_probe,
        next_probe_at=iso(next_probe_ms) if probes else None,
        requests_24h=total.requests,
        failed_24h=total.failed,
        success_percent_24h=success_percent(total.requests, total.failed),
        first_byte_p50_ms=percentile_ms(total.first_byte_counts, 0.5),
        first_byte_p95_ms=percentile_ms(total.first_byte_counts, 0.95),
        hours=tuple(
            _point(hour * HOUR_MS, hours.get(hour)) for hour in range(this_hour - HOURS + 1, this_hour + 1)
        ),
        minutes=tuple(
            _point(minute * MINUTE_MS, minutes.get(minute))
            for minute in range(this_minute - MINUTES + 1, this_minute + 1)
        ),
    )


def why_not_up(upstream: Upstream) -> tuple[str, str | None, str | None]:
    """Reason, since when and until when of an upstream that is not up; empty and None for one that is."""
    if upstream.state == "disabled":
        return "disabled by the operator", None, None
    if upstream.state == "no_credential":
        return "it has no enabled credential", None, None
    resting = [one for one in upstream.circuits if one.state == "open"]
    if upstream.state != "resting" or not resting:
        return "", None, None
    worst = max(resting, key=lambda one: one.open_until)
    reason = f"{worst.model}: {worst.reason}" if worst.model else worst.reason
    return reason, min(one.changed_at for one in resting), worst.open_until


def success_percent(requests: int, failed: int) -> float | None:
    return round(100 * (requests - failed) / requests, 1) if requests else None


def _point(at_ms: int, found: Sum | Minute | None) -> LatencyPoint:
    return LatencyPoint(
        at=iso(at_ms),
        requests=found.requests if found else 0,
        failed=found.failed if found else 0,
        first_byte_p50_ms=percentile_ms(found.first_byte_counts, 0.5) if found else None,
        first_byte_p95_ms=percentile_ms(found.first_byte_counts, 0.95) if found else None,
        duration_p50_ms=percentile_ms(found.durations, 0.5) if found else None,
        duration_p95_ms=percentile_ms(found.durations, 0.95) if found else None,
    )


def upstream_errors(connection: Connection, name: str, limit: int) -> tuple[UpstreamError, ...]:
    """The newest tries that went wrong, among the last thousand requests with trouble. Raises NotFound."""
    find_upstream(connection, name)
    return tuple(_first(limit, _errors(connection, name)))


def _errors(connection: Connection, name: str) -> Iterable[UpstreamError]:
    for row in read_trouble(connection, name):
        for attempt in msgspec.json.decode(row.attempts, type=_ATTEMPTS):
            if attempt.upstream == name and attempt.outcome != "ok":
                yield UpstreamError(
                    request_id=row.request_id,
                    at=iso_exact(row.started_at_ms),
                    key=row.key,
                    model=row.model,
                    credential=attempt.credential,
                    outcome=attempt.outcome,
                    status=attempt.status,
                    message=attempt.message,
                    duration_ms=attempt.duration_ms,
                    answered=row.ended == "complete" and 0 < row.status < 400,
                )


def _first(limit: int, errors: Iterable[UpstreamError]) -> Iterable[UpstreamError]:
    for _, one in zip(range(limit), errors, strict=False):
        yield one
