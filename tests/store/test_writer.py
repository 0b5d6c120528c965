"""The writer: one transaction for many operations, and what becomes of each when something fails."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import sqlite3
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from laidian.errors import Stopping, StorageDown
from laidian.store.database import WriteLock, connect, lock_path, migrate
from laidian.store.writer import BATCH, COMMITS_PER_CHECKPOINT, Writer

DISK_BYTES = 2 * 1024 * 1024


class Disk:
    """A place that can be made full and empty again."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.db"
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        with self._ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * 4096)
        with self._ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0")

    def clear(self) -> None:
        self._ballast.unlink()


class Pages(Disk):
    """The same by SQLite's own limit, where nothing can be mounted."""

    def __init__(self, folder: Path, connection: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(folder)
        self._connection = connection

    def fill(self) -> None:
        self._connection().execute("PRAGMA max_page_count = 1")

    def clear(self) -> None:
        self._connection().execute("PRAGMA max_page_count = 1073741823")


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer]:
    path = tmp_path / "ledger.db"
    make_table(path)
    writer = Writer(path, synchronous="OFF")
    writer.start()
    yield writer
    await writer.aclose()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A file system of 2 MiB; None where this user may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def make_table(path: Path) -> None:
    migrate(path)
    connection = connect(path)
    connection.execute("CREATE TABLE notes (text TEXT NOT NULL UNIQUE) STRICT")
    connection.close()


def note(text: str) -> Callable[[sqlite3.Connection], str]:
    def operation(connection: sqlite3.Connection) -> str:
        connection.execute("INSERT INTO notes VALUES (?)", (text,))
        return text

    return operation


def fails_after(text: str) -> Callable[[sqlite3.Connection], str]:
    def operation(connection: sqlite3.Connection) -> str:
        connection.execute("INSERT INTO notes VALUES (?)", (text,))
        raise ValueError(text)

    return operation


def notes(path: Path) -> list[str]:
    """What a reader beside the writer sees."""
    connection = connect(path, read_only=True)
    try:
        return [text for (text,) in connection.execute("SELECT text FROM notes ORDER BY rowid")]
    finally:
        connection.close()


async def test_a_result_comes_only_when_others_can_read_it(writer: Writer, tmp_path: Path) -> None:
    assert await writer.submit(note("a")) == "a"
    assert notes(tmp_path / "ledger.db") == ["a"]


async def test_a_failing_operation_takes_its_own_writes_with_it_and_nobody_elses(
    writer: Writer, tmp_path: Path
) -> None:
    operations = [note("a"), fails_after("x"), note("b"), fails_after("y"), note("b2"), note("a"), note("c")]
    results = await asyncio.gather(*map(writer.submit, operations), return_exceptions=True)
    assert [repr(result) for result in results[:3]] == ["'a'", "ValueError('x')", "'b'"]
    assert isinstance(results[3], ValueError)
    assert isinstance(results[5], sqlite3.IntegrityError)
    assert results[6] == "c"
    assert notes(tmp_path / "ledger.db") == ["a", "b", "b2", "c"]


async def test_a_batch_of_failures_only_leaves_the_writer_working(writer: Writer, tmp_path: Path) -> None:
    results = await asyncio.gather(*map(writer.submit, [fails_after("x")] * 3), return_exceptions=True)
    assert all(isinstance(result, ValueError) for result in results)
    assert await writer.submit(note("a")) == "a"
    assert notes(tmp_path / "ledger.db") == ["a"]


async def test_more_than_one_batch_is_written_in_order(writer: Writer, tmp_path: Path) -> None:
    texts = [f"{number:04d}" for number in range(BATCH * 3 + 1)]
    assert await asyncio.gather(*(writer.submit(note(text)) for text in texts)) == texts
    assert notes(tmp_path / "ledger.db") == texts


async def test_an_operation_that_nobody_waits_for_any_more_is_written_all_the_same(
    writer: Writer, tmp_path: Path
) -> None:
    forgotten = writer.submit(note("a"))
    forgotten.cancel()
    assert await writer.submit(note("b")) == "b"
    assert notes(tmp_path / "ledger.db") == ["a", "b"]


async def test_the_loop_runs_on_while_another_process_holds_the_lock(writer: Writer, tmp_path: Path) -> None:
    other = WriteLock(lock_path(tmp_path / "ledger.db"))
    other.acquire()
    waiting = writer.submit(note("a"))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not waiting.done()
    assert notes(tmp_path / "ledger.db") == []
    other.release()
    assert await asyncio.wait_for(waiting, 5) == "a"
    other.close()


async def test_a_stranger_who_ignores_the_lock_costs_an_error_and_nothing_else(
    writer: Writer, tmp_path: Path
) -> None:
    writer._connection.execute("PRAGMA busy_timeout = 50")
    stranger = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    results = await asyncio.gather(*map(writer.submit, [note("a"), note("b")]), return_exceptions=True)
    assert [type(result) for result in results] == [StorageDown, StorageDown]
    stranger.execute("ROLLBACK")
    assert await writer.submit(note("a")) == "a"
    assert notes(tmp_path / "ledger.db") == ["a"]
    stranger.close()


async def test_the_log_is_copied_back_every_so_many_commits(writer: Writer, tmp_path: Path) -> None:
    """Nobody else does: automatic checkpoints are off."""
    log = tmp_path / "ledger.db-wal"
    for number in range(COMMITS_PER_CHECKPOINT):
        await writer.submit(note(str(number)))
    size = log.stat().st_size
    for number in range(COMMITS_PER_CHECKPOINT // 2):
        await writer.submit(note(f"more {number}"))
    assert log.stat().st_size == size, "after a checkpoint the log is written from its beginning"


async def test_closing_waits_for_what_was_submitted_and_refuses_what_comes_after(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    make_table(path)
    writer = Writer(path, synchronous="OFF")
    writer.start()
    early = [writer.submit(note(str(number))) for number in range(BATCH * 2)]
    await writer.aclose()
    assert [future.result() for future in early] == [str(number) for number in range(BATCH * 2)]
    with pytest.raises(Stopping):
        await writer.submit(note("late"))
    assert len(notes(path)) == BATCH * 2


async def test_a_full_disk_fails_everything_that_waits_and_spoils_nothing(
    tmp_path: Path, small_disk: Path | None
) -> None:
    if small_disk is None:
        await full_and_empty_again(lambda writer: Pages(tmp_path, lambda: writer._connection))
    else:
        await full_and_empty_again(lambda writer: Disk(small_disk))


async def test_a_database_at_its_own_limit_fails_everything_that_waits_and_spoils_nothing(
    tmp_path: Path,
) -> None:
    await full_and_empty_again(lambda writer: Pages(tmp_path, lambda: writer._connection))


async def full_and_empty_again(place: Callable[[Writer], Disk]) -> None:
    path = place(Writer(Path("unused"))).path
    make_table(path)
    writer = Writer(path)
    writer.start()
    disk = place(writer)
    try:
        await writer.submit(note("before"))
        disk.fill()
        long = "x" * 200_000
        waiting = [writer.submit(note(f"{long}{number}")) for number in range(3)]
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result) for result in results] == [StorageDown] * 3
        assert "full" in str(results[0])
        assert long[:9] not in str(results[0])
        assert notes(path) == ["before"]
        disk.clear()
        assert await writer.submit(note("after")) == "after"
        assert notes(path) == ["before", "after"]
        assert writer._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        await writer.aclose()


class SlowDisk:
    """Confirms what was written only when it is told to."""

    def __init__(self, fault: OSError | None = None) -> None:
        self.asked = 0
        self.may_confirm = threading.Event()
        self._fault = fault

    def sync(self, descriptor: int) -> None:
        self.asked += 1
        assert self.may_confirm.wait(10)
        if self._fault is not None:
            raise self._fault
        os.fdatasync(descriptor)


@pytest.fixture
async def on_slow_disk(tmp_path: Path) -> AsyncIterator[tuple[Writer, SlowDisk]]:
    path, disk = tmp_path / "ledger.db", SlowDisk()
    make_table(path)
    writer = Writer(path, sync=disk.sync)
    writer.start()
    yield writer, disk
    disk.may_confirm.set()
    await writer.aclose()


async def turns(number: int = 50) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_a_durable_result_waits_for_the_disk_and_another_does_not(
    on_slow_disk: tuple[Writer, SlowDisk], tmp_path: Path
) -> None:
    writer, disk = on_slow_disk
    first, durable = writer.submit(note("first"), durable=False), writer.submit(note("durable"))
    assert await asyncio.wait_for(first, 5) == "first"
    await turns()
    assert not durable.done()
    assert notes(tmp_path / "ledger.db") == ["first", "durable"]
    disk.may_confirm.set()
    assert await asyncio.wait_for(durable, 5) == "durable"
    assert disk.asked == 1


async def test_what_comes_during_a_sync_shares_the_next_transaction(
    on_slow_disk: tuple[Writer, SlowDisk], tmp_path: Path
) -> None:
    writer, disk = on_slow_disk
    early = writer.submit(note("early"))
    await turns()
    late = [writer.submit(note("late 1")), writer.submit(note("late 2"))]
    await turns()
    assert notes(tmp_path / "ledger.db") == ["early"]
    disk.may_confirm.set()
    assert await asyncio.gather(early, *late) == ["early", "late 1", "late 2"]
    assert disk.asked == 2


async def test_the_disk_is_not_asked_when_nothing_has_to_be_on_it(
    on_slow_disk: tuple[Writer, SlowDisk],
) -> None:
    writer, disk = on_slow_disk
    assert await asyncio.wait_for(writer.submit(note("a"), durable=False), 5) == "a"
    read = writer.submit(lambda connection: connection.execute("SELECT text FROM notes").fetchall())
    assert await asyncio.wait_for(read, 5) == [("a",)]
    assert disk.asked == 0


async def test_a_disk_that_does_not_confirm_fails_what_waited_for_it(tmp_path: Path) -> None:
    path, disk = tmp_path / "ledger.db", SlowDisk(OSError(errno.EIO, os.strerror(errno.EIO)))
    disk.may_confirm.set()
    make_table(path)
    writer = Writer(path, sync=disk.sync)
    writer.start()
    try:
        with pytest.raises(StorageDown, match=r"did not confirm .* \(Input/output error\)"):
            await writer.submit(note("a"))
        assert await writer.submit(note("b"), durable=False) == "b"
    finally:
        await writer.aclose()
    assert notes(path) == ["a", "b"], "it is written, only not known to survive a power cut"
