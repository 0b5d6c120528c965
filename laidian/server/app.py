"""Builds the application of one worker: services first, then Litestar, then the front before both.

ASGI, although Granian's own interface costs 40 us less a request: RSGI takes whatever a stream sends into memory when its client does
not read (36 MB of one stream in 3 s, Granian 2.8.7, tried 2026-11-22), where ASGI makes the stream wait.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec
from litestar import Litestar
from litestar.exceptions import HTTPException

from laidian.admin.api.metrics import metrics_route
from laidian.admin.api.refusals import failed, not_understood, refused
from laidian.admin.api.router import admin_router
from laidian.config import Config
from laidian.errors import LaidianError
from laidian.pages.door import is_page
from laidian.pages.router import absent, page_routes
from laidian.relay.client import Receive, Scope, Send
from laidian.routes.front import Front
from laidian.routes.health import health_routes
from laidian.server.boot import BOOT_VARIABLE, Boot, effective
from laidian.server.folder import Folder
from laidian.server.parent import die_with_parent
from laidian.server.services import Services

_log = logging.getLogger(__name__)


class Application:
    """The ASGI application of one worker."""

    def __init__(self, config: Config, folder: Folder, config_file: Path | None = None) -> None:
        self._services = Services(config, folder, config_file=config_file)
        self._front: Front | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._front is not None and scope["type"] == "http":
            await self._front(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        if not await self._start():
            await send({"type": "lifespan.startup.failed", "message": "see the line above"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._services.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _start(self) -> bool:
        """Opens the services. False when they cannot be; the reason is in the log."""
        try:
            context = await self._services.start()
            self._front = Front(context, build_litestar(self._services), is_page)
            self._services.take_front(self._front)
        except LaidianError as error:
            _log.error("the worker cannot start: %s", error.message)
            return False
        except Exception:
            _log.exception("a bug while the worker started")
            return False
        return True


def create_app() -> Application:
    """Called by Granian in each worker."""
    boot = msgspec.json.decode(os.environ[BOOT_VARIABLE], type=Boot)
    die_with_parent(boot.parent)
    return Application(effective(boot), Folder(Path(boot.data)), Path(boot.config) if boot.config else None)


def build_litestar(services: Services) -> Litestar:
    """Everything that is not relayed. No OpenAPI at its default public place; errors in our shape, tracebacks on stderr only."""
    return Litestar(
        route_handlers=[
            *health_routes(services.context),
            *page_routes(services.context),
            metrics_route(lambda: services.admin),
            admin_router(lambda: services.admin),
        ],
        logging_config=None,
        openapi_config=None,
        exception_handlers={
            LaidianError: refused,
            HTTPException: absent(services.context, not_understood),
            Exception: failed,
        },
        debug=False,
    )
