"""One screen about the instance: what runs, what works, what today cost."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from laidian import __version__
from laidian.admin.schema import SqliteState, Status, Upstream, UpstreamStatus
from laidian.admin.service.moments import day_start_ms
from laidian.admin.service.upstreams import list_upstreams
from laidian.domain.money import format_usd
from laidian.store.connection import Connection
from laidian.store.database import catalog_version, schema_version
from laidian.store.engine import engine_version, has_wal_reset_bug
from laidian.store.keys import count_keys
from laidian.store.live import in_flight, workers
from laidian.store.prices import adopted_book
from laidian.store.sums import SumFilter, add_up


class Instance(msgspec.Struct, frozen=True):
    """What only the process itself knows. Without a server: pid 0 and an uptime of 0."""

    pid: int
    started_at_ms: int
    base_url: str
    data: str
    busy: Mapping[int, int]
    """Requests in flight by upstream id, of this worker."""
    stopping: bool


def status(connection: Connection, instance: Instance, now_ms: int) -> Status:
    """The whole screen."""
    upstreams = list_upstreams(connection, now_ms, instance.busy)
    (today,) = add_up(connection, SumFilter(since_ms=day_start_ms(now_ms)), None, with_latency=False)
    flying, book = in_flight(connection), adopted_book(connection)
    return Status(
        version=__version__,
        pid=instance.pid,
        workers=workers(connection),
        uptime_s=max(0, now_ms - instance.started_at_ms) // 1000 if instance.pid else 0,
        base_url=instance.base_url,
        data=instance.data,
        schema=schema_version(connection),
        catalog_version=catalog_version(connection),
        sqlite=sqlite_state(),
        upstreams=tuple(_upstream(one) for one in upstreams),
        keys=count_keys(connection),
        in_flight=flying.requests,
        held_usd=format_usd(flying.held_nano),
        requests_today=today.requests,
        failed_today=today.failed,
        spent_today_usd=format_usd(today.charged_nano),
        price_book=book.source if book else "",
        stopping=instance.stopping,
    )


def sqlite_state() -> SqliteState:
    """The engine, and whether its age is a danger here."""
    bug = has_wal_reset_bug()
    verdict = "it has no known bug that concerns LaiDian"
    if bug:
        verdict = (
            "it is older than 3.51.3 and has the WAL-reset bug, which cannot do harm here: LaiDian commits and checkpoints under "
            "one file lock. Do not open the database for writing with other programs while it serves"
        )
    return SqliteState(version=engine_version(), wal_reset_bug=bug, verdict=verdict)


def _upstream(upstream: Upstream) -> UpstreamStatus:
    resting = [one for one in upstream.circuits if one.state == "open"]
    worst = max(resting, key=lambda one: one.open_until, default=None)
    reason = {"disabled": "disabled by the operator", "no_credential": "it has no enabled credential"}.get(
        upstream.state, ""
    )
    if worst is not None and not reason:
        reason = f"{worst.model}: {worst.reason}" if worst.model else worst.reason
    return UpstreamStatus(
        name=upstream.name,
        kind=upstream.kind,
        state=upstream.state,
        reason=reason,
        until=worst.open_until if worst is not None and upstream.state == "resting" else None,
        in_flight=upstream.in_flight,
    )
