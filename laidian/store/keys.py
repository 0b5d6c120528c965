"""Rows of keys: what the operator sees and changes. The counters are the ledger's and only read here."""

from __future__ import annotations

import msgspec

from laidian.store.connection import Connection


class KeyRow(msgspec.Struct, frozen=True):
    id: int
    name: str
    display: str
    group_id: int
    group: str
    quota_id: int
    quota: str
    enabled: int
    expires_at_ms: int | None
    limit_nano: int | None
    held_nano: int
    spent_nano: int
    last_used_at_ms: int | None
    created_at_ms: int
    deleted_at_ms: int | None
    in_flight: int


class KeyValues(msgspec.Struct, frozen=True):
    """The columns an edit may change."""

    name: str
    group_id: int
    quota_id: int
    enabled: bool
    expires_at_ms: int | None
    limit_nano: int | None


_SELECT = """
    SELECT k.id, k.name, k.display, k.group_id, g.name, k.quota_id, q.name, k.enabled, k.expires_at_ms, k.limit_nano, k.held_nano,
           k.spent_nano, k.last_used_at_ms, k.created_at_ms, k.deleted_at_ms,
           (SELECT count(*) FROM holds h WHERE h.key_id = k.id)
    FROM keys k JOIN groups g ON g.id = k.group_id JOIN quotas q ON q.id = k.quota_id
"""


def read_keys(connection: Connection) -> list[KeyRow]:
    """Every key that is not deleted, by name."""
    return [
        KeyRow(*row) for row in connection.execute(f"{_SELECT} WHERE k.deleted_at_ms IS NULL ORDER BY k.name")
    ]


def read_key(connection: Connection, key_id: int) -> KeyRow:
    """One key, deleted or not; it must exist."""
    return KeyRow(*connection.execute(f"{_SELECT} WHERE k.id = ?", (key_id,)).fetchone())


def key_id_of_digest(connection: Connection, digest: bytes) -> int | None:
    row = connection.execute(
        "SELECT id FROM keys WHERE digest = ? AND deleted_at_ms IS NULL", (digest,)
    ).fetchone()
    return None if row is None else row[0]


def insert_key(connection: Connection, values: KeyValues, digest: bytes, display: str, now_ms: int) -> int:
    """The new key's id."""
    cursor = connection.execute(
        "INSERT INTO keys (name, digest, display, group_id, quota_id, enabled, expires_at_ms, limit_nano, created_at_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            values.name, digest, display, values.group_id, values.quota_id, values.enabled, values.expires_at_ms,
            values.limit_nano, now_ms,
        ),
    )  # fmt: skip
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def update_key(connection: Connection, key_id: int, values: KeyValues) -> None:
    connection.execute(
        "UPDATE keys SET name = ?, group_id = ?, quota_id = ?, enabled = ?, expires_at_ms = ?, limit_nano = ? WHERE id = ?",
        (*msgspec.structs.astuple(values), key_id),
    )


def replace_credential(connection: Connection, key_id: int, digest: bytes, display: str) -> None:
    """The old credential is dead with the commit."""
    connection.execute("UPDATE keys SET digest = ?, display = ? WHERE id = ?", (digest, display, key_id))


def delete_key(connection: Connection, key_id: int, now_ms: int) -> None:
    """Soft: records, holds and counters keep their row."""
    connection.execute("UPDATE keys SET deleted_at_ms = ?, enabled = 0 WHERE id = ?", (now_ms, key_id))
