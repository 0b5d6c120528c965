"""Plain tables: columns that fit the terminal, wide characters counted as two cells.

Pure: rows in, text out. A column says how it looks when there is room and when there is not, and whether it may be left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import click
import msgspec
from rich.cells import cell_len, set_cell_size

from laidian.cli.text import clean

T = TypeVar("T")

GAP = "  "
NARROWEST = 8
"""Cells below which a text says nothing any more; a column that cannot have them is left out if it may be."""
COLORS = {
    "active": "green",
    "up": "green",
    "closed": "green",
    "complete": "green",
    "ok": "green",
    "warn": "yellow",
    "differs": "yellow",
    "kept": "bright_black",
    "made": "green",
    "refused": "red",
    "fail": "red",
    "used_up": "yellow",
    "resting": "yellow",
    "half_open": "yellow",
    "no_credential": "yellow",
    "expired": "red",
    "open": "red",
    "failed": "red",
    "disabled": "bright_black",
    "deleted": "bright_black",
}
"""States are words; colour only repeats them."""


class Column(msgspec.Struct, Generic[T], frozen=True):
    title: str
    show: Callable[[T], str]
    short: Callable[[T], str] | None = None
    """How it is written when the table does not fit otherwise."""
    right: bool = False
    """Numbers; never cut."""
    optional: bool = False
    """Left out, from the right, when the table does not fit otherwise."""
    colored: bool = False
    """Holds a state."""


def render(columns: Sequence[Column[T]], rows: Sequence[T], *, width: int | None, color: bool) -> str:
    """Lines with a line end each. `width` in cells; None: as wide as it gets, nothing cut."""
    chosen = list(columns)
    cells = [[clean(column.show(row)).replace("\n", " ") for column in chosen] for row in rows]
    if width is not None and _total(_natural(chosen, cells)) > width:
        cells = [
            [clean((column.short or column.show)(row)).replace("\n", " ") for column in chosen]
            for row in rows
        ]
        while _total(_least(chosen, cells)) > width:
            last = max((at for at, column in enumerate(chosen) if column.optional), default=None)
            if last is None:
                break
            del chosen[last]
            for line in cells:
                del line[last]
    sizes = _fit(chosen, cells, width)
    lines = [_line([column.title for column in chosen], sizes, chosen, "bright_black" if color else None)]
    for line in cells:
        lines.append(_line(line, sizes, chosen, None, color=color))
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _natural(columns: Sequence[Column[T]], cells: Sequence[Sequence[str]]) -> list[int]:
    return [
        max([cell_len(column.title), *(cell_len(line[at]) for line in cells)])
        for at, column in enumerate(columns)
    ]


def _least(columns: Sequence[Column[T]], cells: Sequence[Sequence[str]]) -> list[int]:
    return [
        size if column.right else min(size, NARROWEST)
        for size, column in zip(_natural(columns, cells), columns, strict=True)
    ]


def _total(sizes: Sequence[int]) -> int:
    return sum(sizes) + len(GAP) * max(0, len(sizes) - 1)


def _fit(columns: Sequence[Column[T]], cells: Sequence[Sequence[str]], width: int | None) -> list[int]:
    """Takes from the widest column, cell by cell, until the line fits or nothing more can be taken."""
    sizes = _natural(columns, cells)
    if width is None:
        return sizes
    least = _least(columns, cells)
    while _total(sizes) > width:
        at = max(range(len(sizes)), key=lambda index: sizes[index] if sizes[index] > least[index] else -1)
        if sizes[at] <= least[at]:
            break
        sizes[at] -= 1
    return sizes


def _line(
    texts: Sequence[str],
    sizes: Sequence[int],
    columns: Sequence[Column[T]],
    whole: str | None,
    *,
    color: bool = False,
) -> str:
    parts: list[str] = []
    for text, size, column in zip(texts, sizes, columns, strict=True):
        cut = text if cell_len(text) <= size else set_cell_size(text, size - 1).rstrip() + "…"
        space = " " * (size - cell_len(cut))
        shade = whole or (COLORS.get(text) if color and column.colored else None)
        shown = click.style(cut, fg=shade) if shade else cut
        parts.append(space + shown if column.right else shown + space)
    return GAP.join(parts)
