"""Requests that a gate refused before they cost anything: a bounded table, for people who ask "why was I refused?".

No secret and no prompt: of a credential that nobody has only its beginning, of a known one the key. The ledger knows nothing of these
rows; a record remains what an accepted request leaves. `after_id` is the newest record when a refusal was written: both kinds of row
have one order by it, which never changes (store.usage).
"""

from __future__ import annotations

import msgspec

from laidian.store.connection import Connection

KEPT = 20_000
KEPT_MS = 14 * 86_400_000


class NewRefusal(msgspec.Struct, frozen=True):
    """What a worker says of one."""

    request_id: str
    at_ms: int
    digest: bytes | None
    """Of the credential; resolved to a key, deleted ones too, when the row is written."""
    shown: str
    """How the credential begins; empty: there was none, or it is none of ours."""
    operation: str
    model: str
    """As the client named it; empty: it did not come that far."""
    status: int
    code: str
    message: str
    duration_ms: int
    client: str


class RefusalRow(msgspec.Struct, frozen=True):
    id: int
    after_id: int
    request_id: str
    at_ms: int
    key: str
    """Name, or how an unknown credential begins."""
    group: str
    operation: str
    model: str
    status: int
    code: str
    message: str
    duration_ms: int
    client: str


SELECT = """
    SELECT f.id, f.after_id, f.request_id, f.at_ms, coalesce(k.name, f.shown), coalesce(g.name, ''), f.operation, f.model, f.status, f.code,
           f.message, f.duration_ms, f.client
    FROM refusals f LEFT JOIN keys k ON k.id = f.key_id LEFT JOIN groups g ON g.id = f.group_id
"""


def insert_refusals(connection: Connection, refusals: list[NewRefusal], dropped: int) -> None:
    """Writes what has gathered, keeps the newest `KEPT`, and counts those that there was no room for."""
    connection.executemany(
        "INSERT INTO refusals (request_id, at_ms, after_id, key_id, shown, group_id, operation, model, status, code, message, "
        "duration_ms, client) SELECT ?1, ?2, coalesce((SELECT max(id) FROM usage_records), 0), k.id, ?4, k.group_id, ?5, ?6, ?7, ?8, ?9, "
        "?10, ?11 FROM (SELECT 1) LEFT JOIN keys k ON k.digest = ?3",
        [msgspec.structs.astuple(refusal) for refusal in refusals],
    )
    connection.execute("DELETE FROM refusals WHERE id <= (SELECT max(id) FROM refusals) - ?", (KEPT,))
    if dropped:
        connection.execute("UPDATE meta SET value = value + ? WHERE name = 'refusals_dropped'", (dropped,))


def forget_refusals(connection: Connection, now_ms: int) -> None:
    """The old ones, but never the newest row of all, whose id the next one counts on from."""
    connection.execute(
        "DELETE FROM refusals WHERE at_ms < ? AND id < (SELECT max(id) FROM refusals)", (now_ms - KEPT_MS,)
    )


def read_refusal(connection: Connection, request_id: str) -> RefusalRow | None:
    row = connection.execute(f"{SELECT} WHERE f.request_id = ?", (request_id,)).fetchone()
    return None if row is None else RefusalRow(*row)


def count_refusals(connection: Connection, since_ms: int, until_ms: int | None = None) -> int:
    (number,) = connection.execute(
        "SELECT count(*) FROM refusals WHERE at_ms >= ?1 AND (?2 IS NULL OR at_ms < ?2)", (since_ms, until_ms)
    ).fetchone()
    return int(number)


MODELS_TOLD = 200
"""Names that clients sent can be anything: so many, the most wanted ones."""


def refused_models(connection: Connection, since_ms: int, codes: tuple[str, ...]) -> dict[str, int]:
    """How often a model was refused with one of these codes, by its name as clients sent it."""
    rows = connection.execute(
        f"SELECT model, count(*) FROM refusals WHERE at_ms >= ? AND model <> '' AND code IN ({', '.join('?' * len(codes))}) "
        "GROUP BY model ORDER BY 2 DESC LIMIT ?",
        (since_ms, *codes, MODELS_TOLD),
    )
    return dict(rows.fetchall())


def refusals_since(connection: Connection, since_ms: int, code: str) -> dict[str, tuple[int, int]]:
    """(how many, when the first one) by key, of one code."""
    rows = connection.execute(
        "SELECT k.name, count(*), min(f.at_ms) FROM refusals f JOIN keys k ON k.id = f.key_id "
        "WHERE f.at_ms >= ? AND f.code = ? GROUP BY k.id ORDER BY 2 DESC LIMIT ?",
        (since_ms, code, MODELS_TOLD),
    )
    return {name: (number, first) for name, number, first in rows}


def last_refusal(connection: Connection, since_ms: int) -> tuple[int, int] | None:
    """(when, status) of the newest one."""
    row = connection.execute(
        "SELECT at_ms, status FROM refusals WHERE at_ms >= ? ORDER BY at_ms DESC LIMIT 1", (since_ms,)
    ).fetchone()
    return None if row is None else (row[0], row[1])
