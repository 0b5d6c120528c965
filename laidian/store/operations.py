"""The operator's journal: one row for each change of the set-up, in the transaction that made it."""

from __future__ import annotations

import msgspec

from laidian.store.connection import Connection

KEPT = 10_000


class OperationRow(msgspec.Struct, frozen=True):
    id: int
    at_ms: int
    who: str
    action: str
    name: str
    sentence: str


_SELECT = "SELECT id, at_ms, who, action, name, sentence FROM operations"


def insert_operation(
    connection: Connection, at_ms: int, who: str, action: str, name: str, sentence: str
) -> None:
    """Writes one and keeps the newest `KEPT`."""
    connection.execute(
        "INSERT INTO operations (at_ms, who, action, name, sentence) VALUES (?, ?, ?, ?, ?)",
        (at_ms, who, action, name, sentence),
    )
    connection.execute("DELETE FROM operations WHERE id <= (SELECT max(id) FROM operations) - ?", (KEPT,))


def read_operations(connection: Connection, limit: int, before_id: int | None) -> list[OperationRow]:
    """Newest first."""
    rows = connection.execute(
        f"{_SELECT} WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2", (before_id, limit)
    )
    return [OperationRow(*row) for row in rows]


def operations_after(connection: Connection, after_id: int, limit: int) -> list[OperationRow]:
    """Oldest first."""
    rows = connection.execute(f"{_SELECT} WHERE id > ? ORDER BY id LIMIT ?", (after_id, limit))
    return [OperationRow(*row) for row in rows]
