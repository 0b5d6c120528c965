"""Rows of prices and price books. A price is never changed: it is retired, and another version takes its place."""

from __future__ import annotations

import msgspec

from laidian.domain.price import Price
from laidian.store.catalog import price_from_row
from laidian.store.connection import Connection
from laidian.store.ledger import keep_price


class OwnPrice(msgspec.Struct, frozen=True):
    """A price that the operator or config.toml set."""

    price: Price
    origin: str


class BookRow(msgspec.Struct, frozen=True):
    source: str
    source_date: str
    adopted_at_ms: int
    data: bytes


_PRICE = "model, effective_from_ms, source, source_date, version, rates, context_tokens, max_output_tokens"


def read_own_prices(connection: Connection) -> list[OwnPrice]:
    """Those in force or to come, by model, newest first."""
    rows = connection.execute(
        f"SELECT origin, {_PRICE} FROM prices WHERE origin <> 'book' AND retired_at_ms IS NULL "
        "ORDER BY model, effective_from_ms DESC"
    )
    return [OwnPrice(price_from_row(row[1:]), row[0]) for row in rows]


def price_of_version(connection: Connection, version: str) -> Price:
    """The price a record names; it must exist."""
    return price_from_row(
        connection.execute(f"SELECT {_PRICE} FROM prices WHERE version = ?", (version,)).fetchone()
    )


def put_price(connection: Connection, price: Price, origin: str, now_ms: int) -> None:
    """Writes a price, or takes the same one out of retirement."""
    keep_price(connection, price, origin, now_ms)
    connection.execute("UPDATE prices SET retired_at_ms = NULL WHERE version = ?", (price.version,))


def retire_price(connection: Connection, version: str, now_ms: int) -> None:
    connection.execute("UPDATE prices SET retired_at_ms = ? WHERE version = ?", (now_ms, version))


def used_versions(connection: Connection) -> set[str]:
    """Versions that some record or hold may name."""
    return {version for (version,) in connection.execute("SELECT version FROM prices WHERE origin = 'book'")}


def adopted_book(connection: Connection) -> BookRow | None:
    """The book that rules now; None before the first start."""
    row = connection.execute(
        "SELECT source, source_date, adopted_at_ms, data FROM price_books ORDER BY adopted_at_ms DESC LIMIT 1"
    ).fetchone()
    return None if row is None else BookRow(*row)


def adopt_book(connection: Connection, book: BookRow) -> None:
    """Makes a book the one that rules; the former ones stay for the record, without their data."""
    connection.execute("UPDATE price_books SET data = x'' WHERE source <> ?", (book.source,))
    connection.execute(
        "INSERT INTO price_books (source, source_date, adopted_at_ms, data) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (source) DO UPDATE SET adopted_at_ms = excluded.adopted_at_ms, data = excluded.data",
        (book.source, book.source_date, book.adopted_at_ms, book.data),
    )


def adopted_source(connection: Connection) -> str:
    """Source of the book that rules; empty: none was adopted."""
    row = connection.execute("SELECT source FROM price_books ORDER BY adopted_at_ms DESC LIMIT 1").fetchone()
    return "" if row is None else row[0]
