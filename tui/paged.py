"""A table for any number of rows: a million of them cost what the visible ones cost.

    table = PagedTable(COLUMNS, key=lambda record: record.request_id, id="usage")

    table.show(rows)                 # a list at hand: filter and sort are done here
    table.read(UsagePages(feed))     # or pages that are asked for as one scrolls: filter and sort are the source's

    def on_paged_table_opened(self, event: PagedTable.Opened) -> None: ...     # enter, or a click on the row one is on
    def on_paged_table_pointed(self, event: PagedTable.Pointed) -> None: ...   # the cursor came to another row

It draws line by line (Textual's line API): a header, and the rows that are in sight. Columns are `tui.columns.Column`s; where there
is no room, those of the highest rank are left out. Sources of pages are `tui.rows.Pages`. `title` stands in the border, with what
narrows the table behind it; `empty` is said when there is no row at all.

The rules a newcomer would break: a row is known by its key, not by its place, so the cursor and the marks stay with it whatever
comes in above; the filter is typed into the table itself, and while one types, no letter is a command; only lines that changed
are drawn anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.cells import Cell, Toned, fitted, text_of, wrapped
from tui.columns import Column, Placed, placed
from tui.filter import Term, terms
from tui.idiom import Idiom
from tui.rows import PAGE, Asked, Listed, Note, Pages, Shelf
from tui.text import clean, count

R = TypeVar("R")
Q = TypeVar("Q")
EDGE = 2
"""Cells before the first column: the cursor's sign and the mark's."""


class PagedTable(ScrollView, Toned, Generic[R], can_focus=True, inherit_bindings=False):  # pyright: ignore[reportIncompatibleMethodOverride]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"paged--header", "paged--cursor", "paged--marked"}
    DEFAULT_CSS = """
    PagedTable { height: 1fr; border: round $primary; scrollbar-size-vertical: 1;
        scrollbar-gutter: stable; overflow-x: hidden; }
    PagedTable:focus { border: round $accent; }
    PagedTable > .paged--header { text-style: bold; color: $text-primary; }
    PagedTable > .paged--cursor { background: $primary 25%; }
    PagedTable:focus > .paged--cursor { background: $primary 55%; text-style: bold; }
    PagedTable:ansi > .paged--cursor { background: ansi_default; }
    PagedTable:ansi:focus > .paged--cursor { background: ansi_default; text-style: reverse; }
    PagedTable > .paged--marked { color: $text-warning; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "table.up", show=False),
        Binding("down,j", "move(1)", "table.down", show=False),
        Binding("pageup,ctrl+b", "leaf(-1)", "table.page_up", show=False),
        Binding("pagedown,ctrl+f", "leaf(1)", "table.page_down", show=False),
        Binding("home", "first", "table.first", show=False),
        Binding("end,G", "last", "table.last", show=False),
        Binding("left", "shift(-8)", "table.left", show=False),
        Binding("right", "shift(8)", "table.right", show=False),
        Binding("enter", "open", "table.open"),
        Binding("slash", "filter", "table.filter", key_display="/"),
        Binding("escape", "clear", "table.clear", show=False),
        Binding("space", "mark", "table.mark", show=False),
        Binding("asterisk", "mark_all", "table.mark_all", key_display="*", show=False),
        Binding("w", "wide", "table.wide", show=False),
        Binding("less_than_sign", "sort(-1)", "table.sort_previous", key_display="<", show=False),
        Binding("greater_than_sign", "sort(1)", "table.sort_next", key_display=">", show=False),
        Binding("o", "turn", "table.sort_turn", show=False),
        Binding("y", "copy", "table.copy", show=False),
        Binding("Y", "copy_row", "table.copy_row", show=False),
    ]

    class Opened(Message, Generic[Q]):
        """Enter on a row."""

        def __init__(self, table: PagedTable[Q], row: Q) -> None:
            super().__init__()
            self.table = table
            self.row = row

        @property
        def control(self) -> PagedTable[Q]:
            return self.table

    class Pointed(Message, Generic[Q]):
        """The cursor is on another row than before, or on none."""

        def __init__(self, table: PagedTable[Q], row: Q | None) -> None:
            super().__init__()
            self.table = table
            self.row = row

        @property
        def control(self) -> PagedTable[Q]:
            return self.table

    class Narrowed(Message):
        """The filter or the order is another one."""

        def __init__(self, table: PagedTable[Any], text: str) -> None:
            super().__init__()
            self.table = table
            self.text = text

        @property
        def control(self) -> PagedTable[Any]:
            return self.table

    def __init__(
        self,
        columns: Sequence[Column[R]],
        *,
        key: Callable[[R], str],
        idiom: Callable[[], Idiom],
        id: str | None = None,  # noqa: A002 - as Textual has it
        classes: str | None = None,
        marks: bool = False,
        tone: Callable[[R], str] | None = None,
    ) -> None:
        """`marks`: rows can be marked for doing something to several. `idiom`: asked at every drawing."""
        super().__init__(id=id, classes=classes)
        self.columns = tuple(columns)
        self.title = ""
        self.empty = ""
        self.problem = ""
        """In place of rows: why there are none."""
        self.wide = False
        self.filter = ""
        self.typing = False
        self.sort_column: int | None = None
        self.sort_down = False
        self.marked: set[str] = set()
        self._key = key
        self._idiom = idiom
        self._with_marks = marks
        self._all: Listed[R] = ()
        self._rows: Listed[R] = ()
        self._pages: Pages[R] | None = None
        self._shelf: Shelf[R] = Shelf()
        self._asking: set[int] = set()
        self._cursor = 0
        self._cursor_key: str | None = None
        self._told: str | None = None
        self._new_above = 0
        self._places: tuple[Placed, ...] = ()
        self._drawn: dict[int, tuple[object, ...]] = {}
        self._titled = ""
        self._narrowed = (False, False)

    # What it shows

    def show(self, rows: Listed[R]) -> None:
        """A list at hand, in its own order; `Note`s between rows stay behind the row before them."""
        self._pages = None
        self.problem = ""
        if rows == self._all and rows:
            self._relabel()
            return
        self._all = rows
        self._arrange()

    def reshape(self, columns: Sequence[Column[R]]) -> None:
        """Other columns, where they depend on what is shown; the order goes back to the rows' own."""
        if [column.name for column in columns] != [column.name for column in self.columns]:
            self.columns = tuple(columns)
            self.sort_column = None
            self._resize()
            self._drawn.clear()
            self.refresh()

    def read(self, pages: Pages[R]) -> None:
        """From the first page on; what was shown before is gone when it has come."""
        self._pages = pages
        self._all = self._rows = ()
        self._shelf = Shelf()
        self._asking.clear()
        self._cursor, self._cursor_key, self._new_above = 0, None, 0
        self.problem = ""
        self.scroll_to(y=0, animate=False, immediate=True)
        self._want(0)
        self._relabel()
        self.refresh()

    async def renew(self) -> None:
        """Asks again for the pages in sight; the cursor stays with its row. Raises what the source raises."""
        if self._pages is None:
            return
        top = self.scroll_offset.y
        for number in sorted({top // PAGE, (top + max(1, self._sight) - 1) // PAGE}):
            if number < self._shelf.pages:
                await self._fetch(number, again=True)

    @property
    def row_count(self) -> int:
        """Rows that are there; of pages, those that are known so far."""
        return len(self._rows) if self._pages is None else self._shelf.count

    @property
    def total(self) -> int | None:
        """Rows in all, where it is known: of pages, as the source said."""
        return len(self._rows) if self._pages is None else self._shelf.total

    @property
    def row(self) -> R | None:
        """Under the cursor."""
        found = self._at(self._cursor)
        return None if isinstance(found, Note) else found

    @property
    def marked_rows(self) -> list[R]:
        """Of the rows at hand."""
        return [row for row in self._known() if self._key(row) in self.marked]

    def point(self, key: str) -> bool:
        """Puts the cursor on the row of that key; False: it is not at hand."""
        for index in range(self.row_count):
            row = self._at(index)
            if row is not None and not isinstance(row, Note) and self._key(row) == key:
                self._go(index)
                return True
        return False

    def relabel(self) -> None:
        """Everything anew, for another language, title or moment."""
        self._relabel()
        self._drawn.clear()
        self.refresh()

    # Rows

    def _known(self) -> list[R]:
        if self._pages is None:
            return [row for row in self._rows if not isinstance(row, Note)]
        return [
            row
            for index in range(self._shelf.count)
            if (row := self._shelf.row(index) if self._shelf.has(index // PAGE) else None) is not None
        ]

    def _at(self, index: int) -> R | Note | None:
        if self._pages is None:
            return self._rows[index] if 0 <= index < len(self._rows) else None
        return self._shelf.row(index) if index >= 0 else None

    def _arrange(self) -> None:
        """Filters and sorts the list at hand, and keeps the cursor on its row."""
        rows = self._chosen()
        following = self._cursor == 0
        before = self._rows
        self._rows = rows
        if self._cursor_key is not None and not following:
            found = self._place_of(self._cursor_key)
            if found is not None:
                moved = found - self._cursor
                self._cursor = found
                if moved and self.scroll_offset.y:
                    self.scroll_to(y=self.scroll_offset.y + moved, animate=False, immediate=True)
        if self._cursor >= len(rows):
            self._cursor = max(0, len(rows) - 1)
        self._settle_on_row(1)
        self._resize()
        self._relabel()
        self._draw_changes(before)
        self._tell()

    def _chosen(self) -> Listed[R]:
        """Rows that match, sorted, each followed by its note."""
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

    def _place_of(self, key: str) -> int | None:
        for index, row in enumerate(self._rows):
            if not isinstance(row, Note) and self._key(row) == key:
                return index
        return None

    # Pages

    def _want(self, number: int) -> None:
        """Asks for a page in the background, once."""
        if number in self._asking or number >= self._shelf.pages or self._shelf.has(number):
            return
        self._asking.add(number)
        self.run_worker(self._fetch_quietly(number, self._shelf), group="pages", exit_on_error=False)

    async def _fetch_quietly(self, number: int, shelf: Shelf[R]) -> None:
        try:
            await self._fetch(number)
        except Exception as error:
            # Whatever a source raises is a sentence for the operator; the frame shows a lost connection by itself.
            if shelf is self._shelf and not shelf.count:
                self.problem = str(error)
                self.refresh()
        finally:
            if shelf is self._shelf:
                self._asking.discard(number)

    async def _fetch(self, number: int, *, again: bool = False) -> None:
        pages, shelf = self._pages, self._shelf
        assert pages is not None
        column = None if self.sort_column is None else self.columns[self.sort_column]
        order = column.sort if column is not None and isinstance(column.sort, str) else ""
        piece = await pages.page(Asked(shelf.cursor(number), PAGE, self.filter, order, self.sort_down))
        if shelf is not self._shelf or number >= shelf.pages:
            return
        first = shelf.row(0) if number == 0 and again else None
        different = shelf.put(number, piece)
        self.problem = ""
        if number == 0 and again and different and first is not None:
            self._shift_for_new(first, piece.rows)
        self._resize()
        self._relabel()
        if different:
            self._settle_on_row(1)
            self._drawn.clear()
            self.refresh()
            self._tell()

    def _shift_for_new(self, first: R, rows: Sequence[R]) -> None:
        """Rows came in above: one who is not at the top stays where they are."""
        if self._cursor == 0:
            return
        for moved, row in enumerate(rows):
            if self._key(row) == self._key(first):
                self._cursor += moved
                self._new_above += moved
                self.scroll_to(y=self.scroll_offset.y + moved, animate=False, immediate=True)
                return

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
        self._places = placed(self.columns, width, all_of_them=self.wide, before=EDGE)
        last = self._places[-1] if self._places else None
        needed = last.x + last.width if last else width
        size = Size(max(width, needed) if self.wide else width, self.row_count + 1)
        if size != self.virtual_size:
            self.virtual_size = size
        # Whether a bar is needed depends on both sizes, and only one of them may have changed.
        self._scroll_update(size)

    def _draw_changes(self, before: Listed[R]) -> None:
        """Draws the lines whose row, cursor or mark is another."""
        top = self.scroll_offset.y
        for line in range(self._sight):
            index = top + line
            if self._drawn.get(index) != self._signature(index):
                self.refresh_line(top + line + 1)

    def _signature(self, index: int) -> tuple[object, ...]:
        row = self._at(index)
        if row is None or isinstance(row, Note):
            return (row,)
        return (row, index == self._cursor, self._key(row) in self.marked, len(self._rows))

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
        if self._pages is not None and not self._shelf.complete:
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
            column = self.columns[place.index]
            title = column.title(words)
            if place.index == self.sort_column:
                title = f"{title}{'▼' if self.sort_down else '▲'}"
            cells.append(Cell(" " * (place.x - at)))
            cells.extend(fitted(title, place.width, right=column.right))
            at = place.x + place.width
        return self.strip(cells, under=style)

    def _row_line(self, index: int) -> Strip:
        row = self._at(index)
        width = max(self.virtual_size.width, self.scrollable_content_region.width)
        self._drawn[index] = self._signature(index)
        if len(self._drawn) > 4 * PAGE:
            self._drawn.clear()
        if row is None:
            if self._pages is not None and index < self._shelf.count:
                self._want(index // PAGE)
                return self.strip((Cell(" " * EDGE + "…", "dim"),))
            if self._pages is not None and not self._shelf.complete:
                self._want(self._shelf.pages - 1)
                return (
                    self.strip((Cell(" " * EDGE + "…", "dim"),))
                    if index == self.row_count
                    else Strip.blank(width, Style.null())
                )
            return Strip.blank(width, Style.null())
        if isinstance(row, Note):
            return self.strip(fitted((Cell(" " * EDGE), Cell(f"↳ {row.text}", "dim")), width))
        return self._cells_line(row, index == self._cursor, self._key(row) in self.marked, width)

    def _cells_line(self, row: R, under_cursor: bool, marked: bool, width: int) -> Strip:
        idiom = self._idiom()
        cells: list[Cell] = [
            Cell(">" if under_cursor else " ", "accent" if under_cursor else "plain"),
            Cell("*" if marked else " ", "warn"),
        ]
        at = EDGE
        for place in self._places:
            column = self.columns[place.index]
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
        words = self._idiom().words
        parts = [self.title] if self.title else []
        if self.filter or self.typing:
            parts.append(words.table.title_filter.format(text=self.filter) + ("▏" if self.typing else ""))
        if self.sort_column is not None:
            arrow = "▼" if self.sort_down else "▲"
            column = self.columns[self.sort_column].title(words)
            parts.append(words.table.title_sort.format(column=column, arrow=arrow))
        if self.wide:
            parts.append(words.table.title_wide)
        if self.marked:
            parts.append(words.table.title_marked.format(count=len(self.marked)))
        if self._new_above and self._cursor:
            parts.append(words.table.title_new.format(count=count(self._new_above)))
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

    def _settle_on_row(self, step: int) -> None:
        """Off a note, in the direction one came."""
        while isinstance(self._at(self._cursor), Note):
            if not 0 <= self._cursor + step < self.row_count:
                step = -step
            self._cursor += step
        row = self._at(self._cursor)
        self._cursor_key = None if row is None or isinstance(row, Note) else self._key(row)

    def _go(self, index: int) -> None:
        before = self._cursor
        self._cursor = max(0, min(index, self.row_count - 1))
        self._settle_on_row(1 if index >= before else -1)
        if self._cursor == 0 and self._new_above:
            self._new_above = 0
            self._relabel()
        if self._cursor != before:
            self.refresh_line(before + 1)
            self.refresh_line(self._cursor + 1)
        self._show_cursor()
        self._tell()

    def _show_cursor(self) -> None:
        top, sight = self.scroll_offset.y, self._sight
        if sight <= 0:
            return
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, immediate=True)
        elif self._cursor >= top + sight:
            self.scroll_to(y=self._cursor - sight + 1, animate=False, immediate=True)

    def _tell(self) -> None:
        row = self.row
        key = None if row is None else self._key(row)
        if key != self._told:
            self._told = key
            self.post_message(self.Pointed(self, row))

    # Keys

    def action_move(self, rows: int) -> None:
        self._go(self._cursor + rows)

    def action_leaf(self, pages: int) -> None:
        self._go(self._cursor + pages * max(1, self._sight - 1))

    def action_first(self) -> None:
        self._go(0)

    def action_last(self) -> None:
        """Of pages: the last row known; the next page is asked for, so pressing again goes on."""
        self._go(self.row_count - 1)
        if self._pages is not None and not self._shelf.complete:
            self._want(self._shelf.pages - 1)

    def action_shift(self, cells: int) -> None:
        self.scroll_to(x=self.scroll_offset.x + cells, animate=False, immediate=True)

    def action_open(self) -> None:
        if (row := self.row) is not None:
            self.post_message(self.Opened(self, row))

    def action_filter(self) -> None:
        self.typing = True
        self._relabel()

    def action_clear(self) -> None:
        self.marked.clear()
        self.narrow("")

    def narrow(self, text: str) -> None:
        """Sets the filter, as if it had been typed."""
        self.typing = False
        self._filtered(text)

    def action_mark(self) -> None:
        if (row := self.row) is not None:
            self.marked.symmetric_difference_update((self._key(row),))
            self.refresh_line(self._cursor + 1)
            self._relabel()
            self._go(self._cursor + 1)

    def action_mark_all(self) -> None:
        self.marked.update(self._key(row) for row in self._known())
        self._relabel()
        self.refresh()

    def action_wide(self) -> None:
        self.wide = not self.wide
        if not self.wide:
            self.scroll_to(x=0, animate=False, immediate=True)
        self._resize()
        self._relabel()
        self.refresh()

    def action_sort(self, step: int) -> None:
        """The next column that can be sorted by, among those in sight; past the last one: the rows' own order."""
        able = [place.index for place in self._places if self.columns[place.index].sort is not None]
        if not able:
            return
        stops: list[int | None] = [None, *able]
        at = stops.index(self.sort_column) if self.sort_column in stops else 0
        self.sort_by(stops[(at + step) % len(stops)])

    def sort_by(self, column: int | None, *, down: bool | None = None) -> None:
        self.sort_column = column
        self.sort_down = down if down is not None else column is not None and self.columns[column].right
        self._reorder()

    def action_turn(self) -> None:
        if self.sort_column is not None:
            self.sort_down = not self.sort_down
            self._reorder()

    def action_copy(self) -> None:
        """What the row is known by."""
        if (row := self.row) is not None:
            self.post_message(self.Copied(self._key(row)))

    def action_copy_row(self) -> None:
        if (row := self.row) is not None:
            self.post_message(self.Copied(msgspec.json.format(msgspec.json.encode(row), indent=2).decode()))

    class Copied(Message):
        """Something is to go to the clipboard; the application knows how."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("mark", "mark_all"):
            return self._with_marks
        if action == "clear":
            return bool(self.filter or self.marked or self.typing)
        if action in ("sort", "turn"):
            return any(column.sort is not None for column in self.columns)
        return True

    def _reorder(self) -> None:
        if self._pages is not None:
            self.read(self._pages)
        else:
            self._drawn.clear()
            self._arrange()
            self.refresh()
        self.post_message(self.Narrowed(self, self.filter))

    # Typing a filter

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """While one types, letters are no commands."""
        return self.typing and character is not None and character.isprintable()

    async def on_key(self, event: events.Key) -> None:
        if not self.typing:
            return
        if event.key == "enter":
            self.typing = False
            self._relabel()
        elif event.key == "escape":
            self.narrow("")
        elif event.key in ("backspace", "ctrl+h"):
            self._filtered(self.filter[:-1])
        elif event.key == "ctrl+u":
            self._filtered("")
        elif event.is_printable and event.character:
            self._filtered(self.filter + event.character)
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        if self.typing:
            event.stop()
            self._filtered(self.filter + clean(event.text.partition("\n")[0]))

    def on_blur(self) -> None:
        if self.typing:
            self.typing = False
            self._relabel()

    def _filtered(self, text: str) -> None:
        if text == self.filter:
            self._relabel()
            return
        self.filter = text
        if self._pages is None:
            self._cursor = 0
            self._drawn.clear()
            self._arrange()
            self.scroll_to(y=0, animate=False, immediate=True)
            self.refresh()
        else:
            # The pages are the server's to filter: asked for when the hand rests, not at every letter.
            self._relabel()
            self.run_worker(self._read_soon(self._pages), group="filter", exclusive=True)
        self.post_message(self.Narrowed(self, text))

    async def _read_soon(self, pages: Pages[R]) -> None:
        await asyncio.sleep(0.15 if self.typing else 0)
        self.read(pages)

    # The mouse

    def on_click(self, event: events.Click) -> None:
        line = event.get_content_offset(self)
        if line is None:
            return
        shift, top = self.scroll_offset
        if line.y == 0:
            for place in self._places:
                if (
                    place.x <= line.x + shift < place.x + place.width
                    and self.columns[place.index].sort is not None
                ):
                    self.sort_by(
                        place.index, down=not self.sort_down if place.index == self.sort_column else None
                    )
            return
        index = top + line.y - 1
        if index >= self.row_count:
            return
        if index == self._cursor and event.chain > 1:
            self.action_open()
        self._go(index)


def _order(column: Column[R], row: R, idiom: Idiom) -> tuple[bool, str | int | float]:
    """Texts and numbers are not compared with each other."""
    value = column.sort(row) if callable(column.sort) else text_of(column.cell(row, idiom))
    return isinstance(value, str), value.lower() if isinstance(value, str) else value
