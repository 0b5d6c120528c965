"""Files that people and programs wrote, as plain values: YAML, JSON, and the plain text that pg_dump writes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from laidian.errors import BadRequest, NotFound, StorageDown

Plain = Mapping[str, Any]


def text_of(path: Path) -> str:
    """Raises NotFound, StorageDown, or BadRequest for what is no text."""
    try:
        return path.read_text()
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}.") from None
    except UnicodeDecodeError:
        raise BadRequest(f"{path} is no text.") from None
    except OSError as error:
        raise StorageDown(f"{path} cannot be read: {error.strerror}.") from None


def yaml_of(path: Path) -> Plain:
    """The top of a YAML file. Raises BadRequest for one that is not understood, without quoting it: it holds credentials."""
    import yaml

    try:
        found: object = yaml.safe_load(text_of(path))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise BadRequest(f"{path} is not valid YAML{where}.") from None
    except RecursionError:
        raise BadRequest(f"{path} is nested too deep.") from None
    if not isinstance(found, dict):
        raise BadRequest(f"{path} holds no settings: its top is no mapping.")
    return cast("Plain", found)


def json_of(text: str, path: object) -> Any:
    """`path`: what it is called in a sentence."""
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise BadRequest(f"{path} is not valid JSON.") from None


def pg_tables(text: str, names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Rows of the COPY blocks of a plain pg_dump; a value is text, or None for `\\N`."""
    wanted, found = set(names), dict[str, list[dict[str, Any]]]()
    lines = iter(text.split("\n"))
    for line in lines:
        head = re.fullmatch(r"COPY (?:\"?\w+\"?\.)?\"?(\w+)\"? \((.+)\) FROM stdin;", line)
        if head is None:
            continue
        columns = [column.strip().strip('"') for column in head[2].split(",")]
        rows: list[dict[str, Any]] = []
        for row in lines:
            if row == "\\.":
                break
            rows.append(dict(zip(columns, map(_pg_value, row.split("\t")), strict=False)))
        if head[1] in wanted:
            found[head[1]] = rows
    return found


_PG_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _pg_value(text: str) -> str | None:
    if text == "\\N":
        return None
    return re.sub(r"\\(.)", lambda found: _PG_ESCAPES.get(found[1], found[1]), text)


def mapping(value: object) -> dict[str, Any]:
    """A mapping, also one that is still JSON text; empty for anything else."""
    if isinstance(value, str):
        if not value.lstrip().startswith("{"):
            return {}
        try:
            value = json.loads(value, parse_float=Decimal)
        except ValueError:
            return {}
    return (
        {str(name): one for name, one in cast("dict[Any, Any]", value).items()}
        if isinstance(value, dict)
        else {}
    )


def items(value: object) -> list[Any]:
    """A list; one thing is a list of itself, nothing an empty one."""
    if isinstance(value, list):
        return list(cast("list[Any]", value))
    return [] if value is None or value == "" else [value]


def words(value: object) -> list[str]:
    return [str(one).strip() for one in items(value) if isinstance(one, str | int) and str(one).strip()]
