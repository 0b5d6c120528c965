"""The file itself: its making, its refusals, its lock, and crashes in the middle of a migration."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from laidian.errors import StorageDown
from laidian.store import database
from laidian.store.database import (
    SchemaProblem,
    WriteLock,
    bump_catalog,
    catalog_version,
    connect,
    immediate,
    lock_path,
    migrate,
    schema_version,
)
from laidian.store.migrations import STEPS

ROOT = Path(__file__).resolve().parent.parent.parent

NEXT_STEP = """
    CREATE TABLE later (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
    INSERT INTO later (text) SELECT name FROM meta;
    ALTER TABLE meta ADD COLUMN note TEXT;
    CREATE INDEX later_text ON later (text);
"""
"""A step after the released ones, for crashes in the middle of it."""

CRASHING = """
import os, signal, sqlite3, sys
from pathlib import Path
from laidian.store import database

path, place, *more = sys.argv[1:]
left = int(place)

class Connection(sqlite3.Connection):
    def execute(self, *arguments):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return super().execute(*arguments)

connect = sqlite3.connect
sqlite3.connect = lambda *arguments, **options: connect(*arguments, factory=Connection, **options)
database.STEPS = (*database.STEPS, *more)
database.migrate(Path(path))
"""
"""Migrates, and kills itself before the statement of that number."""

MIGRATING = """
import sys
from collections.abc import Callable
from pathlib import Path
from laidian.store.database import migrate
sys.stdin.readline()
print(migrate(Path(sys.argv[1])), flush=True)
"""


def run(program: str, *arguments: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        timeout=60,
    )


def schema(path: Path) -> tuple[int, list[str]]:
    """The version, and every table and index as the file has it."""
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"
        ).fetchall()
        return schema_version(connection), [sql for (sql,) in rows]
    finally:
        connection.close()


def fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_new_file_has_the_whole_schema_and_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "laidian.db"
    assert migrate(path) == 0
    assert schema(path)[0] == len(STEPS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(lock_path(path).stat().st_mode) == 0o600
    assert migrate(path) == len(STEPS)


def test_money_columns_refuse_anything_but_integers(tmp_path: Path) -> None:
    path = tmp_path / "laidian.db"
    migrate(path)
    connection = connect(path)
    for value in (0.5, "a lot", None):
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(
                "INSERT INTO quotas (name, kind, credited_nano, created_at_ms) VALUES ('q', 'prepaid', ?, 0)",
                (value,),
            )
    connection.close()


def test_two_processes_starting_together_make_one_database(tmp_path: Path) -> None:
    path = tmp_path / "laidian.db"
    command = [sys.executable, "-c", MIGRATING, str(path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    running = [subprocess.Popen(command, env=environment, **pipes) for _ in range(4)]  # type: ignore[call-overload]
    for process in running:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    results = [process.communicate(timeout=60) for process in running]
    assert [errors for _, errors in results] == [b""] * 4
    assert sorted(int(said) for said, _ in results) == [0, *[len(STEPS)] * 3], "one of them made it"
    assert schema(path)[0] == len(STEPS)


def test_a_newer_schema_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "laidian.db"
    migrate(path)
    newer = sqlite3.connect(path, isolation_level=None)
    newer.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    newer.close()
    before = fingerprint(path)
    with pytest.raises(SchemaProblem, match="newer LaiDian"):
        migrate(path)
    assert fingerprint(path) == before


def damage_header(content: bytearray) -> bytes:
    content[:16] = b"\0" * 16
    return bytes(content)


def damage_schema(content: bytearray) -> bytes:
    content[100:4096] = os.urandom(3996)
    return bytes(content)


def damage_half(content: bytearray) -> bytes:
    return bytes(content[: len(content) // 2 // 4096 * 4096])


def damage_torn(content: bytearray) -> bytes:
    """A copy that broke off: SQLite itself reads what is missing of the last page as zeros."""
    return bytes(content[: len(content) - 1000])


def damage_tables(content: bytearray) -> bytes:
    """Every page but the one with the schema."""
    content[4096:] = b"\xa5" * (len(content) - 4096)
    return bytes(content)


@pytest.mark.parametrize(
    "damage",
    [damage_header, damage_schema, damage_half, damage_torn, damage_tables],
    ids=lambda f: f.__name__,
)
def test_a_damaged_file_is_refused_and_left_as_it_is(
    tmp_path: Path, damage: Callable[[bytearray], bytes]
) -> None:
    path = tmp_path / "laidian.db"
    migrate(path)
    path.write_bytes(damage(bytearray(path.read_bytes())))
    before = fingerprint(path)
    with pytest.raises(StorageDown) as refused:
        migrate(path)
    assert fingerprint(path) == before
    assert str(path) in refused.value.message


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "laidian.db"
    path.write_text("a shopping list\n" * 1000)
    before = fingerprint(path)
    with pytest.raises(StorageDown, match="not a database"):
        migrate(path)
    assert fingerprint(path) == before


def test_a_failing_step_leaves_the_schema_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "laidian.db"
    migrate(path)
    before = schema(path)
    monkeypatch.setattr(database, "STEPS", (*STEPS, NEXT_STEP + "INSERT INTO nowhere VALUES (1);\n"))
    with pytest.raises(SchemaProblem, match="nowhere"):
        migrate(path)
    assert schema(path) == before
    monkeypatch.setattr(database, "STEPS", (*STEPS, NEXT_STEP))
    assert migrate(path) == len(STEPS)
    assert schema(path)[0] == len(STEPS) + 1


def test_a_copy_is_taken_before_an_existing_database_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, copy = tmp_path / "laidian.db", tmp_path / "copy.db"
    migrate(path, backup=lambda version: pytest.fail("a new database has nothing to copy"))
    before = schema(path)
    migrate(path, backup=lambda version: pytest.fail("nothing changes, so nothing is copied"))
    monkeypatch.setattr(database, "STEPS", (*STEPS, NEXT_STEP))
    migrate(path, backup=lambda version: copy)
    assert schema(copy) == before
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_a_crash_at_any_statement_leaves_the_old_schema_or_the_new_one(tmp_path: Path) -> None:
    """A killed process at every single statement of a migration, from the first pragma to the last commit."""
    template = tmp_path / "template.db"
    migrate(template)
    old = schema(template)
    new: tuple[int, list[str]] | None = None
    seen: set[int] = set()
    for place in range(100):
        path = tmp_path / f"{place}.db"
        path.write_bytes(template.read_bytes())
        result = run(CRASHING, path, place, NEXT_STEP)
        if result.returncode == 0:
            new = schema(path)
            break
        assert result.returncode == -signal.SIGKILL, result.stderr.decode()
        found = schema(path)
        seen.add(found[0])
        assert found == old, f"killed before statement {place}"
        assert run(CRASHING, path, 1000, NEXT_STEP).returncode == 0, "the next start finishes it"
        assert schema(path)[0] == old[0] + 1
    assert new is not None
    assert new[0] == old[0] + 1
    assert place > 10
    assert seen == {old[0]}


def test_a_crash_while_the_first_database_is_made_leaves_nothing_or_all_of_it(tmp_path: Path) -> None:
    whole = tmp_path / "whole.db"
    migrate(whole)
    statements = sum(1 for _ in database._statements(STEPS[0]))
    for place in (0, 2, 5, 6, 7, 8, 20, statements, statements + 4, statements + 6):
        path = tmp_path / f"{place}.db"
        assert run(CRASHING, path, place).returncode == -signal.SIGKILL
        if path.exists() and path.stat().st_size:
            assert schema(path) in ((0, []), schema(whole))
        migrate(path)
        assert schema(path) == schema(whole)


# Locks and transactions


def test_the_lock_keeps_others_out_until_it_is_given_back(tmp_path: Path) -> None:
    one, other = WriteLock(tmp_path / "lock"), WriteLock(tmp_path / "lock")
    one.acquire()
    assert not other.try_acquire()
    one.release()
    assert other.try_acquire()
    other.close()
    assert one.try_acquire(), "closing gives it back, as the end of a process does"
    one.close()


def test_a_failing_transaction_is_rolled_back_and_gives_the_lock_back(tmp_path: Path) -> None:
    path = tmp_path / "laidian.db"
    migrate(path)
    connection, lock = connect(path), WriteLock(lock_path(path))
    before = catalog_version(connection)

    def fail() -> None:
        with immediate(connection, lock):
            bump_catalog(connection)
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        fail()
    assert not connection.in_transaction
    assert catalog_version(connection) == before
    with immediate(connection, lock):
        bump_catalog(connection)
    assert catalog_version(connection) == before + 1
    connection.close()
    lock.close()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "laidian.db"
    migrate(path)
    reader = connect(path, read_only=True)
    with pytest.raises(sqlite3.OperationalError):
        bump_catalog(reader)
    reader.close()


def test_no_connection_checkpoints_by_itself(tmp_path: Path) -> None:
    """SQLite before 3.51.3 can lose commits when one does beside a writer."""
    path = tmp_path / "laidian.db"
    migrate(path)
    for connection in (connect(path), connect(path, read_only=True)):
        assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()


@pytest.mark.parametrize(("asked", "level"), [("FULL", 2), ("NORMAL", 1)])
def test_durability_is_what_was_asked_for(tmp_path: Path, asked: str, level: int) -> None:
    path = tmp_path / "laidian.db"
    migrate(path)
    connection = connect(path, synchronous=asked)
    assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
    connection.close()
