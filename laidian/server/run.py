"""`laidian serve`: prepares the data folder once, then runs Granian until it is told to stop."""

from __future__ import annotations

import os
from typing import Any

import msgspec
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from laidian.clock import now_ms
from laidian.config import Config
from laidian.server.boot import BOOT_VARIABLE, Boot
from laidian.server.folder import Folder
from laidian.store.database import WriteLock, connect, immediate, lock_path, migrate
from laidian.store.orphans import settle_orphans

HEADER_TIMEOUT_MS = 10_000
"""A request head that takes longer is cut; Granian's default is 30 s."""


class Server(MPServer):
    """Granian that tells its workers when a stop begins, so that running streams can be bounded and settled."""

    folder: Folder

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        self.folder.stopping.touch()
        super().signal_handler_interrupt(*args, **kwargs)  # pyright: ignore[reportUnknownMemberType]


def prepare(folder: Folder, config: Config) -> int:
    """Migrates, settles what a dead instance left behind. Before any worker runs. Returns the orphans settled."""
    migrate(folder.database, backup=folder.backup_path)
    connection = connect(folder.database, synchronous=config.ledger.synchronous.upper())
    lock = WriteLock(lock_path(folder.database))
    try:
        with immediate(connection, lock):
            return settle_orphans(connection, folder.run, now_ms())
    finally:
        connection.close()
        lock.close()


def serve(boot: Boot, config: Config, folder: Folder) -> None:
    """Serves until SIGTERM or SIGINT. The folder is claimed and prepared already."""
    os.environ[BOOT_VARIABLE] = msgspec.json.encode(boot).decode()
    if config.server.workers > 1:
        # counters in shared files cost 10 us a request more than counters in memory, so only where there is somebody to share with
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder.metrics)
    server = Server(
        "laidian.server.app:create_app",
        factory=True,
        address=config.server.host,
        port=config.server.port,
        interface=Interfaces.ASGI,
        workers=config.server.workers,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=int(config.server.drain_s) + 8,
    )
    server.folder = folder
    folder.announce(base_url(config))
    server.serve()


def base_url(config: Config) -> str:
    """Where this machine reaches the instance."""
    host = config.server.host
    if host in ("0.0.0.0", "::"):  # noqa: S104 - read, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{config.server.port}" if ":" in host else f"http://{host}:{config.server.port}"
