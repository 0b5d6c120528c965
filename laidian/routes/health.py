"""Liveness and readiness."""

from __future__ import annotations

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from laidian import __version__
from laidian.errors import LaidianError
from laidian.relay.context import Context
from laidian.store.connection import Connection


class Alive(msgspec.Struct):
    status: str
    version: str


class Ready(msgspec.Struct):
    status: str
    """`ready` or `not_ready`."""
    database: str
    """`writable`, or why not."""
    upstreams: int
    """Enabled upstreams with a credential."""


def health_routes(services: Context) -> list[HTTPRouteHandler]:
    """GET /health and GET /health/ready."""

    @get("/health", sync_to_thread=False)
    def health() -> Alive:
        """The process answers."""
        return Alive("ok", __version__)

    @get("/health/ready")
    async def ready() -> Response[Ready]:
        """200 when the database takes a write and an upstream is known; 503 otherwise, with the reason."""
        try:
            await services.writer.submit(_touch)
            database = "writable"
        except LaidianError as error:
            database = error.message
        upstreams = sum(
            1
            for upstream in services.catalog.current().upstreams.values()
            if upstream.enabled and upstream.credentials
        )
        ok = database == "writable" and upstreams > 0 and not services.stopping
        return Response(
            Ready("ready" if ok else "not_ready", database, upstreams), status_code=200 if ok else 503
        )

    return [health, ready]


def _touch(connection: Connection) -> None:
    connection.execute("UPDATE meta SET value = value WHERE name = 'first_start_done'")
