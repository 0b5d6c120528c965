"""Holds whose worker is dead, and the rule that settles them.

A worker is dead when the lock on its file in the run folder can be taken: the kernel gives it up with the process, so neither
a clock nor a heartbeat is trusted, and a worker that merely sleeps keeps its holds.

The orphan rule: the request is charged for its likely input and for the output that its worker had noted (every two seconds),
at most the hold; the record says `lost` and `estimated`. So a crash is never free and never charges for what was not seen;
what an upstream sent in the last two seconds before it is the operator's loss. What a provider makes in the background is no orphan:
it can still be asked (store.awaited).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

import msgspec

from laidian.domain.price import Price, Unpriced, price_usage
from laidian.domain.record import Settlement
from laidian.domain.usage import Usage
from laidian.store.catalog import price_from_row
from laidian.store.ledger import settle

_ORPHANS = """
    SELECT h.request_id, h.upstream_id, h.input_tokens, h.output_tokens, h.multiplier_ppm, h.amount_nano, h.created_at_ms, h.model,
           p.model, p.effective_from_ms, p.source, p.source_date, p.version, p.rates, p.context_tokens, p.max_output_tokens
    FROM holds h JOIN prices p ON p.version = h.price_version
    WHERE h.owner = ? AND h.request_id NOT IN (SELECT request_id FROM awaited)
"""


class _Orphan(msgspec.Struct, frozen=True):
    """The first columns of _ORPHANS."""

    request_id: str
    upstream_id: int | None
    input_tokens: int
    output_tokens: int
    multiplier_ppm: int
    amount_nano: int
    created_at_ms: int
    model: str


_COLUMNS = len(_Orphan.__struct_fields__)


class Worker:
    """This process's claim to its holds, alive as long as the process."""

    def __init__(self, run_folder: Path, worker_id: str) -> None:
        self.id = worker_id
        self._path = run_folder / f"{worker_id}.worker"
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def register(self, connection: sqlite3.Connection, now_ms: int) -> None:
        connection.execute(
            "INSERT INTO workers (id, pid, started_at_ms) VALUES (?, ?, ?)", (self.id, os.getpid(), now_ms)
        )

    def leave(self, connection: sqlite3.Connection) -> None:
        """After the last settlement of a graceful stop."""
        connection.execute("DELETE FROM workers WHERE id = ? AND NOT EXISTS (SELECT 1 FROM holds WHERE owner = ?)",
                           (self.id, self.id))  # fmt: skip
        self._path.unlink(missing_ok=True)
        os.close(self._file)


def is_dead(run_folder: Path, worker_id: str) -> bool:
    """Whether no live process holds the worker's file."""
    try:
        file = os.open(run_folder / f"{worker_id}.worker", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(file)
    return True


def settle_orphans(connection: sqlite3.Connection, run_folder: Path, now_ms: int) -> int:
    """Settles every hold of every dead worker and forgets the workers of which nothing is left; returns how many holds there were."""
    owners = {
        owner
        for (owner,) in connection.execute("SELECT id FROM workers UNION SELECT DISTINCT owner FROM holds")
    }
    settled = 0
    for owner in sorted(owners):
        if not is_dead(run_folder, owner):
            continue
        for row in connection.execute(_ORPHANS, (owner,)).fetchall():
            settle(connection, _settlement(_Orphan(*row[:_COLUMNS]), price_from_row(row[_COLUMNS:]), now_ms))
            settled += 1
        if connection.execute("SELECT 1 FROM holds WHERE owner = ? LIMIT 1", (owner,)).fetchone() is not None:
            continue
        connection.execute("DELETE FROM workers WHERE id = ?", (owner,))
        (run_folder / f"{owner}.worker").unlink(missing_ok=True)
    return settled


def _settlement(orphan: _Orphan, price: Price, now_ms: int) -> Settlement:
    usage = Usage(input=orphan.input_tokens, output=orphan.output_tokens)
    try:
        amount = price_usage(price, usage, multiplier_ppm=orphan.multiplier_ppm).amount_nano
    except Unpriced:
        amount = (
            orphan.amount_nano
        )  # a price without text rates (images): what was held is the best figure there is
    return Settlement(
        request_id=orphan.request_id,
        usage=usage,
        amount_nano=min(amount, orphan.amount_nano),
        service_tier="default",
        usage_from="estimated",
        ended="lost",
        status=0,
        error_code="worker_died",
        upstream_id=orphan.upstream_id,
        credential_id=None,
        upstream_model=orphan.model,
        first_byte_ms=None,
        duration_ms=max(0, now_ms - orphan.created_at_ms),
        finished_at_ms=now_ms,
        attempts="[]",
        client="",
    )
