"""Connections to the one database file, and the rule of who may write when.

SQLite before 3.51.3 can corrupt a write-ahead log when one connection checkpoints while another commits (sqlite.org change
log, 3.51.3: "Fix the WAL-reset database corruption bug"), and Debian 12 ships 3.40.1. So every writing transaction and every
checkpoint of every process happens under one file lock (`WriteLock`), no connection checkpoints by itself, and the bug's
precondition cannot arise. The lock also queues writers in the kernel, where SQLite's own busy handler would sleep: two
processes contending showed pauses of 0.6 to 0.9 s (performance.md 2d).
The rule a newcomer would break: never write through a connection without holding the lock.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from laidian.errors import StorageDown
from laidian.store.migrations import STEPS

OLDEST_SQLITE = (3, 37, 0)
"""STRICT tables (3.37) and RETURNING (3.35)."""


class SchemaProblem(StorageDown):
    """The file's schema is newer than this program, or a migration failed; the server refuses to start."""


class WriteLock:
    """An exclusive lock among all processes that write this database. Not re-entrant, one per connection."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def acquire(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def try_acquire(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._file)


def lock_path(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def log_path(path: Path) -> Path:
    """SQLite's write-ahead log of a database."""
    return path.with_name(path.name + "-wal")


def connect(path: Path, *, synchronous: str = "FULL", read_only: bool = False) -> sqlite3.Connection:
    """An autocommit connection, usable from any thread but by one at a time.

    Autocommit (`isolation_level=None`) because Python's implicit transactions do not commit `… RETURNING` (dependencies.md 0.2).
    Raises StorageDown when the file cannot be opened or is no database.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StorageDown(
            f"SQLite {sqlite3.sqlite_version} is too old: 3.37 or later is needed. Use a Python that is linked with a newer SQLite."
        )
    try:
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=5.0, cached_statements=256
        )
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA temp_store = MEMORY")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
    except sqlite3.Error as error:
        raise StorageDown(f"the database {path} cannot be opened: {error}. It was not changed.") from None
    return connection


@contextmanager
def immediate(connection: sqlite3.Connection, lock: WriteLock) -> Generator[sqlite3.Connection, None, None]:
    """One writing transaction: lock, BEGIN IMMEDIATE, commit or roll back, unlock.

    Not `sqlite_utils.Database.atomic`: that is a deferred BEGIN and fails under contention (dependencies.md 0.3).
    """
    lock.acquire()
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    finally:
        lock.release()


def schema_version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def migrate(path: Path, *, backup: Callable[[int], Path] | None = None) -> int:
    """Brings the file to this program's schema and returns the version it had. Creates the file (0600) when missing.

    `backup` is called with the old version before the first step of an existing database and returns where the copy goes.
    Raises SchemaProblem when the schema is newer than this program or a step fails; the file is then as it was.
    """
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    lock = WriteLock(lock_path(path))
    connection = connect(path)
    try:
        lock.acquire()
        before = _version_or_damage(connection, path)
        if before > len(STEPS):
            raise SchemaProblem(
                f"{path} has schema {before}, but this program knows {len(STEPS)}: it was written by a newer LaiDian. "
                "Start that version, or restore an older backup."
            )
        connection.execute("PRAGMA journal_mode = WAL")
        if before and before < len(STEPS) and backup is not None:
            _copy(connection, backup(before))
        for number, step in enumerate(STEPS[before:], start=before + 1):
            _run_step(connection, number, step)
        return before
    finally:
        lock.release()
        connection.close()
        lock.close()


def _version_or_damage(connection: sqlite3.Connection, path: Path) -> int:
    try:
        version = schema_version(connection)
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    except sqlite3.DatabaseError as error:
        raise _damaged(path, str(error)) from None
    if path.stat().st_size % page_bytes:
        # SQLite itself overlooks a torn last page until somebody needs it
        raise _damaged(path, "its last page is cut off")
    return version


def _damaged(path: Path, why: str) -> SchemaProblem:
    return SchemaProblem(
        f"{path} is damaged or not a database ({why}). It was not changed; restore a backup or move it away."
    )


def _run_step(connection: sqlite3.Connection, number: int, step: str) -> None:
    try:
        connection.execute("BEGIN IMMEDIATE")
        for statement in _statements(step):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise SchemaProblem(
            f"migration {number} failed: {error}. The database is unchanged; report this with the version."
        ) from None


def _statements(script: str) -> Iterator[str]:
    # not executescript(): it commits the open transaction first, so a crash could leave half a step
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        raise ValueError("a migration step does not end with a semicolon")


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    os.close(os.open(target, os.O_RDWR | os.O_CREAT, 0o600))
    copy = sqlite3.connect(target)
    try:
        connection.backup(copy)
    finally:
        copy.close()


def checkpoint(connection: sqlite3.Connection) -> None:
    """Copies the write-ahead log back as far as readers allow, without waiting. The caller holds the write lock."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


def catalog_version(connection: sqlite3.Connection) -> int:
    """The number that every change of keys, groups, quotas, upstreams or prices raises."""
    (version,) = connection.execute("SELECT value FROM meta WHERE name = 'catalog_version'").fetchone()
    return int(version)


def bump_catalog(connection: sqlite3.Connection) -> None:
    """Tells every worker that its snapshot is old. Part of the transaction that made it so."""
    connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'catalog_version'")
