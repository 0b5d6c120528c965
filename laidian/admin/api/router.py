"""Puts the admin API together: routes, gate, refusals, and its own OpenAPI document, which nobody reads without the token."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, Router, get, route
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig

from laidian import __version__
from laidian.admin.api import (
    carry,
    console,
    events,
    groups,
    instance,
    journal,
    keys,
    prices,
    quotas,
    serving,
    snippets,
    upstreams,
    usage,
)
from laidian.admin.api.gate import Gate
from laidian.admin.api.refusals import failed, no_route, not_understood, refused, unreadable
from laidian.admin.api.services import AdminServices
from laidian.errors import LaidianError

PATH = "/admin"
ACTOR = "x-laidian-actor"
_WHO = re.compile(r"[a-z][a-z0-9@._-]{0,31}")
BODY_MAX_BYTES = 1024 * 1024
"""Lists of patterns and aliases; nothing that an operator sends is larger."""

_HANDLERS: list[HTTPRouteHandler] = [
    *instance.HANDLERS,
    *journal.HANDLERS,
    *events.HANDLERS,
    *console.HANDLERS,
    *serving.HANDLERS,
    *keys.HANDLERS,
    *groups.HANDLERS,
    *quotas.HANDLERS,
    *upstreams.HANDLERS,
    *prices.HANDLERS,
    *usage.HANDLERS,
    *snippets.HANDLERS,
    *carry.HANDLERS,
]


def admin_router(services: Callable[[], AdminServices]) -> Router:
    """Everything below /admin. `services` is asked at each request, since they exist only once the worker has started.

    The application that takes it should have no OpenAPI configuration of its own: this router serves its document itself.
    """

    def provide_services(request: Request[Any, Any, Any]) -> AdminServices:
        return msgspec.structs.replace(services(), who=who_asks(request.headers.get(ACTOR, "")))

    return Router(
        PATH,
        route_handlers=[
            Router("/v1", route_handlers=[*_HANDLERS, openapi_document, nothing_here]),
            nothing_here,
        ],
        dependencies={
            "services": Provide(provide_services, sync_to_thread=False),
            "wanted": Provide(usage.usage_query),
        },
        guards=[Gate(services).guard],
        exception_handlers={
            LaidianError: refused,
            HTTPException: not_understood,
            RecursionError: unreadable,
            UnicodeDecodeError: unreadable,
            Exception: failed,
        },
        response_headers={"cache-control": "no-store"},
        request_max_body_size=BODY_MAX_BYTES,
    )


def who_asks(said: str) -> str:
    """Who a caller says it is: `tui`, `cli`; whoever says nothing that can be shown is `api`. Everybody here has the admin token."""
    return said if _WHO.fullmatch(said) else "api"


@get("/openapi.json", include_in_schema=False, sync_to_thread=True)
def openapi_document() -> Response[bytes]:
    """The document of this API alone, made when somebody asks."""
    bare = Router(
        f"{PATH}/v1",
        route_handlers=list(_HANDLERS),
        dependencies={
            "services": Provide(_no_services, sync_to_thread=False),
            "wanted": Provide(usage.usage_query),
        },
    )
    app = Litestar(
        [bare],
        openapi_config=OpenAPIConfig(title="LaiDian admin API", version=__version__, render_plugins=[]),
    )
    return Response(msgspec.json.encode(app.openapi_schema.to_schema()), media_type="application/json")


@route(["/", "/{rest:path}"], http_method=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False)
async def nothing_here(request: Request[Any, Any, Any]) -> None:
    """Every other path: behind the gate, too."""
    raise no_route(request.method, request.url.path)


def _no_services() -> AdminServices:
    raise NotImplementedError("the document's application is never asked anything")
