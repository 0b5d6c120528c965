"""Reads for the operator, beside the event loop: a listing or an audit may take seconds and must not hold up the relay.

Each read is one transaction, so that figures from several tables agree. Refuses to write: the connections are query-only.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from laidian.errors import StorageDown
from laidian.store.connection import Connection
from laidian.store.database import connect

T = TypeVar("T")

THREADS = 2
"""One long read (an audit, an export) leaves one for the short ones."""


class Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._opened: list[Connection] = []
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="laidian-read")

    async def read(self, question: Callable[[Connection], T]) -> T:
        """The answer to a question, from one consistent state. Raises StorageDown when the database cannot be read."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, question)

    def close(self) -> None:
        """Ends the reads under way, which fail with StorageDown, and closes."""
        for connection in self._opened:
            connection.interrupt()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for connection in self._opened:
            connection.close()

    def _ask(self, question: Callable[[Connection], T]) -> T:
        try:
            connection = self._connection()
            connection.execute("BEGIN")
            try:
                return question(connection)
            finally:
                connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise StorageDown(f"the database cannot be read ({error}). The operator has to look.") from None

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = connect(self._path, read_only=True)
            self._local.connection = connection
            self._opened.append(connection)
        return connection
