"""Copies of the database file: made while it is in use, proved, and put back.

A copy is one file in SQLite's own format, without write-ahead log, readable by the owner alone. It holds every digest, every
record and the sealed credentials; the master key that opens those is in a file of its own and not part of it. The rule a newcomer
would break: never copy the database with `cp`, which takes neither the write-ahead log nor a consistent moment.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import msgspec

from laidian.errors import Conflict, LaidianError, NotFound, StorageDown
from laidian.store.database import connect, schema_version
from laidian.store.migrations import STEPS
from laidian.store.vault import Vault

PAGES = 2048
"""Copied between two words of progress: 8 MB."""

Progress = Callable[[int, int], None]
"""Pages done, and in all."""


class BackupState(msgspec.Struct, frozen=True, kw_only=True):
    """What a proved copy holds."""

    schema: int
    bytes: int
    keys: int
    records: int
    newest_record_ms: int | None
    """When the newest record's request began; None without records."""
    credentials: int
    """Of upstreams; sealed."""


def back_up(database: Path, target: Path, progress: Progress | None = None) -> None:
    """Copies the database, as it is at one moment, to a new file (0600); whole or not at all.

    Raises Conflict when the target exists, StorageDown when either cannot be used.
    """
    if target.exists():
        raise Conflict(f"{target} exists already; name another file, or move that one away.")
    part = target.with_name(target.name + ".part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise StorageDown(f"{target} cannot be written: {os.strerror(error.errno or 0)}.") from None
    source, copy = connect(database, read_only=True), connect(part, synchronous="FULL")
    try:
        # An open read pins one moment: without it every commit of a running server would start the copy anew.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(copy, pages=PAGES, progress=_told(progress))
        source.execute("COMMIT")
        copy.execute("PRAGMA journal_mode = DELETE")
        copy.close()
        _settle(part, target)
    except (sqlite3.Error, OSError) as error:
        raise StorageDown(f"the copy to {target} failed: {error}. There is no copy.") from None
    finally:
        source.close()
        copy.close()
        part.unlink(missing_ok=True)


def prove(path: Path) -> BackupState:
    """Reads every page and index of a copy. Raises NotFound without one, StorageDown with the reason it is none or not whole."""
    if not path.is_file():
        raise NotFound(f"there is no file {path}.")
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        raise StorageDown(
            f"{path} has a write-ahead log beside it, so it is a database in use and no copy. Make one: laidian backup FILE"
        )
    try:
        # immutable: nothing is made beside it, so that a copy on a read-only disk can be proved
        connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True)
    except sqlite3.Error as error:
        raise StorageDown(f"{path} cannot be opened: {error}.") from None
    try:
        return _proved(connection, path)
    except sqlite3.Error as error:
        raise StorageDown(f"{path} is damaged or no database: {error}.") from None
    finally:
        connection.close()


def schema_of(database: Path) -> int:
    """Of a database that may be in use. Raises StorageDown."""
    connection = connect(database, read_only=True)
    try:
        return schema_version(connection)
    except sqlite3.Error as error:
        raise StorageDown(f"{database} is damaged or no database: {error}.") from None
    finally:
        connection.close()


def _proved(connection: sqlite3.Connection, path: Path) -> BackupState:
    schema = schema_version(connection)
    if schema > len(STEPS):
        raise StorageDown(
            f"{path} has schema {schema}, but this program knows {len(STEPS)}: it was written by a newer LaiDian."
        )
    known = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('keys', 'usage_records', 'credentials')"
    ).fetchone()[0]
    if not schema or known != 3:
        raise StorageDown(f"{path} is a database, but not one of LaiDian.")
    wrong = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    if wrong != ["ok"]:
        raise StorageDown(f"{path} is damaged: {'; '.join(wrong)}.")
    if missing := connection.execute("PRAGMA foreign_key_check").fetchone():
        raise StorageDown(
            f"{path} is damaged: a row of {missing[0]} refers to a row of {missing[2]} that is not there."
        )
    (keys,) = connection.execute("SELECT count(*) FROM keys WHERE deleted_at_ms IS NULL").fetchone()
    records, newest = connection.execute("SELECT count(*), max(started_at_ms) FROM usage_records").fetchone()
    (sealed,) = connection.execute("SELECT count(*) FROM credentials WHERE sealed IS NOT NULL").fetchone()
    return BackupState(
        schema=schema,
        bytes=path.stat().st_size,
        keys=keys,
        records=records,
        newest_record_ms=newest,
        credentials=sealed,
    )


def put_back(copy: Path, database: Path, kept: Path, progress: Progress | None = None) -> None:
    """Puts a proved copy in the database's place; what was there goes to `kept`, with its write-ahead log if it has one.

    The caller has claimed the folder, so that no server runs. The place is never empty: a crash leaves the old file or the new.
    Raises StorageDown when a file cannot be written.
    """
    fresh = database.with_name(database.name + ".new")
    fresh.unlink(missing_ok=True)
    back_up_closed(copy, fresh, progress)
    try:
        if database.exists():
            with contextlib.suppress(LaidianError, sqlite3.Error):  # damage may be why a copy is put back
                connection = connect(database)
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                connection.close()
            os.link(database, kept)
            for tail in ("-wal", "-shm"):
                beside = database.with_name(database.name + tail)
                if beside.exists():
                    beside.replace(kept.with_name(kept.name + tail))
        _settle(fresh, database)
    except OSError as error:
        raise StorageDown(f"{database} cannot be replaced: {os.strerror(error.errno or 0)}.") from None
    finally:
        fresh.unlink(missing_ok=True)


def back_up_closed(copy: Path, target: Path, progress: Progress | None) -> None:
    """A copy of a copy: plain bytes will do, since nobody writes it."""
    total, done = max(1, copy.stat().st_size), 0
    try:
        with (
            copy.open("rb") as source,
            os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
        ):
            while part := source.read(PAGES * 4096):
                file.write(part)
                done += len(part)
                if progress is not None:
                    progress(done, total)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise StorageDown(f"{target} cannot be written: {os.strerror(error.errno or 0)}.") from None


def unopened(path: Path, vault: Vault) -> int:
    """How many credentials of a proved copy this master key does not open."""
    connection = connect(path, read_only=True)
    try:
        rows = connection.execute("SELECT id, sealed FROM credentials WHERE sealed IS NOT NULL").fetchall()
    finally:
        connection.close()
    closed = 0
    for number, sealed in rows:
        try:
            vault.open(sealed, f"credentials:{number}")
        except StorageDown:
            closed += 1
    return closed


def _told(progress: Progress | None) -> Callable[[int, int, int], object] | None:
    if progress is None:
        return None
    return lambda _, remaining, total: progress(total - remaining, total)


def _settle(written: Path, target: Path) -> None:
    """Gives a written file its name, on the disk and not only in memory."""
    with written.open("rb") as file:
        os.fsync(file.fileno())
    written.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
