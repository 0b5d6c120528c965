"""The one place of a process that writes while it serves: small operations, committed together, then made durable.

An operation is a function of the connection. Statements and COMMIT run on the event loop's thread, where nothing competes for
them: SQLite's NORMAL only appends to the log then, which takes microseconds. What has to survive a power cut waits for one
`fdatasync` of the log, in a thread; operations that arrive meanwhile are collected and share the next transaction (group
commit), so a durable commit costs a tenth of what one per request would.
An operation that need not survive a power cut by itself (`durable=False`) has its result before the sync, and alone needs none:
the log is written in order, so whatever is synced later makes it durable, too (reliability.md section 4). A process that is
killed loses nothing either way.
The rule a newcomer would break: an operation may be run twice (after another one of its batch failed), so it must depend on
nothing but the connection and its arguments.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from laidian.errors import Stopping, StorageDown
from laidian.store.database import WriteLock, checkpoint, connect, lock_path, log_path, schema_version

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], Any]

BATCH = 64
"""Operations in one transaction at most: about 4 ms of the loop's time."""
COMMITS_PER_CHECKPOINT = 500


class _Entry:
    __slots__ = ("durable", "future", "operation", "result")

    def __init__(self, operation: Operation, future: asyncio.Future[Any], durable: bool) -> None:
        self.operation = operation
        self.future = future
        self.durable = durable
        self.result: Any = None

    def done(self) -> None:
        if not self.future.done():
            self.future.set_result(self.result)

    def failed(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Writer:
    """One per process. `synchronous` as SQLite has it; below FULL nothing is synced but by a checkpoint.

    `sync` makes a file's content durable, given its descriptor; a test puts a disk in its place that forgets.
    """

    def __init__(
        self, path: Path, *, synchronous: str = "FULL", sync: Callable[[int], None] = os.fdatasync
    ) -> None:
        self._path = path
        self._synchronous = synchronous
        self._sync = sync
        self._pending: list[_Entry] = []
        self._busy = False
        self._closed = False
        self._idle: asyncio.Future[None] | None = None
        """Done when the last submitted operation is; made by `aclose`."""
        self._commits = 0
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    def start(self) -> None:
        """Opens the connection; called on the event loop that will use it."""
        self._loop = asyncio.get_running_loop()
        full = self._synchronous == "FULL"
        self._connection = connect(self._path, synchronous="NORMAL" if full else self._synchronous)
        self._connection.execute("PRAGMA busy_timeout = 2000")
        schema_version(
            self._connection
        )  # the log exists from the first read on, and as long as this connection
        self._log = os.open(log_path(self._path), os.O_RDONLY | os.O_CLOEXEC) if full else -1
        self._lock = WriteLock(lock_path(self._path))
        self._thread = threading.Thread(target=self._work, name="laidian-sync", daemon=True)
        self._thread.start()

    def submit(
        self, operation: Callable[[sqlite3.Connection], T], *, durable: bool = True
    ) -> asyncio.Future[T]:
        """The operation's result, once it is committed and, when `durable`, on the disk.

        Fails with StorageDown when the database cannot be written.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        if self._closed:
            future.set_exception(
                Stopping("the server is stopping and takes no new work; try again in a moment")
            )
            return future
        self._pending.append(_Entry(operation, future, durable))
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
        if self._log >= 0:
            os.close(self._log)

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
        """One batch: transaction, commit, results. The lock is held at the beginning."""
        batch, self._pending = self._pending[:BATCH], self._pending[BATCH:]
        before = self._connection.total_changes
        try:
            while batch and (failed := self._attempt(batch)) is not None:
                del batch[failed]
            if batch:
                self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            # SQLite has usually rolled back already; a second ROLLBACK would raise (reliability.md section 1)
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._lock.release()
            self._fail(batch, f"the database cannot be written ({error}); nothing was relayed")
            self._next()
            return
        waiting = []
        if self._log >= 0 and self._connection.total_changes != before:
            waiting = [entry for entry in batch if entry.durable]
        for entry in batch:
            if not (waiting and entry.durable):
                entry.done()
        self._commits += 1
        checkpoint_due = self._commits % COMMITS_PER_CHECKPOINT == 0
        if not checkpoint_due:
            self._lock.release()
        if waiting or checkpoint_due:
            self._jobs.put(lambda: self._secure(waiting, checkpoint_due))
        else:
            self._next()

    def _attempt(self, batch: list[_Entry]) -> int | None:
        """Runs a batch inside a transaction that stays open; rolls back and returns the index of the one that failed."""
        self._connection.execute("BEGIN IMMEDIATE")
        for index, entry in enumerate(batch):
            try:
                entry.result = entry.operation(self._connection)
            except Exception as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    raise  # disk full, I/O error, locked: it is the database, not the operation
                entry.failed(error)
                return index
        return None

    def _secure(self, waiting: list[_Entry], checkpoint_due: bool) -> None:
        """In the thread: puts the log on the disk, and copies it back now and then; the loop leaves the connection alone meanwhile."""
        fault = ""
        try:
            if waiting:
                self._sync(self._log)
        except OSError as error:
            fault = f"the disk did not confirm what was written ({error.strerror}); a power cut may lose it"
        if checkpoint_due:
            self._checkpoint()
        self._loop.call_soon_threadsafe(self._finish, waiting, fault)

    def _checkpoint(self) -> None:
        try:
            checkpoint(self._connection)
        except sqlite3.Error:
            # what was committed stays committed in the log; the next commit tries again
            self._commits -= 1
        finally:
            self._lock.release()

    def _finish(self, waiting: list[_Entry], fault: str) -> None:
        if fault:
            self._fail(waiting, fault)
        else:
            for entry in waiting:
                entry.done()
        self._next()

    def _fail(self, entries: list[_Entry], fault: str) -> None:
        for entry in entries:
            entry.failed(StorageDown(f"{fault}. The operator has to look."))

    def _next(self) -> None:
        if self._pending:
            self._loop.call_soon(self._begin)
        else:
            self._busy = False
            if self._idle is not None and not self._idle.done():
                self._idle.set_result(None)
