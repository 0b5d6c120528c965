"""A settlement that cannot be written is kept and tried again until it takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from laidian.domain.record import Hold, Settled
from laidian.relay import settler as module
from laidian.relay.settler import Settler
from laidian.store.database import connect
from laidian.store.ledger import open_hold
from laidian.store.writer import Writer
from tests.ledger.books import KeyRow, QuotaRow, ask, ending, make_books, writing
from tests.ledger.identities import violations

IN_THE_WAY = (
    "CREATE TRIGGER in_the_way BEFORE INSERT ON usage_records BEGIN SELECT RAISE(ABORT, 'not now'); END"
)
"""An error that is of one settlement alone, not of the whole database."""


@pytest.fixture
async def writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Writer]:
    monkeypatch.setattr(module, "RETRY_S", (0.01,))
    path = tmp_path / "ledger.db"
    make_books(path, [QuotaRow("prepaid", credited_nano=100)], [KeyRow(1)])
    writer = Writer(path, synchronous="OFF")
    writer.start()
    yield writer
    await writer.aclose()


async def hold(writer: Writer) -> None:
    request = ask("a", worst_nano=60)
    assert await writer.submit(lambda connection: open_hold(connection, request)) == Hold("a", 60)


async def waited_for(settler: Settler) -> None:
    async with asyncio.timeout(5):
        while settler.waiting:
            await asyncio.sleep(0)


async def test_a_settlement_is_told_when_it_is_written(writer: Writer, tmp_path: Path) -> None:
    settler = Settler(writer)
    await hold(writer)
    assert await settler.settle(ending("a", 50)) == Settled(50, 0, 50)
    assert await settler.settle(ending("a", 50)) is None
    assert settler.waiting == 0


async def test_a_settlement_waits_for_a_database_that_another_holds(writer: Writer, tmp_path: Path) -> None:
    settler = Settler(writer)
    await hold(writer)
    stranger = connect(tmp_path / "ledger.db")
    writer._connection.execute("PRAGMA busy_timeout = 10")
    stranger.execute("BEGIN IMMEDIATE")
    assert await settler.settle(ending("a", 50)) is None
    assert settler.waiting == 1
    stranger.execute("ROLLBACK")
    await waited_for(settler)
    assert stranger.execute("SELECT held_nano, spent_nano FROM quotas").fetchone() == (0, 50)
    stranger.close()


async def test_a_settlement_that_is_refused_for_a_reason_of_its_own_waits_too(
    writer: Writer, tmp_path: Path
) -> None:
    """Whatever the database's words are, the request must not fail by them and the hold must not be forgotten."""
    settler = Settler(writer)
    await hold(writer)
    with writing(tmp_path / "ledger.db") as connection:
        connection.execute(IN_THE_WAY)
    assert await settler.settle(ending("a", 50)) is None
    assert settler.waiting == 1
    with writing(tmp_path / "ledger.db") as connection:
        connection.execute("DROP TRIGGER in_the_way")
    await waited_for(settler)
    reader = connect(tmp_path / "ledger.db", read_only=True)
    assert reader.execute("SELECT held_nano, spent_nano FROM quotas").fetchone() == (0, 50)
    assert violations(reader) == []
    reader.close()
