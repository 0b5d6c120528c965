"""Other programs' SQLite files, read for an import and never written.

A copy in use elsewhere is read as it is; nothing is made beside it but what SQLite needs for its own locks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

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
        connection.row_factory = sqlite3.Row
        connection.text_factory = _text
        known = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return {
            name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')]
            for name in names
            if name in known
        }
    except sqlite3.Error as error:
        raise StorageDown(f"{path} is damaged or no SQLite database: {error}.") from None
    finally:
        connection.close()


def _text(raw: bytes) -> str:
    """Whatever another program took for text."""
    return raw.decode(errors="replace")
