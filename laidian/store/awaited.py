"""Answers that a provider makes in the background: their holds stay open until the provider says what they came to.

A row here takes its hold out of the orphan rule: whoever's process died, the provider still knows the exact figure. So such a hold is
handed to a living worker (`adopt`) instead of being settled by an estimate. A row without a hold is one that was settled; it means
nothing and is swept.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from laidian.domain.affinity import Held
from laidian.domain.price import Price
from laidian.store.affinity import remember_objects
from laidian.store.catalog import price_from_row
from laidian.store.connection import Connection
from laidian.store.orphans import is_dead


class Begun(msgspec.Struct, frozen=True):
    """What is kept of a request whose answer is made in the background."""

    request_id: str
    response_id: str
    upstream_id: int
    credential_id: int
    upstream_model: str
    first_byte_ms: int | None
    attempts: str
    client: str


class Awaited(msgspec.Struct, frozen=True):
    """The same with its hold: everything that its settlement needs but the usage."""

    begun: Begun
    input_tokens: int
    """Likely input."""
    output_tokens: int
    """Likely output seen until the client left."""
    multiplier_ppm: int
    held_nano: int
    created_at_ms: int
    price: Price


_BEGUN = ", ".join(f"a.{name}" for name in Begun.__struct_fields__)
_SELECT = f"""
    SELECT {_BEGUN}, h.input_tokens, h.output_tokens, h.multiplier_ppm, h.amount_nano, h.created_at_ms,
           p.model, p.effective_from_ms, p.source, p.source_date, p.version, p.rates, p.context_tokens, p.max_output_tokens
    FROM awaited a JOIN holds h ON h.request_id = a.request_id JOIN prices p ON p.version = h.price_version
"""
_OWN = len(Begun.__struct_fields__)
_HOLD = _OWN + 5


def note_begun(connection: Connection, begun: Begun, made: Held, now_ms: int) -> None:
    """Keeps the request and the response that it began, before the client hears of it."""
    connection.execute(
        f"INSERT OR REPLACE INTO awaited ({', '.join(Begun.__struct_fields__)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        msgspec.structs.astuple(begun),
    )
    remember_objects(connection, [made], now_ms)


def find_awaited(connection: Connection, *, request_id: str = "", response_id: str = "") -> Awaited | None:
    """By either id; None for what is not, or no longer, waited for."""
    name, value = ("request_id", request_id) if request_id else ("response_id", response_id)
    row = connection.execute(f"{_SELECT} WHERE a.{name} = ?", (value,)).fetchone()
    return None if row is None else _awaited(row)


def forget_awaited(connection: Connection, request_id: str) -> None:
    connection.execute("DELETE FROM awaited WHERE request_id = ?", (request_id,))


def adopt(connection: Connection, run_folder: Path, heir: str) -> list[str]:
    """Request ids of what dead workers waited for, and the heir waits for from now on."""
    owners = connection.execute(
        "SELECT DISTINCT h.owner FROM holds h JOIN awaited a ON a.request_id = h.request_id WHERE h.owner <> ?",
        (heir,),
    ).fetchall()
    adopted: list[str] = []
    for (owner,) in owners:
        if not is_dead(run_folder, owner):
            continue
        rows = connection.execute(
            "UPDATE holds SET owner = ? WHERE owner = ? AND request_id IN (SELECT request_id FROM awaited) RETURNING request_id",
            (heir, owner),
        )
        adopted += [request_id for (request_id,) in rows.fetchall()]
    connection.execute("DELETE FROM awaited WHERE request_id NOT IN (SELECT request_id FROM holds)")
    return adopted


def _awaited(row: tuple[object, ...]) -> Awaited:
    begun = msgspec.convert(dict(zip(Begun.__struct_fields__, row[:_OWN], strict=True)), Begun)
    figures = msgspec.convert(row[_OWN:_HOLD], tuple[int, int, int, int, int])
    return Awaited(begun, *figures, price_from_row(row[_HOLD:]))
