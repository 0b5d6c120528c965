from __future__ import annotations

import asyncio
import threading

import pytest

from laidian.errors import StorageDown
from laidian.store.connection import Connection
from laidian.store.reader import Reader
from tests.admin.desk import Desk


def keys(connection: Connection) -> int:
    (number,) = connection.execute("SELECT count(*) FROM keys").fetchone()
    return int(number)


async def test_a_read_sees_one_state_while_others_write(desk: Desk) -> None:
    reader = Reader(desk.path)
    written = threading.Event()

    def twice(connection: Connection) -> tuple[int, int]:
        before = keys(connection)
        assert written.wait(10)
        return before, keys(connection)

    question = asyncio.ensure_future(reader.read(twice))
    while not reader_is_busy(reader):
        await asyncio.sleep(0)
    await asyncio.to_thread(wait_for_snapshot, desk, written)
    before, after = await question
    assert before == after
    assert await reader.read(keys) == 1
    reader.close()


def reader_is_busy(reader: Reader) -> bool:
    return bool(reader._threads._threads)  # pyright: ignore[reportPrivateUsage]


def wait_for_snapshot(desk: Desk, written: threading.Event) -> None:
    desk.do(lambda c: c.execute(INSERT))
    written.set()


INSERT = """
    INSERT INTO keys (name, digest, display, group_id, quota_id, created_at_ms)
    SELECT 'k', x'00', 'd', groups.id, quotas.id, 0 FROM groups, quotas
"""


async def test_a_reader_cannot_write_and_says_so(desk: Desk) -> None:
    reader = Reader(desk.path)
    with pytest.raises(StorageDown, match="readonly"):
        await reader.read(lambda connection: connection.execute("DELETE FROM groups"))
    assert await reader.read(keys) == 0
    reader.close()


async def test_a_refusal_inside_a_read_reaches_the_caller_and_leaves_the_reader_usable(desk: Desk) -> None:
    reader = Reader(desk.path)

    def refuse(_: Connection) -> None:
        raise KeyError("no")

    with pytest.raises(KeyError):
        await reader.read(refuse)
    assert await reader.read(keys) == 0
    reader.close()


async def test_a_long_read_does_not_hold_up_the_end(desk: Desk) -> None:
    reader = Reader(desk.path)
    begun = threading.Event()

    def endless(connection: Connection) -> None:
        for number, _ in enumerate(
            connection.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
            )
        ):
            if number == 1:
                begun.set()

    question = asyncio.ensure_future(reader.read(endless))
    await asyncio.to_thread(begun.wait, 10)
    await asyncio.to_thread(reader.close)
    with pytest.raises(StorageDown, match="interrupted"):
        await question
