"""A power cut while requests run: what was told as settled is on the disk, and the books are whole.

The disk of the test keeps what was in the log when it was last asked to (`sync`), and of what was written since then a part of
any length, the last piece torn. Checkpoints, whose order of writes is SQLite's own business, stay out: fewer commits than one.
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest

from laidian.domain.record import Hold, Settled
from laidian.store.database import connect, log_path
from laidian.store.ledger import open_hold, settle
from laidian.store.writer import Writer
from tests.ledger.books import KeyRow, QuotaRow, ask, ending, make_books, writing
from tests.ledger.identities import violations

CLIENTS, REQUESTS = 8, 12
PAGE = 4096


class Disk:
    """Knows how much of the log is safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._safe = 0

    def sync(self, descriptor: int) -> None:
        self._safe = os.fstat(descriptor).st_size

    def after_a_cut(self, folder: Path, chance: random.Random) -> Path:
        """The database as it is found when the power is back."""
        log = log_path(self._path).read_bytes()
        kept = chance.randint(self._safe, len(log))
        found = bytearray(log[:kept])
        torn = min(chance.randint(0, PAGE), kept - self._safe)
        if torn:
            found[-torn:] = bytes(torn)
        folder.mkdir()
        copy = folder / self._path.name
        copy.write_bytes(self._path.read_bytes())
        log_path(copy).write_bytes(found)
        return copy


class Cut(Exception):
    """The power is gone."""


@pytest.mark.parametrize("seed", range(12))
async def test_what_was_told_as_settled_survives(tmp_path: Path, seed: int) -> None:
    chance, path = random.Random(seed), tmp_path / "ledger.db"
    make_books(path, [QuotaRow("prepaid", credited_nano=10**9)], [KeyRow(1)])
    with writing(path) as connection:
        connection.execute("INSERT INTO workers (id, pid, started_at_ms) VALUES ('worker', 1, 0)")
    disk = Disk(path)
    writer = Writer(path, sync=disk.sync)
    writer.start()
    told: set[str] = set()
    held: set[str] = set()
    lasts = chance.randrange(CLIENTS * REQUESTS)

    async def client(number: int) -> None:
        for turn in range(REQUESTS):
            name = f"{number}-{turn}"
            request, end = ask(name, worst_nano=60), ending(name, 50)
            hold = await writer.submit(lambda one, request=request: open_hold(one, request), durable=False)
            assert hold == Hold(name, 60)
            held.add(name)
            settled = await writer.submit(lambda one, end=end: settle(one, end))
            assert isinstance(settled, Settled)
            told.add(name)
            if len(told) > lasts:
                raise Cut

    with pytest.raises(Cut):
        await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    found = disk.after_a_cut(tmp_path / "found", chance)
    left = frozenset(told)
    await writer.aclose()

    connection = connect(found)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert violations(connection) == []
    records = {name for (name,) in connection.execute("SELECT request_id FROM usage_records")}
    connection.close()
    assert left <= records <= held
