"""The door: a bare ASGI callable that takes the relay's paths and hands everything else to Litestar.

Chosen by measurement: Litestar's own routing costs 40 to 46 us a request, and its `@asgi` mounts answer wrongly below `/v1`
(design.md 7a); this costs 4. Only this file knows which paths are the relay's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from laidian.clock import now_ms
from laidian.errors import LaidianError, MethodNotAllowed, NotFound
from laidian.protocol.dialect import OPERATIONS, ROUTES
from laidian.relay.client import Client, Receive, Scope, Send
from laidian.relay.context import Context
from laidian.relay.life import Line, Relay, new_request_id
from laidian.routes.models import list_models, show_model
from laidian.routes.paths import canonical

ASGI = Callable[[Any, Any, Any], Awaitable[None]]

_BARE = {operation.path.removeprefix("/v1"): operation for operation in OPERATIONS}
"""Paths that clients send when the base URL was given without /v1."""


class Front:
    def __init__(self, context: Context, rest: ASGI) -> None:
        self._context = context
        self._rest = rest
        self._relay = Relay(context)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = canonical(scope["path"])
        operation = ROUTES.get(path) or _BARE.get(path)
        if operation is not None and scope["method"] == operation.method:
            await self._relay.serve(scope, receive, send, operation)
        elif operation is not None or path == "/v1" or path.startswith("/v1/"):
            await self._local(scope, receive, send, path)
        else:
            await self._rest(scope, receive, send)

    async def _local(self, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        """What is answered here, and the refusals of everything else below /v1."""
        context, at_ms = self._context, now_ms()
        client = Client(scope, receive, send, context.families["openai"], new_request_id())
        line = Line(at_ms=at_ms, request_id=client.request_id, operation="models", status=0, duration_ms=0)
        try:
            await self._answer(context, client, path)
        except LaidianError as error:
            line.operation = "models" if path.startswith("/v1/models") else "unknown"
            line.error, line.fault = error.code, error.fault
            await client.fail(error)
        line.status, line.duration_ms = client.status, now_ms() - at_ms
        context.journal.request(line)

    async def _answer(self, context: Context, client: Client, path: str) -> None:
        method = client.scope["method"]
        operation = ROUTES.get(path) or _BARE.get(path)
        is_models = path == "/v1/models" or path.startswith("/v1/models/")
        if operation is not None or (is_models and method not in ("GET", "HEAD")):
            allowed = operation.method if operation else "GET"
            raise MethodNotAllowed(f"{path} takes {allowed}, not {method}. Check the client's base URL.")
        if path == "/v1/models":
            await list_models(context, client)
        elif is_models:
            await show_model(context, client, path.removeprefix("/v1/models/"))
        else:
            raise NotFound(
                f"Invalid URL ({method} {path[:200]}). LaiDian serves "
                f"{', '.join(sorted(ROUTES))} and /v1/models; the base URL ends with /v1.",
                code="unknown_url",
            )
