"""/admin/v1/usage"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import msgspec
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from laidian.admin.api.services import AdminServices
from laidian.admin.schema import Page, UsageDetail, UsageQuery, UsageRecord, UsageSummary
from laidian.admin.service import usage
from laidian.admin.service.names import unknown
from laidian.errors import BadRequest

PAGE = 50
_PARAMETERS = (*UsageQuery.__struct_fields__, "by", "top", "limit", "cursor", "at")


async def usage_query(
    request: Request[Any, Any, Any],
    since: FromQuery[str] = "",
    until: FromQuery[str] = "",
    key: FromQuery[str] = "",
    model: FromQuery[str] = "",
    group: FromQuery[str] = "",
    upstream: FromQuery[str] = "",
    ended: FromQuery[str] = "",
    status: FromQuery[str] = "",
    request_id: FromQuery[str] = "",
    operation: FromQuery[str] = "",
    client: FromQuery[str] = "",
    text: FromQuery[str] = "",
    kind: FromQuery[str] = "",
) -> UsageQuery:
    """The filters of a request. Raises BadRequest for one that does not exist: ignored, it would answer another question."""
    for name in request.query_params:
        if name not in _PARAMETERS:
            raise BadRequest(unknown("filter", name, _PARAMETERS).message, param=name[:64])
    return UsageQuery(
        since=since,
        until=until,
        key=key,
        model=model,
        group=group,
        upstream=upstream,
        ended=ended,
        status=status,
        request_id=request_id,
        operation=operation,
        client=client,
        text=text,
        kind=kind,
    )


@get("/usage")
async def list_usage(
    wanted: NamedDependency[UsageQuery],
    services: NamedDependency[AdminServices],
    limit: FromQuery[int] = PAGE,
    cursor: FromQuery[str] = "",
    at: FromQuery[str] = "",
) -> Page[UsageRecord]:
    """Newest first, accepted and refused ones. Begins with the newest, beyond a cursor, or at a moment."""
    now_ms = services.now_ms()
    return await services.reader.read(
        lambda c: usage.list_usage(c, wanted, limit=limit, cursor=cursor, at=at, now_ms=now_ms)
    )


@get("/usage/summary")
async def sum_usage(
    wanted: NamedDependency[UsageQuery],
    services: NamedDependency[AdminServices],
    by: FromQuery[str] = "day",
    top: FromQuery[int] = 0,
) -> UsageSummary:
    """Totals by hour, day, model, key, group, upstream or status. `top`: at most so many rows; 0 is all."""
    now_ms = services.now_ms()
    return await services.reader.read(lambda c: usage.sum_usage(c, wanted, by, top=top, now_ms=now_ms))


@get("/usage/export", media_type="application/x-ndjson")
async def export_usage(
    wanted: NamedDependency[UsageQuery], services: NamedDependency[AdminServices]
) -> Stream:
    """Every record that fits, newest first, one JSON document a line. Refused requests only when `kind` asks for them."""
    now_ms = services.now_ms()
    if not wanted.kind:
        wanted = msgspec.structs.replace(wanted, kind="accepted")
    # read before the answer begins, so that a filter that makes no sense is still refused with its status
    first = await _page(services, wanted, usage.LARGEST_PAGE, "", now_ms)
    return Stream(_lines(services, wanted, first, now_ms), media_type="application/x-ndjson")


@get("/usage/{request_id:str}")
async def show_usage(request_id: FromPath[str], services: NamedDependency[AdminServices]) -> UsageDetail:
    """One record with its receipt."""
    return await services.reader.read(lambda c: usage.show_usage(c, request_id))


async def _page(
    services: AdminServices, query: UsageQuery, limit: int, cursor: str, now_ms: int
) -> Page[UsageRecord]:
    return await services.reader.read(
        lambda c: usage.list_usage(c, query, limit=limit, cursor=cursor, now_ms=now_ms)
    )


async def _lines(
    services: AdminServices, query: UsageQuery, page: Page[UsageRecord], now_ms: int
) -> AsyncGenerator[bytes, None]:
    encode = msgspec.json.Encoder().encode_lines
    while True:
        yield encode(page.items)
        if page.next is None:
            return
        page = await _page(services, query, usage.LARGEST_PAGE, page.next, now_ms)


HANDLERS = [list_usage, sum_usage, export_usage, show_usage]
