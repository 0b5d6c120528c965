"""Choosing several from a list: space marks, enter takes what is marked; typing `/` narrows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from tui.cells import Cell
from tui.columns import Column
from tui.dialog import Dialog
from tui.form import titled
from tui.idiom import Idiom
from tui.paged import PagedTable

Choice = tuple[str, str]
"""What is chosen, and what is said of it."""


class Pick(Dialog[tuple[str, ...]]):
    """Gives back what is marked, in the list's order; without any mark the row under the cursor, where `or_this`."""

    DEFAULT_CSS = """
    Pick > .box { height: 80%; max-height: 26; }
    Pick PagedTable { border: none; height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "table.mark", priority=True),
        # Before the table's own, which would take the marks away first.
        Binding("escape", "leave", "frame.close", key_display="esc", priority=True),
        Binding("enter,ctrl+s", "take", "form.do", key_display="⏎", priority=True),
    ]

    def __init__(
        self, title: str, choices: Sequence[Choice], *, marked: Iterable[str] = (), or_this: bool = False
    ) -> None:
        super().__init__()
        self._title = title
        self._choices = choices
        self._or_this = or_this
        self.table: PagedTable[Choice] = PagedTable(
            (
                Column("name", lambda w: w.table.name, _box(self), width=24, grow=2, most=44),
                Column("about", lambda _: "", lambda one, _: Cell(one[1], "dim"), width=12, grow=1, most=40),
            ),
            key=lambda one: one[0],
            idiom=self.idiom,
            marks=True,
        )
        self.table.marked.update(marked)

    def compose(self) -> ComposeResult:
        with titled(Vertical(classes="box"), self._title):
            yield self.table
            yield self.last_line

    def on_mount(self) -> None:
        super().on_mount()
        self.table.show(list(self._choices))
        self.table.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # While a filter is typed, a blank and enter belong to it.
        return not self.table.typing if action in ("mark", "take") else True

    def action_leave(self) -> None:
        """The filter first; what is marked stays."""
        if self.table.typing or self.table.filter:
            self.table.narrow("")
        else:
            super().action_leave()

    def action_mark(self) -> None:
        self.table.action_mark()

    def action_take(self) -> None:
        chosen = tuple(name for name, _ in self._choices if name in self.table.marked)
        if not chosen and self._or_this and self.table.row is not None:
            chosen = (self.table.row[0],)
        self.dismiss(chosen)


def _box(pick: Pick):
    def cell(one: Choice, _: Idiom) -> tuple[Cell, ...]:
        marked = one[0] in pick.table.marked
        return (Cell("✓ " if marked else "· ", "good" if marked else "dim"), Cell(one[0]))

    return cell
