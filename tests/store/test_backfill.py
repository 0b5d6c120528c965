"""A database from before the sums is folded from its first record on, in steps, and reads right at every one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from laidian.domain.usage import Usage
from laidian.store import database
from laidian.store.audit import audit
from laidian.store.database import connect, migrate, schema_version
from laidian.store.migrations import STEPS
from laidian.store.rollups import behind, fold
from laidian.store.sums import SumFilter, add_up
from tests.admin.desk import NOW_MS, Desk

BEFORE_SUMS = 3
"""Steps that a database had before records were added up."""
BEFORE_GROUP_HOURS = 6
ADDED = ("group_hours", "key_sums")
"""Tables of the step after it."""


def test_old_records_are_added_up_in_steps_and_every_sum_is_right_meanwhile(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.key("alice")
    for number in range(23):
        desk.serve(f"req_{number}", Usage(input=10 + number), at_ms=NOW_MS - number * 3_600_000)
    rows = desk.connection.execute("SELECT * FROM usage_records").fetchall()
    old = tmp_path / "old.db"
    monkeypatch.setattr(database, "STEPS", STEPS[:BEFORE_SUMS])
    migrate(old)
    copy = connect(old)
    copy.execute("ATTACH ? AS now", (str(desk.path),))
    for table in ("groups", "quotas", "keys", "prices"):
        copy.execute(f"DELETE FROM main.{table}")
        copy.execute(f"INSERT INTO main.{table} SELECT * FROM now.{table}")
    copy.executemany(f"INSERT INTO usage_records VALUES ({', '.join('?' * len(rows[0]))})", rows)
    copy.close()
    monkeypatch.undo()

    assert migrate(old) == BEFORE_SUMS
    connection = connect(old)
    assert schema_version(connection) == len(STEPS)
    while True:
        for by in ("day", "key", "model"):
            (found,) = add_up(connection, SumFilter(until_ms=NOW_MS + 1), None)
            assert (found.requests, found.input_tokens) == (23, sum(range(10, 33))), by
            assert sum(one.requests for one in add_up(connection, SumFilter(), by)) == 23
        if not behind(connection):
            break
        fold(connection, 5)
    assert audit(connection, desk.run).differences == ()
    connection.close()


def test_sums_that_the_step_before_did_not_have_are_made_of_what_was_folded(desk: Desk) -> None:
    desk.key("alice")
    desk.key("bob")
    for number in range(12):
        desk.serve(
            f"req_{number}",
            Usage(input=10 + number),
            key=("alice", "bob")[number % 2],
            at_ms=NOW_MS - (number % 5) * 3_600_000,
            status=503 if number % 4 == 3 else 200,
        )
    desk.do(lambda c: fold(c, 9))
    made = {table: desk.connection.execute(f"SELECT * FROM {table}").fetchall() for table in ADDED}
    for table in ADDED:
        desk.do(lambda c, table=table: c.execute(f"DROP TABLE {table}"))
    for index in ("usage_records_key_trouble", "keys_group", "keys_quota"):
        desk.do(lambda c, index=index: c.execute(f"DROP INDEX {index}"))
    desk.do(lambda c: c.execute(f"PRAGMA user_version = {BEFORE_GROUP_HOURS}"))

    assert migrate(desk.path) == BEFORE_GROUP_HOURS
    for table, rows in made.items():
        assert rows
        assert desk.connection.execute(f"SELECT * FROM {table}").fetchall() == rows, table
    desk.do(fold)
    assert audit(desk.connection, desk.run).differences == ()
