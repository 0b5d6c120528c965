"""Whether the first start has been done: once in the life of a database."""

from __future__ import annotations

from laidian.store.connection import Connection


def first_start_done(connection: Connection) -> bool:
    (value,) = connection.execute("SELECT value FROM meta WHERE name = 'first_start_done'").fetchone()
    return bool(value)


def mark_first_start(connection: Connection) -> None:
    connection.execute("UPDATE meta SET value = 1 WHERE name = 'first_start_done'")
