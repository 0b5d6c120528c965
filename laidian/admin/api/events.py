"""/admin/v1/events: what happens, as it happens, in one stream (server-sent events).

One task of this worker looks into the database while anybody listens, and every listener makes its own events of what it saw; a
listener that reads too slowly is told of a gap and goes on with the present. Nothing here is on the path of a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import HeaderParameter
from litestar.response import Stream

from laidian.admin.api.feed import Inbox
from laidian.admin.api.services import AdminServices
from laidian.admin.schema import Heard
from laidian.admin.service.news import Look, look
from laidian.errors import LaidianError
from laidian.store.changes import Marks

HEARTBEAT_S = 15.0
MOST_LISTENERS = 16
_HEARTBEAT = b": still here\n\n"

_encode = msgspec.json.Encoder().encode


@get("/events", media_type="text/event-stream")
async def stream_events(
    services: NamedDependency[AdminServices],
    last_event_id: Annotated[str, HeaderParameter(name="Last-Event-ID")] = "",
) -> Stream:
    """Requests that start, go on, end or are refused, probes, circuits, changes; counters each second. Never ends by itself."""
    if len(services.feed.listeners) >= MOST_LISTENERS:
        raise TooManyListeners(f"{MOST_LISTENERS} readers listen to this worker already. Close one first.")
    # a proxy of the kind that gathers answers would keep the events to itself
    return Stream(
        _told(services, last_event_id), media_type="text/event-stream", headers={"x-accel-buffering": "no"}
    )


class TooManyListeners(LaidianError):
    status = 429
    code = "too_many_listeners"
    fault = "caller"
    type = "invalid_request_error"


async def _told(services: AdminServices, last_event_id: str) -> AsyncGenerator[bytes, None]:
    inbox = Inbox(last_event_id)

    async def look_at(seen: Marks | None, with_stats: bool) -> Look:
        now_ms = services.now_ms()
        return await services.reader.read(lambda c: look(c, seen, now_ms, with_stats=with_stats))

    services.feed.join(inbox, look_at, services.stopping)
    try:
        yield _HEARTBEAT
        while not services.stopping():
            try:
                await asyncio.wait_for(inbox.arrived.wait(), HEARTBEAT_S)
            except TimeoutError:
                yield _HEARTBEAT
                continue
            if found := inbox.take():
                yield b"".join(_spelled(heard) for heard in found)
    finally:
        services.feed.leave(inbox)


def _spelled(heard: Heard) -> bytes:
    tag = type(heard.event).__struct_config__.tag
    return f"id: {heard.id}\nevent: {tag}\ndata: ".encode() + _encode(heard.event) + b"\n\n"


HANDLERS = [stream_events]
