"""What is known about the database engine and the file, for people."""

from __future__ import annotations

import sqlite3

WAL_RESET_FIXED = (3, 51, 3)
"""sqlite.org change log, 3.51.3: "Fix the WAL-reset database corruption bug" (seen 2026-11-22)."""


def engine_version() -> str:
    return sqlite3.sqlite_version


def has_wal_reset_bug(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> bool:
    """Whether this SQLite can damage a log when a checkpoint and a commit meet; store.database keeps them apart."""
    return version < WAL_RESET_FIXED


def quick_check(connection: sqlite3.Connection) -> str:
    """What SQLite finds wrong with the file; empty: nothing. Reads all of it."""
    found = [str(text) for (text,) in connection.execute("PRAGMA quick_check(3)")]
    return "" if found == ["ok"] else "; ".join(found)
