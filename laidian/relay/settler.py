"""Settles each hold exactly once, whatever happens to the database in between.

The first try is awaited, so that the end of an answer is sent only when its record is on disk. If the database cannot be
written then, the client still gets its end, the hold stays a row, and the settlement is tried again until it takes or the
process ends; then it is an orphan like any other.
"""

from __future__ import annotations

import asyncio
import logging

from laidian.domain.record import Settled, Settlement
from laidian.errors import LaidianError
from laidian.store.connection import DatabaseError
from laidian.store.ledger import settle
from laidian.store.writer import Writer

_log = logging.getLogger(__name__)

RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Pauses between tries; the last one repeats."""


class Settler:
    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._late: set[asyncio.Task[None]] = set()

    async def settle(self, settlement: Settlement) -> Settled | None:
        """What was charged; None when it is settled already or has to wait for the database."""
        try:
            return await self._writer.submit(lambda connection: settle(connection, settlement))
        except (LaidianError, DatabaseError) as error:
            _log.warning("settlement of %s waits: %s", settlement.request_id, error)
            task = asyncio.get_running_loop().create_task(self._later(settlement))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
            return None

    async def _later(self, settlement: Settlement) -> None:
        tries = 0
        while True:
            await asyncio.sleep(RETRY_S[min(tries, len(RETRY_S) - 1)])
            tries += 1
            try:
                await self._writer.submit(lambda connection: settle(connection, settlement))
                return
            except (LaidianError, DatabaseError):
                continue

    @property
    def waiting(self) -> int:
        """Settlements that the database has not taken yet."""
        return len(self._late)

    async def aclose(self, timeout_s: float) -> None:
        """Gives late settlements a last chance."""
        if self._late:
            await asyncio.wait(self._late, timeout=timeout_s)
        for task in self._late:
            task.cancel()
