"""The table of objects: whose they are, which pages it gives, what becomes of expired rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from laidian.domain.affinity import Held, Holder
from laidian.store.affinity import (
    SWEPT_PER_ROW,
    find_object,
    forget_object,
    is_taken,
    last_holder,
    list_objects,
    remember_objects,
)
from laidian.store.database import connect, migrate


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    migrate(tmp_path / "l.db")
    connection = connect(tmp_path / "l.db")
    yield connection
    connection.close()


def file(
    object_id: str, key_id: int = 1, at_ms: int = 0, expires_at_ms: int | None = None, upstream: int = 1
) -> Held:
    return Held("file", object_id, key_id, Holder(upstream, upstream * 10), at_ms, expires_at_ms)


def test_an_id_that_two_keys_should_share_stays_with_the_first(rows: sqlite3.Connection):
    remember_objects(rows, [file("f", key_id=1)], 0)
    remember_objects(rows, [file("f", key_id=2, upstream=2)], 1)
    assert find_object(rows, "file", "f", 2, 1) is None
    first = find_object(rows, "file", "f", 1, 1)
    assert first is not None
    assert first.holder == Holder(1, 10)
    forget_object(rows, "file", "f", 2)
    assert is_taken(rows, "file", "f", 1)


def test_an_expired_id_is_free_again_and_found_by_nobody(rows: sqlite3.Connection):
    remember_objects(rows, [file("f", key_id=1, expires_at_ms=10)], 0)
    assert find_object(rows, "file", "f", 1, 9) is not None
    assert find_object(rows, "file", "f", 1, 10) is None
    assert not is_taken(rows, "file", "f", 10)
    remember_objects(rows, [file("f", key_id=2)], 10)
    assert find_object(rows, "file", "f", 2, 10) is not None


def test_expired_rows_go_as_new_ones_come(rows: sqlite3.Connection):
    old = [file(f"old{number}", expires_at_ms=number + 1) for number in range(SWEPT_PER_ROW * 2)]
    remember_objects(rows, old, 0)
    remember_objects(rows, [file("a"), file("b")], 1_000)
    assert rows.execute("SELECT count(*) FROM objects").fetchone() == (2,)


def test_a_name_space_is_its_kinds_own(rows: sqlite3.Connection):
    remember_objects(rows, [file("x")], 0)
    assert find_object(rows, "gemini.file", "x", 1, 0) is None


def test_pages_of_objects_made_in_the_same_moment_lose_and_repeat_nothing(rows: sqlite3.Connection):
    remember_objects(rows, [file(f"f{number}", at_ms=7) for number in range(10)], 7)
    for newest_first in (True, False):
        seen: list[str] = []
        while page := list_objects(
            rows, "file", 1, 7, after=seen[-1] if seen else None, limit=3, newest_first=newest_first
        ):
            seen += [one.id for one in page]
        assert seen == sorted(seen, reverse=newest_first)
        assert len(seen) == 10
    assert list_objects(rows, "file", 2, 7, after="f1", limit=3, newest_first=True) is None


def test_the_last_object_tells_where_the_next_is_made(rows: sqlite3.Connection):
    remember_objects(
        rows, [file("a", at_ms=1), file("b", at_ms=2, upstream=2), file("c", key_id=2, at_ms=3)], 3
    )
    assert last_holder(rows, ("file", "upload"), 1, 3) == Holder(2, 20)
    assert last_holder(rows, ("gemini.file",), 1, 3) is None
