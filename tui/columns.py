"""Columns of a table, and which of them there is room for.

    COLUMNS = (
        Column("name", lambda w: w.table.name, lambda key, _: key.name, width=12, grow=2),
        Column("state", lambda w: w.table.state, lambda key, idiom: idiom.state(key.state), width=9),
        Column("cost", lambda w: w.table.cost, lambda key, _: short_dollars(key.spent_usd), width=9, right=True, rank=1),
        Column("created", lambda w: w.table.created, lambda key, _: clock(key.created_at), width=10, wide=True),
    )

The rule a newcomer would break: a width is never measured from the rows. With a million of them nobody could, and a column that
moves while one looks at it is worse than a cut name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from tui.cells import Shown, text_of
from tui.idiom import Idiom
from tui.words import Words

R = TypeVar("R")
GAP = 2
"""Cells between two columns; 1 where it is narrow."""


class Column(Generic[R]):
    """One column: its stable name (for `name:value` filters and for sorting), its title in each language, and its cell of a row."""

    __slots__ = ("cell", "grow", "most", "name", "rank", "right", "sort", "title", "wide", "width")

    def __init__(
        self,
        name: str,
        title: Callable[[Words], str],
        cell: Callable[[R, Idiom], Shown],
        *,
        width: int,
        grow: int = 0,
        most: int = 40,
        right: bool = False,
        rank: int = 0,
        wide: bool = False,
        sort: Callable[[R], str | int | float] | str | None = None,
    ) -> None:
        self.name = name
        self.title = title
        self.cell = cell
        self.width = width
        """Cells it needs at least."""
        self.grow = grow
        """Its share of the cells that are left over, up to `most` cells in all."""
        self.most = most
        self.right = right
        self.rank = rank
        """0: always there. Where there is no room, the highest rank goes first."""
        self.wide = wide
        """Shown only when all columns are asked for, or where all have room."""
        self.sort = sort
        """A function of the row: the value to sort by, of rows at hand. A text: the server's name of the order. None: not sortable."""

    def matches(self, row: R, idiom: Idiom, text: str) -> bool:
        return text in text_of(self.cell(row, idiom)).lower()


class Placed(msgspec.Struct, frozen=True):
    """A column with the place it got."""

    index: int
    """In the columns that were declared."""
    x: int
    width: int


def placed(
    columns: Sequence[Column[R]], width: int, *, all_of_them: bool, before: int = 2
) -> tuple[Placed, ...]:
    """Which columns are shown in so many cells, and where.

    `all_of_them`: every column at its least width, however wide that becomes. `before`: cells on the left for cursor and mark.
    """
    gap = GAP if width >= 96 else 1
    shown = list(range(len(columns)))
    if not all_of_them and _needed(columns, shown, gap, before) > width:
        shown = [index for index in shown if not columns[index].wide]
        while _needed(columns, shown, gap, before) > width:
            worst = max(shown, key=lambda index: (columns[index].rank, index))
            if columns[worst].rank == 0:
                break
            shown.remove(worst)
    spare = max(0, width - _needed(columns, shown, gap, before))
    widths = _grown([columns[index] for index in shown], spare)
    places: list[Placed] = []
    x = before
    for index, cells in zip(shown, widths, strict=True):
        places.append(Placed(index, x, cells))
        x += cells + gap
    return tuple(places)


def _needed(columns: Sequence[Column[R]], shown: Sequence[int], gap: int, before: int) -> int:
    return before + sum(columns[index].width for index in shown) + gap * max(0, len(shown) - 1)


def _grown(columns: Sequence[Column[R]], spare: int) -> list[int]:
    """The spare cells handed out by share, none past a column's most."""
    widths = [column.width for column in columns]
    while spare > 0:
        growing = [index for index, one in enumerate(columns) if one.grow and widths[index] < one.most]
        shares = sum(columns[index].grow for index in growing)
        if not growing:
            break
        given = 0
        for index in growing:
            part = min(
                max(1, spare * columns[index].grow // shares),
                columns[index].most - widths[index],
                spare - given,
            )
            widths[index] += part
            given += part
        if not given:
            break
        spare -= given
    return widths
