"""The rows of a table without the table: which there are, in what order, and on which of them one is. No widget, no terminal.

    window = Window(COLUMNS, key=lambda record: record.request_id, idiom=idiom)

    moved = window.lay(rows)                # a list at hand: the window filters and sorts it by itself
    window.open(pages)                      # or pages of a source, which filters and sorts; nothing is asked for yet
    number = window.want(index)             # the page that a row in sight waits for; None: it is there or on its way
    came = await window.fetch(number)       # asks the source; raises what the source raises

    window.at(index), window.row            # a row, a `Note` between rows, or None; the row under the cursor
    window.filter, window.sort_column       # set them, then `rearrange()` a list, or `open()` the pages anew
    window.go(index)                        # the cursor; it passes notes by

Who draws it needs to know three things. `lay`, `rearrange` and `fetch` say by how many rows the one under the cursor moved: scrolling
by as many leaves it where it was on the screen. Rows and notes have numbers from 0 to `count` less 1; of pages, those known so far. What is
not at hand is None, and is wanted by its number.

The rules a newcomer would break: a row is known by its key, not by its place, so the cursor and the marks stay with it whatever
comes in above; at the very top the cursor follows what comes in. A page that arrives after `open` was asked for somewhere else, and is
dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

import msgspec

from tui.cells import text_of
from tui.columns import Column
from tui.filter import Term, terms
from tui.idiom import Idiom
from tui.rows import PAGE, Asked, Listed, Note, Pages, Shelf

R = TypeVar("R")


class Came(msgspec.Struct, frozen=True):
    """What a page that arrived has changed."""

    different: bool
    """Its rows are others than before."""
    moved: int
    """Rows by which the one under the cursor went down."""


class Window(Generic[R]):
    def __init__(
        self, columns: Sequence[Column[R]], *, key: Callable[[R], str], idiom: Callable[[], Idiom]
    ) -> None:
        """`key`: what a row is known by, unlike every other's. `idiom`: the language in which a list is filtered and sorted."""
        self.columns = tuple(columns)
        self.key = key
        self.filter = ""
        """As typed; see tui.filter."""
        self.sort_column: int | None = None
        """Place in `columns`; None: the rows' own order."""
        self.sort_down = False
        self.marked: set[str] = set()
        """Keys, also of rows that are not at hand."""
        self.problem = ""
        """Why there are no rows, as the source said it."""
        self.new_above = 0
        """Rows that came in above the cursor since it was last at the top."""
        self._idiom = idiom
        self._all: Listed[R] = ()
        self._rows: Listed[R] = ()
        self._pages: Pages[R] | None = None
        self._shelf: Shelf[R] = Shelf()
        self._asking: set[int] = set()
        self._cursor = 0
        self._cursor_key: str | None = None

    # Which rows there are

    def lay(self, rows: Listed[R]) -> int | None:
        """A list at hand, in its own order; a `Note` stays behind the row before it. None: they are those that were there."""
        self._pages = None
        self.problem = ""
        if rows == self._all and rows:
            return None
        self._all = rows
        return self.rearrange()

    def open(self, pages: Pages[R]) -> None:
        """Those of a source, from the first page on. Nothing is there before it was fetched."""
        self._pages = pages
        self._all = self._rows = ()
        self._shelf = Shelf()
        self._asking.clear()
        self._cursor, self._cursor_key, self.new_above = 0, None, 0
        self.problem = ""

    @property
    def pages(self) -> Pages[R] | None:
        """The source; None: a list is at hand."""
        return self._pages

    @property
    def count(self) -> int:
        """Rows and notes that are there; of pages, those that are known so far."""
        return len(self._rows) if self._pages is None else self._shelf.count

    @property
    def total(self) -> int | None:
        """Rows in all, where it is known: of pages, as the source said."""
        return len(self._rows) if self._pages is None else self._shelf.total

    @property
    def complete(self) -> bool:
        """There are no more than `count`."""
        return self._pages is None or self._shelf.complete

    def at(self, index: int) -> R | Note | None:
        if self._pages is None:
            return self._rows[index] if 0 <= index < len(self._rows) else None
        return self._shelf.row(index) if index >= 0 else None

    def known(self) -> Iterator[R]:
        """Every row that is at hand, in order; no notes."""
        for index in range(self.count):
            row = self.at(index) if self._pages is None or self._shelf.has(index // PAGE) else None
            if row is not None and not isinstance(row, Note):
                yield row

    def place_of(self, key: str) -> int | None:
        """Where the row of that key is; None: it is not at hand."""
        for index in range(self.count):
            row = self.at(index)
            if row is not None and not isinstance(row, Note) and self.key(row) == key:
                return index
        return None

    # A list at hand

    def rearrange(self) -> int:
        """Filters and sorts the list anew. The rows by which the one under the cursor moved: below 0 when it went up."""
        moved = 0
        following = self._cursor == 0
        self._rows = self._chosen()
        if self._cursor_key is not None and not following:
            found = self.place_of(self._cursor_key)
            if found is not None:
                moved = found - self._cursor
                self._cursor = found
        if self._cursor >= len(self._rows):
            self._cursor = max(0, len(self._rows) - 1)
        self._settle(1)
        return moved

    def _chosen(self) -> Listed[R]:
        """Rows that match, sorted, each followed by its notes."""
        wanted = terms(self.filter)
        column = None if self.sort_column is None else self.columns[self.sort_column]
        if not wanted and column is None:
            return self._all
        idiom = self._idiom()
        pairs: list[tuple[R, list[Note]]] = []
        for row in self._all:
            if isinstance(row, Note):
                if pairs:
                    pairs[-1][1].append(row)
            else:
                pairs.append((row, []))
        if wanted:
            pairs = [pair for pair in pairs if all(self._matches(pair[0], term, idiom) for term in wanted)]
        if column is not None:
            pairs.sort(key=lambda pair: _order(column, pair[0], idiom), reverse=self.sort_down)
        chosen: list[R | Note] = []
        for row, notes in pairs:
            chosen.append(row)
            chosen.extend(notes)
        return chosen

    def _matches(self, row: R, term: Term, idiom: Idiom) -> bool:
        columns = [
            column for column in self.columns if not term.column or column.name.startswith(term.column)
        ]
        return any(column.matches(row, idiom, term.text) for column in columns) != term.excludes

    # Pages

    def want(self, index: int) -> int | None:
        """The page to fetch for this row, or for the first one beyond those that are known; None: it is at hand, or was wanted before."""
        if self._pages is None or (index >= self._shelf.count and self._shelf.complete):
            return None
        number = min(index // PAGE, self._shelf.pages - 1)
        if number in self._asking or self._shelf.has(number):
            return None
        self._asking.add(number)
        return number

    def in_sight(self, first: int, rows: int) -> list[int]:
        """Pages that hold these rows and are known to exist."""
        if self._pages is None:
            return []
        numbers = sorted({first // PAGE, (first + max(1, rows) - 1) // PAGE})
        return [number for number in numbers if number < self._shelf.pages]

    async def fetch(self, number: int) -> Came | None:
        """Asks the source for a wanted page. None: the window shows something else by now. Raises what the source raises; `problem` has
        it when there is nothing else to show.
        """
        shelf = self._shelf
        try:
            return await self._fetched(number, again=False)
        except Exception as error:
            if shelf is self._shelf and not shelf.count:
                self.problem = str(error)
            raise
        finally:
            if shelf is self._shelf:
                self._asking.discard(number)

    async def renew(self, number: int) -> Came | None:
        """As `fetch`, of a page that may be at hand: what came in above its first row moves the cursor along."""
        return await self._fetched(number, again=True)

    async def _fetched(self, number: int, *, again: bool) -> Came | None:
        pages, shelf = self._pages, self._shelf
        assert pages is not None
        column = None if self.sort_column is None else self.columns[self.sort_column]
        order = column.sort if column is not None and isinstance(column.sort, str) else ""
        piece = await pages.page(Asked(shelf.cursor(number), PAGE, self.filter, order, self.sort_down))
        if shelf is not self._shelf or number >= shelf.pages:
            return None
        first = shelf.row(0) if number == 0 and again else None
        different = shelf.put(number, piece)
        self.problem = ""
        moved = 0 if first is None or not different else self._shift_for_new(first, piece.rows)
        if different:
            self._settle(1)
        return Came(different, moved)

    def _shift_for_new(self, first: R, rows: Sequence[R]) -> int:
        """Rows came in above: one who is not at the top stays with their row."""
        if self._cursor == 0:
            return 0
        for moved, row in enumerate(rows):
            if self.key(row) == self.key(first):
                self._cursor += moved
                self.new_above += moved
                return moved
        return 0

    # The cursor

    @property
    def cursor(self) -> int:
        return self._cursor

    @property
    def row(self) -> R | None:
        """Under the cursor."""
        found = self.at(self._cursor)
        return None if isinstance(found, Note) else found

    def go(self, index: int) -> None:
        """To a row, or the nearest there is. At the top, nothing is new above any more."""
        before = self._cursor
        self._cursor = max(0, min(index, self.count - 1))
        self._settle(1 if index >= before else -1)
        if self._cursor == 0:
            self.new_above = 0

    def to_top(self) -> None:
        """To the first row of what will be chosen."""
        self._cursor = 0

    def _settle(self, step: int) -> None:
        """Off a note, in the direction one came."""
        while isinstance(self.at(self._cursor), Note):
            if not 0 <= self._cursor + step < self.count:
                step = -step
            self._cursor += step
        row = self.row
        self._cursor_key = None if row is None else self.key(row)


def _order(column: Column[R], row: R, idiom: Idiom) -> tuple[bool, str | int | float]:
    """Texts and numbers are not compared with each other."""
    value = column.sort(row) if callable(column.sort) else text_of(column.cell(row, idiom))
    return isinstance(value, str), value.lower() if isinstance(value, str) else value
