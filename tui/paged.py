"""A table for any number of rows: a million of them cost what the visible ones cost.

    table = PagedTable(COLUMNS, key=lambda record: record.request_id, id="usage")

    table.show(rows)                 # a list at hand: filter and sort are done here
    table.read(UsagePages(feed))     # or pages that are asked for as one scrolls: filter and sort are the source's

    def on_paged_table_opened(self, event: PagedTable.Opened) -> None: ...     # enter, or a click on the row one is on
    def on_paged_table_pointed(self, event: PagedTable.Pointed) -> None: ...   # the cursor came to another row

Three things in one: a `tui.window.Window` knows which rows there are, in what order, and on which one is; a `tui.drawn.DrawnWindow` draws
it; here are the keys, the mouse and the typed filter. Columns are `tui.columns.Column`s, sources of pages `tui.rows.Pages`. `title`
stands in the border, with what narrows the table behind it; `empty` is said when there is no row at all.

The rule a newcomer would break: the filter is typed into the table itself, and while one types, no letter is a command.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.columns import Column
from tui.drawn import DrawnWindow
from tui.idiom import Idiom
from tui.keys import named
from tui.rows import Pages
from tui.text import clean

R = TypeVar("R")
Q = TypeVar("Q")


class PagedTable(DrawnWindow[R], Generic[R], can_focus=True, inherit_bindings=False):
    BINDINGS: ClassVar[list[BindingType]] = named([
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
    ])  # fmt: skip

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
    ) -> None:
        """`marks`: rows can be marked for doing something to several. `key`, `idiom`: as of any drawn window."""
        super().__init__(columns, key=key, idiom=idiom, id=id, classes=classes)
        self._with_marks = marks

    def pointed(self, row: R | None) -> None:
        self.post_message(self.Pointed(self, row))

    # Keys

    def action_move(self, rows: int) -> None:
        self._go(self.window.cursor + rows)

    def action_leaf(self, pages: int) -> None:
        self._go(self.window.cursor + pages * max(1, self._sight - 1))

    def action_first(self) -> None:
        self._go(0)

    def action_last(self) -> None:
        """Of pages: the last row known; the next page is asked for, so pressing again goes on."""
        self._go(self.row_count - 1)
        self._want(self.row_count)

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
            self.marked.symmetric_difference_update((self.window.key(row),))
            self.refresh_line(self.window.cursor + 1)
            self._relabel()
            self._go(self.window.cursor + 1)

    def action_mark_all(self) -> None:
        self.marked.update(self.window.key(row) for row in self.window.known())
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
        window = self.window
        able = [place.index for place in self._places if window.columns[place.index].sort is not None]
        if not able:
            return
        stops: list[int | None] = [None, *able]
        at = stops.index(window.sort_column) if window.sort_column in stops else 0
        self.sort_by(stops[(at + step) % len(stops)])

    def sort_by(self, column: int | None, *, down: bool | None = None) -> None:
        """`down`: None begins with the largest where numbers stand, and with the first letter elsewhere."""
        window = self.window
        window.sort_column = column
        window.sort_down = down if down is not None else column is not None and window.columns[column].right
        self._reorder()

    def action_turn(self) -> None:
        if self.window.sort_column is not None:
            self.window.sort_down = not self.window.sort_down
            self._reorder()

    def action_copy(self) -> None:
        """What the row is known by."""
        if (row := self.row) is not None:
            self.post_message(self.Copied(self.window.key(row)))

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
            return any(column.sort is not None for column in self.window.columns)
        return True

    def _reorder(self) -> None:
        if self.window.pages is not None:
            self.read(self.window.pages)
        else:
            self._drawn.clear()
            self._moved(self.window.rearrange())
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
        self.window.filter = text
        if self.window.pages is None:
            self.window.to_top()
            self._drawn.clear()
            self._moved(self.window.rearrange())
            self.scroll_to(y=0, animate=False, immediate=True)
            self.refresh()
        else:
            # The pages are the server's to filter: asked for when the hand rests, not at every letter.
            self._relabel()
            self.run_worker(self._read_soon(self.window.pages), group="filter", exclusive=True)
        self.post_message(self.Narrowed(self, text))

    async def _read_soon(self, pages: Pages[R]) -> None:
        await asyncio.sleep(0.15 if self.typing else 0)
        self.read(pages)

    # The mouse

    def on_click(self, event: events.Click) -> None:
        line = event.get_content_offset(self)
        if line is None:
            return
        window = self.window
        shift, top = self.scroll_offset
        if line.y == 0:
            for place in self._places:
                if (
                    place.x <= line.x + shift < place.x + place.width
                    and window.columns[place.index].sort is not None
                ):
                    again = place.index == window.sort_column
                    self.sort_by(place.index, down=not window.sort_down if again else None)
            return
        index = top + line.y - 1
        if index >= self.row_count:
            return
        if index == window.cursor and event.chain > 1:
            self.action_open()
        self._go(index)
