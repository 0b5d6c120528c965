"""The admin application without a server: what the command line talks to when none serves from the data folder.

The same application as the server's, so that there is one way through the code; only the sockets are missing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from litestar import Litestar

from laidian.admin.service.start import lay_ground
from laidian.clock import now_ms
from laidian.config import Config
from laidian.data import price_book_bytes
from laidian.server.app import build_litestar
from laidian.server.folder import Folder
from laidian.server.prepare import prepare
from laidian.server.services import Services


@asynccontextmanager
async def admin_app(folder: Folder, config: Config) -> AsyncGenerator[Litestar, None]:
    """Prepares the folder as a start would (schema, orphans) and opens it for the time of the block.

    Raises LaidianError when the folder cannot be used.
    """
    folder.create()
    prepare(folder, config)
    services = Services(config, folder, chores=False)
    context = await services.start()
    at_ms = now_ms()
    await context.writer.submit(
        lambda connection: lay_ground(connection, shipped_book=price_book_bytes(), now_ms=at_ms)
    )
    try:
        yield build_litestar(services)
    finally:
        await services.stop()
