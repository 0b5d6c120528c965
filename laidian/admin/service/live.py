"""Requests in flight, of all workers."""

from __future__ import annotations

from laidian.admin.schema import LiveRequest
from laidian.admin.service.moments import iso_exact
from laidian.domain.money import format_multiplier, format_usd
from laidian.errors import NotFound
from laidian.store.connection import Connection
from laidian.store.live import LiveRow, ask_to_end, read_live


def list_live(connection: Connection, now_ms: int) -> tuple[LiveRequest, ...]:
    """Oldest first."""
    return tuple(live_wire(row, now_ms) for row in read_live(connection))


def find_live(connection: Connection, request_id: str, now_ms: int) -> LiveRequest:
    """Raises NotFound."""
    for row in read_live(connection):
        if row.request_id == request_id:
            return live_wire(row, now_ms)
    raise NotFound(
        "No request of that id is in flight. When it was accepted and has ended, its record is under /usage.",
        param="request_id",
    )


def end_request(connection: Connection, request_id: str, now_ms: int) -> LiveRequest:
    """Leaves word for the worker that owns it, which looks every half second. Raises NotFound."""
    find_live(connection, request_id, now_ms)
    ask_to_end(connection, request_id, now_ms)
    return find_live(connection, request_id, now_ms)


def live_wire(row: LiveRow, now_ms: int) -> LiveRequest:
    return LiveRequest(
        request_id=row.request_id,
        worker=row.owner,
        key=row.key,
        group=row.group,
        quota=row.quota,
        operation=row.operation,
        model=row.model,
        asked_model=row.asked_model,
        upstream=row.upstream,
        stream=bool(row.stream),
        started_at=iso_exact(row.created_at_ms),
        age_ms=max(0, now_ms - row.created_at_ms),
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        held_usd=format_usd(row.amount_nano),
        multiplier=format_multiplier(row.multiplier_ppm),
        ending=row.end_asked_at_ms is not None,
    )
