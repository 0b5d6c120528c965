"""A chart of columns of which one can be chosen: left and right go, enter says which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from tui.chart import Chart


class Columns(Chart, can_focus=True):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "point(-1)", "usage.column_before", show=False),
        Binding("right,l", "point(1)", "usage.column_after", show=False),
        Binding("enter", "choose", "usage.narrow_to"),
    ]

    class Chosen(Message):
        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as Textual has it
        super().__init__(id=id)
        self.label: Callable[[float], str] = str
        self.pointed: int | None = None
        self._values: tuple[float, ...] = ()
        self._first = self._last = ""

    def show(self, values: Sequence[float], first: str, last: str) -> None:
        """`first` and `last` say where the time begins and ends."""
        self._values, self._first, self._last = tuple(values), first, last
        if self.pointed is not None and self.pointed >= len(values):
            self.pointed = None
        self._plot()

    def _plot(self) -> None:
        pointed = self.pointed if self.has_focus else None
        value = "" if pointed is None else self.label(self._values[pointed])
        last = f"{value}   {self._last}" if value else self._last
        self.plot(
            self._values, kind="columns", label=self.label, left=self._first, right=last, chosen=pointed
        )

    def on_focus(self) -> None:
        if self.pointed is None and self._values:
            self.pointed = len(self._values) - 1
        self._plot()

    def on_blur(self) -> None:
        self._plot()

    def action_point(self, columns: int) -> None:
        if self._values:
            at = len(self._values) if self.pointed is None else self.pointed
            self.pointed = max(0, min(len(self._values) - 1, at + columns))
            self._plot()

    def action_choose(self) -> None:
        if self.pointed is not None:
            self.post_message(self.Chosen(self.pointed))
