"""The provider's own bill: one row per request for something that costs money, refused ones included.

A refused request costs nothing. A stream whose client left is charged for its input and for the output made
until then; a plain answer is made in one go at the end of its delay, so a client that leaves earlier is
charged for the input alone. A fault in the middle of a stream is charged like a client that left; `hang`,
`reset`, `junk`, `error-200`, `redirect` and all `http-…` faults cost nothing. Faults that only garble the
usage report are charged in full, at the true counts.

A row is written before the last byte leaves, so whoever has read a whole answer finds its row. It keeps the
last rows only; the totals are of all.
"""

from __future__ import annotations

import asyncio
from collections import deque

import msgspec

from .values import Usage

KEPT_ROWS = 100_000


class BillRow(msgspec.Struct, frozen=True):
    seq: int
    """1 for the first request since the bill was last emptied; rows are in order of ending."""
    request_id: str | None
    """The client's `x-client-request-id`."""
    provider_request_id: str
    """What the response's `x-request-id` said."""
    key_prefix: str
    """The first 8 characters of the credential."""
    dialect: str
    model: str
    stream: bool
    usage: Usage
    """What is charged."""
    output_tokens_sent: int
    """Output tokens generated when the exchange ended; equals `usage.output_tokens` unless free."""
    ended: str
    """`complete`, `client_gone`, `error`, or `fault:NAME` when a fault spoiled the answer."""
    fault: str | None
    """The fault in force, also when the answer was complete."""
    status: int
    """HTTP status sent; 0 when none was."""
    service_tier: str | None = None


class Totals(msgspec.Struct, frozen=True):
    rows: int
    charged: int
    """Rows that cost something."""
    usage: Usage
    by_model: dict[str, Usage]
    by_key_prefix: dict[str, Usage]


class BillReport(msgspec.Struct, frozen=True):
    rows: list[BillRow]
    totals: Totals


class Bill:
    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self.clear()

    def clear(self) -> None:
        self._rows: deque[BillRow] = deque(maxlen=KEPT_ROWS)
        self._count = 0
        self._charged = 0
        self._total = Usage()
        self._by_model: dict[str, Usage] = {}
        self._by_key: dict[str, Usage] = {}

    @property
    def count(self) -> int:
        return self._count

    def add(self, row: BillRow) -> None:
        """Write the row; its `seq` is set here."""
        self._count += 1
        self._rows.append(msgspec.structs.replace(row, seq=self._count))
        if row.usage != Usage():
            self._charged += 1
            self._total = _sum(self._total, row.usage)
            self._by_model[row.model] = _sum(self._by_model.get(row.model, Usage()), row.usage)
            self._by_key[row.key_prefix] = _sum(self._by_key.get(row.key_prefix, Usage()), row.usage)
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_for(self, count: int) -> None:
        """Return once so many rows were written since the bill was last emptied."""
        while self._count < count:
            await self._changed.wait()

    def report(self) -> BillReport:
        totals = Totals(self._count, self._charged, self._total, dict(self._by_model), dict(self._by_key))
        return BillReport(list(self._rows), totals)


def _sum(left: Usage, right: Usage) -> Usage:
    return Usage(*(getattr(left, name) + getattr(right, name) for name in Usage.__struct_fields__))
