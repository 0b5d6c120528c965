"""Objects at upstreams as rows: who made each, and which credential holds it.

A row is as good as a capability: what is not found for a key does not exist for it. So there is no statement here that finds an
object without its key, and an id that two keys should ever share stays with the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from laidian.domain.affinity import Held, Holder, ObjectKind
from laidian.store.connection import Connection

SWEPT_PER_ROW = 4
"""Expired rows taken away with each new one, so that the table shrinks without a chore of its own."""

_COLUMNS = "kind, id, key_id, upstream_id, credential_id, created_at_ms, expires_at_ms, meta"


def remember_objects(connection: Connection, held: Sequence[Held], now_ms: int) -> None:
    """Keeps what was made, or what is newly known of it. An id that another key has already is left alone."""
    for one in held:
        connection.execute(
            f"INSERT INTO objects ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET "
            "key_id = excluded.key_id, upstream_id = excluded.upstream_id, credential_id = excluded.credential_id, "
            "expires_at_ms = excluded.expires_at_ms, meta = excluded.meta "
            "WHERE objects.key_id = excluded.key_id OR objects.expires_at_ms <= ?",
            (
                one.kind, one.id, one.key_id, one.holder.upstream_id, one.holder.credential_id,
                one.created_at_ms, one.expires_at_ms, one.meta, now_ms,
            ),
        )  # fmt: skip
        connection.execute(
            "DELETE FROM objects WHERE (kind, id) IN "
            "(SELECT kind, id FROM objects WHERE expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?)",
            (now_ms, SWEPT_PER_ROW),
        )


def find_object(
    connection: Connection, kind: ObjectKind, object_id: str, key_id: int, now_ms: int
) -> Held | None:
    """The key's object; None for one that is unknown, expired or another key's."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM objects WHERE kind = ? AND id = ? AND key_id = ? "
        "AND (expires_at_ms IS NULL OR expires_at_ms > ?)",
        (kind, object_id, key_id, now_ms),
    ).fetchone()
    return None if row is None else _held(row)


def find_upload(connection: Connection, digest: str, now_ms: int) -> Held | None:
    """An upload under way by the digest of its secret, which is all the credential that its client sends."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM objects WHERE kind = 'gemini.upload' AND id = ? AND expires_at_ms > ?",
        (digest, now_ms),
    ).fetchone()
    return None if row is None else _held(row)


def is_taken(connection: Connection, kind: ObjectKind, object_id: str, now_ms: int) -> bool:
    """Whether any key has an object of this id."""
    row = connection.execute(
        "SELECT 1 FROM objects WHERE kind = ? AND id = ? AND (expires_at_ms IS NULL OR expires_at_ms > ?)",
        (kind, object_id, now_ms),
    ).fetchone()
    return row is not None


def list_objects(
    connection: Connection,
    kind: ObjectKind,
    key_id: int,
    now_ms: int,
    *,
    after: str | None,
    limit: int,
    newest_first: bool,
    purpose: str | None = None,
) -> list[Held] | None:
    """At most `limit` of the key's objects behind the one called `after`; None when the key has no such object."""
    place: tuple[int, str] | None = None
    if after is not None:
        place = connection.execute(
            "SELECT created_at_ms, id FROM objects WHERE kind = ? AND id = ? AND key_id = ?",
            (kind, after, key_id),
        ).fetchone()
        if place is None:
            return None
    order, beyond = ("DESC", "<") if newest_first else ("ASC", ">")
    clauses = ["kind = ?", "key_id = ?", "(expires_at_ms IS NULL OR expires_at_ms > ?)"]
    values: list[object] = [kind, key_id, now_ms]
    if place is not None:
        clauses.append(f"(created_at_ms, id) {beyond} (?, ?)")
        values += place
    if purpose is not None:
        clauses.append("json_extract(meta, '$.purpose') = ?")
        values.append(purpose)
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM objects WHERE {' AND '.join(clauses)} "
        f"ORDER BY created_at_ms {order}, id {order} LIMIT ?",
        (*values, limit),
    )
    return [_held(row) for row in rows]


def last_holder(
    connection: Connection, kinds: Sequence[ObjectKind], key_id: int, now_ms: int
) -> Holder | None:
    """Who holds what the key made last: its next object is best made beside it, so that one request can use both."""
    marks = ", ".join("?" for _ in kinds)
    row = connection.execute(
        f"SELECT upstream_id, credential_id FROM objects WHERE key_id = ? AND kind IN ({marks}) "
        "AND (expires_at_ms IS NULL OR expires_at_ms > ?) ORDER BY created_at_ms DESC LIMIT 1",
        (key_id, *kinds, now_ms),
    ).fetchone()
    return None if row is None else Holder(*row)


def note_object(connection: Connection, kind: ObjectKind, object_id: str, meta: str) -> None:
    """What is newly known of an object, whoever's it is; nothing when it was forgotten."""
    connection.execute("UPDATE objects SET meta = ? WHERE kind = ? AND id = ?", (meta, kind, object_id))


def forget_object(connection: Connection, kind: ObjectKind, object_id: str, key_id: int) -> None:
    connection.execute(
        "DELETE FROM objects WHERE kind = ? AND id = ? AND key_id = ?", (kind, object_id, key_id)
    )


def _held(row: tuple[Any, ...]) -> Held:
    kind, object_id, key_id, upstream_id, credential_id, created_at_ms, expires_at_ms, meta = row
    return Held(
        kind, object_id, key_id, Holder(upstream_id, credential_id), created_at_ms, expires_at_ms, meta
    )
