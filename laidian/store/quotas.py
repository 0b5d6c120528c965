"""Rows of quotas, credits and plan windows. Only credits move money here; holds and settlements are the ledger's."""

from __future__ import annotations

import msgspec

from laidian.domain.quota import WindowKind
from laidian.store.connection import Connection


class QuotaRow(msgspec.Struct, frozen=True):
    id: int
    name: str
    kind: str
    enabled: int
    expires_at_ms: int | None
    limits: str
    """JSON: nano-USD by kind of window."""
    credited_nano: int
    held_nano: int
    spent_nano: int
    created_at_ms: int
    keys: int


class QuotaValues(msgspec.Struct, frozen=True):
    """The columns an edit may change."""

    name: str
    enabled: bool
    expires_at_ms: int | None
    limits_nano: dict[WindowKind, int]


class WindowRow(msgspec.Struct, frozen=True):
    """The latest window of its kind."""

    kind: str
    start_ms: int
    held_nano: int
    spent_nano: int


class CreditRow(msgspec.Struct, frozen=True):
    amount_nano: int
    note: str
    at_ms: int


_SELECT = """
    SELECT q.id, q.name, q.kind, q.enabled, q.expires_at_ms, q.limits_nano, q.credited_nano, q.held_nano, q.spent_nano,
           q.created_at_ms, (SELECT count(*) FROM keys k WHERE k.quota_id = q.id AND k.deleted_at_ms IS NULL)
    FROM quotas q
"""


def read_quotas(connection: Connection) -> list[QuotaRow]:
    """Every quota that is not deleted, by name."""
    return [
        QuotaRow(*row)
        for row in connection.execute(f"{_SELECT} WHERE q.deleted_at_ms IS NULL ORDER BY q.name")
    ]


def read_quota(connection: Connection, quota_id: int) -> QuotaRow:
    return QuotaRow(*connection.execute(f"{_SELECT} WHERE q.id = ?", (quota_id,)).fetchone())


def last_windows(connection: Connection, quota_id: int) -> dict[str, WindowRow]:
    """The latest window of each kind, by kind."""
    rows = connection.execute(
        "SELECT kind, max(start_ms), held_nano, spent_nano FROM plan_windows WHERE quota_id = ? GROUP BY kind",
        (quota_id,),
    )
    return {row[0]: WindowRow(*row) for row in rows}


def insert_quota(connection: Connection, values: QuotaValues, kind: str, now_ms: int) -> int:
    """The new quota's id."""
    cursor = connection.execute(
        "INSERT INTO quotas (name, enabled, expires_at_ms, limits_nano, kind, created_at_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (*_columns(values), kind, now_ms),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def update_quota(connection: Connection, quota_id: int, values: QuotaValues) -> None:
    connection.execute(
        "UPDATE quotas SET name = ?, enabled = ?, expires_at_ms = ?, limits_nano = ? WHERE id = ?",
        (*_columns(values), quota_id),
    )


def credit(connection: Connection, quota_id: int, amount_nano: int, note: str, now_ms: int) -> None:
    """Adds to a prepaid balance, or takes back; the table refuses to go below what is held and spent."""
    connection.execute(
        "UPDATE quotas SET credited_nano = credited_nano + ? WHERE id = ?", (amount_nano, quota_id)
    )
    connection.execute(
        "INSERT INTO credits (quota_id, amount_nano, note, at_ms) VALUES (?, ?, ?, ?)",
        (quota_id, amount_nano, note, now_ms),
    )


def read_credits(connection: Connection, quota_id: int) -> list[CreditRow]:
    """Newest first."""
    rows = connection.execute(
        "SELECT amount_nano, note, at_ms FROM credits WHERE quota_id = ? ORDER BY id DESC", (quota_id,)
    )
    return [CreditRow(*row) for row in rows]


def keys_of_quota(connection: Connection, quota_id: int) -> list[str]:
    rows = connection.execute(
        "SELECT name FROM keys WHERE quota_id = ? AND deleted_at_ms IS NULL ORDER BY name", (quota_id,)
    )
    return [name for (name,) in rows]


def delete_quota(connection: Connection, quota_id: int, now_ms: int) -> None:
    """Soft: records and credits name it."""
    connection.execute("UPDATE quotas SET deleted_at_ms = ?, enabled = 0 WHERE id = ?", (now_ms, quota_id))


def _columns(values: QuotaValues) -> tuple[object, ...]:
    return values.name, values.enabled, values.expires_at_ms, msgspec.json.encode(values.limits_nano).decode()
