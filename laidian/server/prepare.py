"""What stands between a data folder and its first request: the schema of this version, and no hold of a dead instance."""

from __future__ import annotations

from laidian.clock import now_ms
from laidian.config import Config
from laidian.server.folder import Folder
from laidian.store.database import WriteLock, connect, immediate, lock_path, migrate
from laidian.store.orphans import settle_orphans


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
