"""Builds the application of one worker: services first, then Litestar, then the front before both."""

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

    def __init__(self, config: Config, folder: Folder) -> None:
        self._services = Services(config, folder)
        self._front: Front | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._front is not None:
            await self._front(scope, receive, send)

    async def start(self) -> bool:
        """Opens the services. False when they cannot be; the reason is in the log."""
        try:
            context = await self._services.start()
            self._front = Front(context, build_litestar(self._services))
        except LaidianError as error:
            _log.error("the worker cannot start: %s", error.message)
            return False
        except Exception:
            _log.exception("a bug while the worker started")
            return False
        return True

    async def stop(self) -> None:
        """After the last request."""
        await self._services.stop()


def create_app() -> Application:
    """Called by Granian in each worker."""
    boot = msgspec.json.decode(os.environ[BOOT_VARIABLE], type=Boot)
    die_with_parent(boot.parent)
    return Application(effective(boot), Folder(Path(boot.data)))


def build_litestar(services: Services) -> Litestar:
    """Everything that is not relayed. No OpenAPI at its default public place; errors in our shape, tracebacks on stderr only."""
    return Litestar(
        route_handlers=[
            *health_routes(services.context),
            metrics_route(lambda: services.admin),
            admin_router(lambda: services.admin),
        ],
        logging_config=None,
        openapi_config=None,
        exception_handlers={LaidianError: refused, HTTPException: not_understood, Exception: failed},
        debug=False,
    )
