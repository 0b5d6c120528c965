"""The one place of a process that writes while it serves: small operations, committed together.

An operation is a function of the connection. Operations that arrive while a commit runs are collected and share the next
transaction (group commit), so a durable commit costs a tenth of what one per request would. Statements run on the event
loop's thread, where nothing competes for them, and only BEGIN's lock and COMMIT's fsync go to a thread: handing every
statement to a thread made it wait for the interpreter lock after each one.
The rule a newcomer would break: an operation may be run twice (after another one of its batch failed), so it must depend on
nothing but the connection and its arguments.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from laidian.errors import Stopping, StorageDown
from laidian.store.database import WriteLock, checkpoint, connect, lock_path

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], Any]

BATCH = 64
"""Operations in one transaction at most: about 4 ms of the loop's time."""
COMMITS_PER_CHECKPOINT = 500


class Writer:
    def __init__(self, path: Path, *, synchronous: str = "FULL") -> None:
        self._path = path
        self._synchronous = synchronous
        self._pending: list[tuple[Operation, asyncio.Future[Any]]] = []
        self._busy = False
        self._closed = False
        self._idle: asyncio.Future[None] | None = None
        """Done when the last submitted operation is; made by `aclose`."""
        self._commits = 0
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    def start(self) -> None:
        """Opens the connection; called on the event loop that will use it."""
        self._loop = asyncio.get_running_loop()
        self._connection = connect(self._path, synchronous=self._synchronous)
        self._connection.execute("PRAGMA busy_timeout = 2000")
        self._lock = WriteLock(lock_path(self._path))
        self._thread = threading.Thread(target=self._work, name="laidian-commit", daemon=True)
        self._thread.start()

    def submit(self, operation: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """The operation's result, once it is committed. Fails with StorageDown when the database cannot be written."""
        future: asyncio.Future[T] = self._loop.create_future()
        if self._closed:
            future.set_exception(
                Stopping("the server is stopping and takes no new work; try again in a moment")
            )
            return future
        self._pending.append((operation, future))
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._begin)
        return future

    async def aclose(self) -> None:
        """Waits for what was submitted, then closes."""
        if self._busy:
            self._idle = self._loop.create_future()
            await self._idle
        self._closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        self._connection.close()
        self._lock.close()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _begin(self) -> None:
        if self._lock.try_acquire():
            self._run()
        else:
            self._jobs.put(self._acquire)

    def _acquire(self) -> None:
        self._lock.acquire()
        self._loop.call_soon_threadsafe(self._run)

    def _run(self) -> None:
        batch, self._pending = self._pending[:BATCH], self._pending[BATCH:]
        done: list[tuple[asyncio.Future[Any], Any]] = []
        try:
            while batch:
                failed = self._attempt(batch, done)
                if failed is None:
                    break
                done.clear()
                del batch[failed]
        except sqlite3.Error as error:
            self._lock.release()
            self._fail([future for _, future in batch], error)
            return
        self._jobs.put(lambda: self._commit(done))

    def _attempt(
        self, batch: list[tuple[Operation, asyncio.Future[Any]]], done: list[tuple[asyncio.Future[Any], Any]]
    ) -> int | None:
        """Runs a batch inside a transaction that stays open; rolls back and returns the index of the one that failed."""
        self._connection.execute("BEGIN IMMEDIATE")
        for index, (operation, future) in enumerate(batch):
            try:
                done.append((future, operation(self._connection)))
            except Exception as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    raise  # disk full, I/O error, locked: it is the database, not the operation
                if not future.done():
                    future.set_exception(error)
                return index
        return None

    def _commit(self, done: list[tuple[asyncio.Future[Any], Any]]) -> None:
        error: sqlite3.Error | None = None
        try:
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")
            self._checkpoint_sometimes()
        except sqlite3.Error as caught:
            error = caught
            # SQLite has usually rolled back already; a second ROLLBACK would raise (reliability.md section 1)
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        finally:
            self._lock.release()
        self._loop.call_soon_threadsafe(self._finish, done, error)

    def _checkpoint_sometimes(self) -> None:
        self._commits += 1
        if self._commits % COMMITS_PER_CHECKPOINT:
            return
        try:
            checkpoint(self._connection)
        except sqlite3.Error:
            # what was committed stays committed in the log; the next checkpoint tries again
            self._commits -= 1

    def _finish(self, done: list[tuple[asyncio.Future[Any], Any]], error: sqlite3.Error | None) -> None:
        if error is not None:
            self._fail([future for future, _ in done], error)
            return
        for future, result in done:
            if not future.done():
                future.set_result(result)
        self._next()

    def _fail(self, futures: list[asyncio.Future[Any]], error: sqlite3.Error) -> None:
        for future in futures:
            if not future.done():
                future.set_exception(
                    StorageDown(
                        f"the database cannot be written ({error}); nothing was relayed. The operator has to look."
                    )
                )
        self._next()

    def _next(self) -> None:
        if self._pending:
            self._loop.call_soon(self._begin)
        else:
            self._busy = False
            if self._idle is not None and not self._idle.done():
                self._idle.set_result(None)
