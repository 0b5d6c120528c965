"""A window drawn on screen: a header with the titles of its columns, and the rows that are in sight; no keys, no mouse.

    drawn = DrawnWindow(COLUMNS, key=lambda record: record.request_id, idiom=idiom, id="latest")
    drawn.title, drawn.empty = "Latest", "No request yet."    # in the border, with what narrows the window; in place of rows
    drawn.show(rows)                                          # or `drawn.read(pages)`

It draws line by line (Textual's line API), so a million rows cost what the visible ones cost. Columns are `tui.columns.Column`s; where
there is no room, those of the highest rank are left out. What it shows is its `window`, a `tui.window.Window`; `PagedTable` adds the keys.

The rules a newcomer would break: only lines that changed are drawn anew; and whoever moves the window's rows or its cursor says so, by
`_moved` or `_go`, so that a row stays where it is on the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from rich.style import Style
from rich.text import Text
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.cells import Cell, Toned, fitted, wrapped
from tui.columns import Column, Placed, placed
from tui.idiom import Idiom
from tui.rows import PAGE, Listed, Note, Pages
from tui.text import clean, count
from tui.window import Came, Window

R = TypeVar("R")
EDGE = 2
"""Cells before the first column: the cursor's sign and the mark's."""


class DrawnWindow(ScrollView, Toned, Generic[R], inherit_bindings=False):  # pyright: ignore[reportIncompatibleMethodOverride]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"paged--header", "paged--cursor", "paged--marked"}
    DEFAULT_CSS = """
    DrawnWindow { height: 1fr; border: round $primary; scrollbar-size-vertical: 1;
        scrollbar-gutter: stable; overflow-x: hidden; }
    DrawnWindow:focus { border: round $accent; }
    DrawnWindow > .paged--header { text-style: bold; color: $text-primary; }
    DrawnWindow > .paged--cursor { background: $primary 25%; }
    DrawnWindow:focus > .paged--cursor { background: $primary 55%; text-style: bold; }
    DrawnWindow:ansi > .paged--cursor { background: ansi_default; }
    DrawnWindow:ansi:focus > .paged--cursor { background: ansi_default; text-style: reverse; }
    DrawnWindow > .paged--marked { color: $text-warning; }
    """

    def __init__(
        self,
        columns: Sequence[Column[R]],
        *,
        key: Callable[[R], str],
        idiom: Callable[[], Idiom],
        id: str | None = None,  # noqa: A002 - as Textual has it
        classes: str | None = None,
    ) -> None:
        """`key`: what a row is known by. `idiom`: the language and the moment, asked at every drawing."""
        super().__init__(id=id, classes=classes)
        self.window = Window(columns, key=key, idiom=idiom)
        self.title = ""
        self.empty = ""
        self.wide = False
        """All columns, at their least widths, beyond the right edge."""
        self.typing = False
        """The filter is being typed: its end is marked."""
        self._idiom = idiom
        self._places: tuple[Placed, ...] = ()
        self._told: str | None = None
        self._drawn: dict[int, tuple[object, ...]] = {}
        self._titled = ""
        self._narrowed = (False, False)

    # What it shows

    def show(self, rows: Listed[R]) -> None:
        """A list at hand, in its own order; `Note`s between rows stay behind the row before them."""
        moved = self.window.lay(rows)
        if moved is None:
            self._relabel()
        else:
            self._moved(moved)

    def reshape(self, columns: Sequence[Column[R]]) -> None:
        """Other columns, where they depend on what is shown; the order goes back to the rows' own."""
        if [column.name for column in columns] != [column.name for column in self.window.columns]:
            self.window.columns = tuple(columns)
            self.window.sort_column = None
            self._resize()
            self._drawn.clear()
            self.refresh()

    def read(self, pages: Pages[R]) -> None:
        """From the first page on; what was shown before is gone when it has come."""
        self.window.open(pages)
        self.scroll_to(y=0, animate=False, immediate=True)
        self._want(0)
        self._relabel()
        self.refresh()

    async def renew(self) -> None:
        """Asks again for the pages in sight; the cursor stays with its row. Raises what the source raises."""
        for number in self.window.in_sight(self.scroll_offset.y, self._sight):
            self._came(await self.window.renew(number))

    @property
    def row_count(self) -> int:
        """Rows that are there; of pages, those that are known so far."""
        return self.window.count

    @property
    def total(self) -> int | None:
        """Rows in all, where it is known: of pages, as the source said."""
        return self.window.total

    @property
    def row(self) -> R | None:
        """Under the cursor."""
        return self.window.row

    @property
    def filter(self) -> str:
        """As typed; `narrow` sets it."""
        return self.window.filter

    @property
    def marked(self) -> set[str]:
        """Keys of the rows that are marked, also of those that are not at hand."""
        return self.window.marked

    @property
    def marked_rows(self) -> list[R]:
        """Of the rows at hand."""
        return [row for row in self.window.known() if self.window.key(row) in self.marked]

    @property
    def problem(self) -> str:
        """In place of rows: why there are none."""
        return self.window.problem

    @problem.setter
    def problem(self, reason: str) -> None:
        self.window.problem = reason

    def point(self, key: str) -> bool:
        """Puts the cursor on the row of that key; False: it is not at hand."""
        index = self.window.place_of(key)
        if index is not None:
            self._go(index)
        return index is not None

    def relabel(self) -> None:
        """Everything anew, for another language, title or moment."""
        self._relabel()
        self._drawn.clear()
        self.refresh()

    # What the window says

    def _moved(self, rows: int) -> None:
        """The list is another one, and the row under the cursor so many rows further down: it stays where it is on the screen."""
        if rows and self.scroll_offset.y:
            self.scroll_to(y=self.scroll_offset.y + rows, animate=False, immediate=True)
        self._resize()
        self._relabel()
        self._draw_changes()
        self._tell()

    def _want(self, index: int) -> None:
        """Asks in the background for the page that a row waits for, once."""
        number = self.window.want(index)
        if number is not None:
            self.run_worker(self._fetch(number), group="pages", exit_on_error=False)

    async def _fetch(self, number: int) -> None:
        try:
            self._came(await self.window.fetch(number))
        except Exception:
            # Whatever a source raises is a sentence for the operator; the frame shows a lost connection by itself.
            if self.problem:
                self.refresh()

    def _came(self, came: Came | None) -> None:
        if came is None:
            return
        if came.moved:
            self.scroll_to(y=self.scroll_offset.y + came.moved, animate=False, immediate=True)
        self._resize()
        self._relabel()
        if came.different:
            self._drawn.clear()
            self.refresh()
            self._tell()

    # Drawing

    @property
    def _sight(self) -> int:
        """Rows that have room."""
        return max(0, self.scrollable_content_region.height - 1)

    def on_resize(self) -> None:
        self._resize()
        self._show_cursor()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._drawn.clear()

    def _resize(self) -> None:
        width = self.scrollable_content_region.width
        self._places = placed(self.window.columns, width, all_of_them=self.wide, before=EDGE)
        last = self._places[-1] if self._places else None
        needed = last.x + last.width if last else width
        size = Size(max(width, needed) if self.wide else width, self.row_count + 1)
        if size != self.virtual_size:
            self.virtual_size = size
        # Whether a bar is needed depends on both sizes, and only one of them may have changed.
        self._scroll_update(size)

    def _draw_changes(self) -> None:
        """Draws the lines whose row, cursor or mark is another."""
        top = self.scroll_offset.y
        for line in range(self._sight):
            index = top + line
            if self._drawn.get(index) != self._signature(index):
                self.refresh_line(top + line + 1)

    def _signature(self, index: int) -> tuple[object, ...]:
        row = self.window.at(index)
        if row is None or isinstance(row, Note):
            return (row,)
        return (row, index == self.window.cursor, self.window.key(row) in self.marked, self.window.count)

    def render_line(self, y: int) -> Strip:
        shift, top = self.scroll_offset
        width = self.scrollable_content_region.width
        if y == 0:
            line = self._header_line()
        elif self.problem:
            line = self._said(
                self._idiom().words.table.failed.format(reason=self.problem), y, width, bad=True
            )
        elif not self.row_count:
            line = self._said(self._nothing(), y, width)
        else:
            line = self._row_line(top + y - 1)
        return line.crop_extend(shift, shift + width, Style.null())

    def _said(self, text: str, y: int, width: int, *, bad: bool = False) -> Strip:
        lines = wrapped(text, max(10, width - EDGE))
        if y > len(lines):
            return Strip.blank(width, Style.null())
        return self.strip((Cell(" " * EDGE), Cell(lines[y - 1], "bad" if bad else "dim")))

    def _nothing(self) -> str:
        words = self._idiom().words.table
        if not self.window.complete:
            return words.loading
        if self.filter:
            return words.none_match.format(text=self.filter)
        return self.empty

    def _header_line(self) -> Strip:
        words = self._idiom().words
        style = self.get_component_rich_style("paged--header", partial=True)
        cells: list[Cell] = []
        at = 0
        for place in self._places:
            column = self.window.columns[place.index]
            title = column.title(words)
            if place.index == self.window.sort_column:
                title = f"{title}{'▼' if self.window.sort_down else '▲'}"
            cells.append(Cell(" " * (place.x - at)))
            cells.extend(fitted(title, place.width, right=column.right))
            at = place.x + place.width
        return self.strip(cells, under=style)

    def _row_line(self, index: int) -> Strip:
        row = self.window.at(index)
        width = max(self.virtual_size.width, self.scrollable_content_region.width)
        self._drawn[index] = self._signature(index)
        if len(self._drawn) > 4 * PAGE:
            self._drawn.clear()
        if row is None:
            self._want(index)
            if index < self.row_count or (index == self.row_count and not self.window.complete):
                return self.strip((Cell(" " * EDGE + "…", "dim"),))
            return Strip.blank(width, Style.null())
        if isinstance(row, Note):
            return self.strip(fitted((Cell(" " * EDGE), Cell(f"↳ {row.text}", "dim")), width))
        return self._cells_line(row, index == self.window.cursor, self.window.key(row) in self.marked, width)

    def _cells_line(self, row: R, under_cursor: bool, marked: bool, width: int) -> Strip:
        idiom = self._idiom()
        cells: list[Cell] = [
            Cell(">" if under_cursor else " ", "accent" if under_cursor else "plain"),
            Cell("*" if marked else " ", "warn"),
        ]
        at = EDGE
        for place in self._places:
            column = self.window.columns[place.index]
            cells.append(Cell(" " * (place.x - at)))
            cells.extend(fitted(column.cell(row, idiom), place.width, right=column.right))
            at = place.x + place.width
        cells.append(Cell(" " * max(0, width - at)))
        if under_cursor:
            return self.strip(cells, under=self.get_component_rich_style("paged--cursor", partial=False))
        if marked:
            return self.strip(cells, under=self.get_component_rich_style("paged--marked", partial=True))
        return self.strip(cells)

    def _relabel(self) -> None:
        """The border's title: what it is, and all that narrows it."""
        words, window = self._idiom().words, self.window
        parts = [self.title] if self.title else []
        if self.filter or self.typing:
            parts.append(words.table.title_filter.format(text=self.filter) + ("▏" if self.typing else ""))
        if window.sort_column is not None:
            arrow = "▼" if window.sort_down else "▲"
            column = window.columns[window.sort_column].title(words)
            parts.append(words.table.title_sort.format(column=column, arrow=arrow))
        if self.wide:
            parts.append(words.table.title_wide)
        if self.marked:
            parts.append(words.table.title_marked.format(count=len(self.marked)))
        if window.new_above and window.cursor:
            parts.append(words.table.title_new.format(count=count(window.new_above)))
        title = clean(" ─ ".join(parts))
        if title != self._titled:
            self._titled = title
            # As rich text: a string would be read as markup.
            self.border_title = Text(title)  # pyright: ignore[reportAttributeAccessIssue]
        narrowed = (bool(self.filter or self.marked), self.typing)
        if narrowed != self._narrowed:
            self._narrowed = narrowed
            self.refresh_bindings()

    # The cursor

    def _go(self, index: int) -> None:
        before, new_above = self.window.cursor, self.window.new_above
        self.window.go(index)
        after = self.window.cursor
        if new_above != self.window.new_above:
            self._relabel()
        if after != before:
            self.refresh_line(before + 1)
            self.refresh_line(after + 1)
        self._show_cursor()
        self._tell()

    def _show_cursor(self) -> None:
        top, sight, cursor = self.scroll_offset.y, self._sight, self.window.cursor
        if sight <= 0:
            return
        if cursor < top:
            self.scroll_to(y=cursor, animate=False, immediate=True)
        elif cursor >= top + sight:
            self.scroll_to(y=cursor - sight + 1, animate=False, immediate=True)

    def _tell(self) -> None:
        row = self.row
        key = None if row is None else self.window.key(row)
        if key != self._told:
            self._told = key
            self.pointed(row)

    def pointed(self, row: R | None) -> None:
        """The cursor is on another row than before, or on none."""
