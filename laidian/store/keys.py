"""Rows of keys: what the operator sees and changes. The counters are the ledger's and only read here."""

from __future__ import annotations

from typing import Any

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


class KeyFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Empty and None filter nothing."""

    part: str = ""
    """Of name, display form or group, whatever the case of ASCII letters."""
    group: str = ""
    quota: str = ""
    state: str = ""
    """active, near, disabled, expired or used_up."""
    now_ms: int


_EXPIRED = "(k.expires_at_ms IS NOT NULL AND k.expires_at_ms <= :now)"
_USED_UP = "(k.limit_nano IS NOT NULL AND k.spent_nano >= k.limit_nano)"
_ACTIVE = f"k.enabled AND NOT {_EXPIRED} AND NOT {_USED_UP}"
_STATES: dict[str, str] = {
    "": "1",
    "active": _ACTIVE,
    "near": f"{_ACTIVE} AND k.limit_nano IS NOT NULL AND (k.spent_nano + k.held_nano) * 10 >= k.limit_nano * 9",
    "disabled": "NOT k.enabled",
    "expired": f"k.enabled AND {_EXPIRED}",
    "used_up": f"k.enabled AND NOT {_EXPIRED} AND {_USED_UP}",
}
_ORDERS: dict[str, str] = {
    "name": "k.name",
    "last_used": "coalesce(k.last_used_at_ms, 0)",
    "spent": "k.spent_nano",
    "created": "k.created_at_ms",
}


def ordered_ids(connection: Connection, wanted: KeyFilter, order: str, *, descending: bool) -> list[int]:
    """Ids of all keys that fit and are not deleted; `order`: name, last_used, spent or created."""
    part = wanted.part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = connection.execute(
        "SELECT k.id FROM keys k JOIN groups g ON g.id = k.group_id JOIN quotas q ON q.id = k.quota_id WHERE k.deleted_at_ms IS NULL "
        f"AND {_STATES[wanted.state]} AND (:part = '%%' OR k.name || ' ' || k.display || ' ' || g.name LIKE :part ESCAPE '\\') "
        "AND (:group = '' OR g.name = :group) AND (:quota = '' OR q.name = :quota) "
        f"ORDER BY {_ORDERS[order]} {'DESC' if descending else ''}, k.id",
        {"now": wanted.now_ms, "part": f"%{part}%", "group": wanted.group, "quota": wanted.quota},
    )
    return [key_id for (key_id,) in rows]


def read_some(connection: Connection, key_ids: list[int]) -> list[KeyRow]:
    """These keys, in this order."""
    rows = connection.execute(f"{_SELECT} WHERE k.id IN ({', '.join('?' * len(key_ids))})", key_ids)
    found = {row[0]: KeyRow(*row) for row in rows}
    return [found[key_id] for key_id in key_ids if key_id in found]


def ids_like(
    connection: Connection, *, name: str | None = None, id_: int | None = None, start: str | None = None
) -> list[int]:
    """Keys that are not deleted and have this name, this id, or a display form that begins so."""
    rows = connection.execute(
        "SELECT id FROM keys WHERE deleted_at_ms IS NULL AND (name = ?1 OR id = ?2 OR substr(display, 1, length(?3)) = ?3)",
        (name, id_, start),
    )
    return [key_id for (key_id,) in rows]


def names(connection: Connection) -> list[str]:
    """Of all keys that are not deleted."""
    return [
        name
        for (name,) in connection.execute("SELECT name FROM keys WHERE deleted_at_ms IS NULL ORDER BY name")
    ]


def count_keys(connection: Connection) -> int:
    """Not deleted."""
    (number,) = connection.execute("SELECT count(*) FROM keys WHERE deleted_at_ms IS NULL").fetchone()
    return int(number)


def read_key(connection: Connection, key_id: int) -> KeyRow:
    """One key, deleted or not; it must exist."""
    return KeyRow(*connection.execute(f"{_SELECT} WHERE k.id = ?", (key_id,)).fetchone())


def key_id_of_digest(connection: Connection, digest: bytes) -> int | None:
    row = connection.execute(
        "SELECT id FROM keys WHERE digest = ? AND deleted_at_ms IS NULL", (digest,)
    ).fetchone()
    return None if row is None else row[0]


def digest_known(connection: Connection, digest: bytes) -> bool:
    """Whether any key has it, deleted ones too: a credential is never given out twice."""
    return connection.execute("SELECT 1 FROM keys WHERE digest = ?", (digest,)).fetchone() is not None


def key_names(connection: Connection) -> set[str]:
    """Of those that are not deleted."""
    return {name for (name,) in connection.execute("SELECT name FROM keys WHERE deleted_at_ms IS NULL")}


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


def near_limit(connection: Connection, percent: int, now_ms: int) -> list[tuple[str, int, int]]:
    """(name, spent and held, limit) of active keys that have used so much of their own limit; the fullest first, at most 20."""
    rows = connection.execute(
        f"SELECT k.name, k.spent_nano + k.held_nano, k.limit_nano FROM keys k WHERE k.deleted_at_ms IS NULL AND k.enabled "
        f"AND NOT {_EXPIRED} AND k.limit_nano IS NOT NULL AND (k.spent_nano + k.held_nano) * 100 >= k.limit_nano * :percent "
        "ORDER BY (k.spent_nano + k.held_nano) * 1.0 / max(k.limit_nano, 1) DESC LIMIT 20",
        {"now": now_ms, "percent": percent},
    )
    return rows.fetchall()


def used_while_closed(connection: Connection, since_ms: int, now_ms: int) -> list[tuple[str, int, int, int]]:
    """(name, times, first time, whether it is expired) of keys that were refused because they are closed; the most used first, at most 20."""
    rows = connection.execute(
        f"SELECT k.name, count(*), min(f.at_ms), k.deleted_at_ms IS NULL AND k.enabled AND {_EXPIRED} FROM refusals f "
        "JOIN keys k ON k.id = f.key_id WHERE f.at_ms >= :since AND f.status = 401 "
        f"AND (k.deleted_at_ms IS NOT NULL OR NOT k.enabled OR {_EXPIRED}) GROUP BY k.id ORDER BY 2 DESC LIMIT 20",
        {"since": since_ms, "now": now_ms},
    )
    return rows.fetchall()


def names_and_groups(connection: Connection, key_ids: list[Any]) -> dict[int, tuple[str, str]]:
    """Name and group of some keys, deleted ones too, by key id."""
    rows = connection.execute(
        f"SELECT k.id, k.name, g.name FROM keys k JOIN groups g ON g.id = k.group_id WHERE k.id IN ({', '.join('?' * len(key_ids))})",
        key_ids,
    )
    return {key_id: (name, group) for key_id, name, group in rows}
