"""Where the rows of a `PagedTable` come from: a list at hand, or pages that are asked for.

A source of pages answers `Asked` with a `Piece`. Pages follow each other by cursor (keyset paging): the server says where the next
one begins, and nobody counts rows to find it. What a source keeps of a page is one cursor text, so a million rows weigh nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

R = TypeVar("R")
R_co = TypeVar("R_co")

PAGE = 200
"""Rows of one page; every page but the last has exactly so many."""
KEPT = 20
"""Pages that stay in memory; older ones are asked for again."""


class Asked(msgspec.Struct, frozen=True):
    cursor: str | None
    """Where the page begins; None: at the first row."""
    limit: int = PAGE
    filter: str = ""
    """As typed; see tui.filter."""
    sort: str = ""
    """The server's name of the order; empty: its own."""
    down: bool = False
    """Largest first."""


class Piece(msgspec.Struct, Generic[R], frozen=True):
    rows: tuple[R, ...]
    next: str | None
    """Cursor of the following page; None: there is none."""
    total: int | None = None
    """Rows in all, where the server knows."""


class Pages(Protocol[R]):
    """A source of pages. Raises whatever it likes; the table shows `str(error)` in place of rows."""

    async def page(self, asked: Asked) -> Piece[R]: ...


class Shelf(Generic[R]):
    """The pages that were fetched: some rows, and every cursor."""

    def __init__(self) -> None:
        self._cursors: list[str | None] = [None]
        """Of every page that is known to exist."""
        self._pages: OrderedDict[int, tuple[R, ...]] = OrderedDict()
        self._last: int | None = None
        """Rows of the last page, once it was reached."""
        self.total: int | None = None

    @property
    def count(self) -> int:
        """Rows that are known to exist: all pages before the last one known are full."""
        if self._last is not None:
            return (len(self._cursors) - 1) * PAGE + self._last
        return (len(self._cursors) - 1) * PAGE

    @property
    def complete(self) -> bool:
        return self._last is not None

    @property
    def pages(self) -> int:
        """Known to exist; the last one may not have been fetched."""
        return len(self._cursors)

    def cursor(self, number: int) -> str | None:
        return self._cursors[number]

    def row(self, index: int) -> R | None:
        """None: its page is not at hand."""
        page = self._pages.get(index // PAGE)
        if page is None:
            return None
        self._pages.move_to_end(index // PAGE)
        within = index % PAGE
        return page[within] if within < len(page) else None

    def has(self, number: int) -> bool:
        return number in self._pages

    def put(self, number: int, piece: Piece[R]) -> bool:
        """True: something is different from before. A page whose successor begins elsewhere makes all later pages unknown."""
        self.total = piece.total if piece.total is not None else self.total
        different = self._pages.get(number) != piece.rows
        self._pages[number] = piece.rows
        self._pages.move_to_end(number)
        while len(self._pages) > KEPT:
            self._pages.popitem(last=False)
        known = self._cursors[number + 1] if number + 1 < len(self._cursors) else None
        if piece.next is None:
            self._forget(number)
            self._last = len(piece.rows)
        elif known != piece.next:
            self._forget(number)
            self._cursors.append(piece.next)
            self._last = None
        return different

    def _forget(self, number: int) -> None:
        del self._cursors[number + 1 :]
        for later in [one for one in self._pages if one > number]:
            del self._pages[later]


class Note:
    """A line between rows that is no row: the cursor passes it. For lists at hand only."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Note) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


Listed = Sequence[R | Note]
