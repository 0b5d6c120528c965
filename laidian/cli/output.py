"""Data on stdout: as a table that fits, as JSON or as comma-separated values, whole or only some fields.

JSON and CSV hold the API's fields under the API's names and in its spelling; a table is for people and may change.
"""

from __future__ import annotations

import csv
import difflib
import io
import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any, TypeVar

import click
import msgspec

from laidian.cli.call import Call
from laidian.cli.table import Column, render
from laidian.cli.text import clean

T = TypeVar("T", bound=msgspec.Struct)
Plain = dict[str, Any]
"""A struct as JSON would have it. Never leaves this module."""


def put_list(
    call: Call, kind: type[T], items: Sequence[T], columns: Sequence[Column[T]], *, empty: str
) -> None:
    """Any number of things. `empty` is said on stderr instead of a table without lines."""
    fields = chosen_fields(call, kind)
    if call.json:
        _put_json([_only(item, fields) for item in items])
    elif call.csv:
        _put_csv([_only(item, fields) for item in items], fields)
    elif not items:
        call.narrate(empty)
    else:
        put_table(call, items, _raw_columns(fields) if call.fields else columns)


def put_table(call: Call, items: Sequence[Any], columns: Sequence[Column[Any]]) -> None:
    click.echo(render(columns, items, width=terminal_width(), color=call.color()), nl=False)


def put_one(call: Call, item: msgspec.Struct, lines: Sequence[tuple[str, str]]) -> bool:
    """One thing: `lines` for people, or the struct itself. Returns whether it was `lines`, so that more may follow."""
    fields = chosen_fields(call, type(item))
    if call.json:
        _put_json(_only(item, fields))
        return False
    if call.fields:
        plain = _only(item, fields)
        lines = [(name, _text(plain[name])) for name in fields]
    size = max(len(title) for title, _ in lines)
    for title, text in lines:
        click.echo(f"{title:<{size}}  {clean(text)}".rstrip())
    return not call.fields


def put_json_line(call: Call, item: msgspec.Struct) -> None:
    """One document on one line, at once: for what never ends."""
    click.echo(msgspec.json.encode(_only(item, chosen_fields(call, type(item)))).decode())
    sys.stdout.flush()


def csv_head(call: Call, kind: type[msgspec.Struct]) -> str:
    return _csv_line(list(chosen_fields(call, kind)))


def csv_line(call: Call, item: msgspec.Struct) -> str:
    fields = chosen_fields(call, type(item))
    plain = _only(item, fields)
    return _csv_line([_text(plain[name]) for name in fields])


def chosen_fields(call: Call, kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """Those of --fields, or all. Raises UsageError naming the nearest for one that does not exist."""
    known = tuple(field.encode_name for field in msgspec.structs.fields(kind))
    for name in call.fields:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}."
            raise click.UsageError(f"there is no field {name!r} here. {hint}", click.get_current_context())
    return call.fields or known


def terminal_width() -> int | None:
    """In cells; None when nobody looks, so that nothing is cut."""
    if os.environ.get("COLUMNS", "").isdecimal() or sys.stdout.isatty():
        return max(40, shutil.get_terminal_size().columns)
    return None


def _only(item: msgspec.Struct, fields: Sequence[str]) -> Plain:
    plain: Plain = msgspec.to_builtins(item)
    return {name: plain[name] for name in fields}


def _put_json(value: object) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _put_csv(items: Sequence[Plain], fields: Sequence[str]) -> None:
    click.echo(_csv_line(list(fields)), nl=False)
    for item in items:
        click.echo(_csv_line([_text(item[name]) for name in fields]), nl=False)


def _csv_line(texts: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(texts)
    return line.getvalue()


def _text(value: object) -> str:
    """A JSON value in one cell: nothing for null, lists of words with commas, the rest as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):  # pyright: ignore[reportUnknownVariableType]
        return ",".join(value)  # pyright: ignore[reportUnknownArgumentType]
    return msgspec.json.encode(value).decode()


def _raw_columns(fields: Sequence[str]) -> list[Column[Any]]:
    def column(name: str) -> Column[Any]:
        return Column(name, lambda item: _text(msgspec.to_builtins(getattr(item, name))))

    return [column(name) for name in fields]
