"""Other programs' SQLite files, read for an import and never written.

A copy in use elsewhere is read as it is; nothing is made beside it but what SQLite needs for its own locks. Schemas here are others' and
differ from version to version, so tables and columns are asked for: what sqlite-utils is good at, and nothing waits for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlite_utils import Database

from laidian.errors import NotFound, StorageDown


def read_tables(path: Path, names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """All rows of these tables, by column; a table that is not there is left out. Raises NotFound, StorageDown."""
    if not path.is_file():
        raise NotFound(f"there is no file {path}.")
    try:
        connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise StorageDown(f"{path} cannot be opened: {error}.") from None
    try:
        connection.text_factory = _text
        database = Database(connection, recursive_triggers=False, execute_plugins=False)
        known = set(database.table_names())
        return {name: list(database.table(name).rows) for name in names if name in known}
    except sqlite3.Error as error:
        raise StorageDown(f"{path} is damaged or no SQLite database: {error}.") from None
    finally:
        connection.close()


def _text(raw: bytes) -> str:
    """Whatever another program took for text."""
    return raw.decode(errors="replace")
