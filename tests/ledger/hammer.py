"""A process that writes to a ledger as fast as it can, for tests of several at once.

    python -m tests.ledger.hammer DATABASE NAME REQUESTS

Asks for holds of 10 on quota 1 and settles each at 7; prints how many it got and how many were refused.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from laidian.domain.record import Hold, Settled
from laidian.store.ledger import open_hold, settle
from laidian.store.writer import Writer
from tests.ledger.books import ask, ending

IN_FLIGHT = 16
HOLD_NANO, CHARGE_NANO = 10, 7


async def hammer(path: Path, name: str, requests: int) -> tuple[int, int]:
    writer = Writer(path, synchronous="OFF")
    writer.start()
    numbers = iter(range(requests))
    got = refused = 0

    async def one_after_the_other() -> None:
        nonlocal got, refused
        for number in numbers:
            request = ask(f"{name}-{number}", worst_nano=HOLD_NANO, owner=name)
            held = await writer.submit(lambda connection, request=request: open_hold(connection, request))
            if not isinstance(held, Hold):
                refused += 1
                continue
            end = ending(request.request_id, CHARGE_NANO)
            settled = await writer.submit(lambda connection, end=end: settle(connection, end))
            assert isinstance(settled, Settled)
            assert (settled.charged_nano, settled.shortfall_nano) == (CHARGE_NANO, 0)
            got += 1

    await asyncio.gather(*(one_after_the_other() for _ in range(IN_FLIGHT)))
    await writer.aclose()
    return got, refused


if __name__ == "__main__":
    print(*asyncio.run(hammer(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
