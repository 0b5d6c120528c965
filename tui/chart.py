"""Charts out of letters: bars, sparklines, columns and Braille lines. Pure functions, and one widget that frames them with axes.

    bar(0.62, 10)                          '██████▏···'
    sparkline([1, 4, 2, None, 8], 5)       '▁▄▂ █'
    columns([1, 4, 2, 8], width=8, height=2)
    line([[1.0, 2.0, 4.0]], width=20, height=5)

    chart = Chart(id="spend")
    chart.plot(values, kind="columns", label=short_dollars, left="07:00", right="now")

The rules a newcomer would break: None is "no value" and is left blank, which is not the same as zero; everything here is one cell
wide a letter, and `tui.ascii` knows a sign for each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from rich.cells import cell_len
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip

from tui.cells import Cell, Toned, fitted

Value = float | None
EIGHTHS_UP = " ▁▂▃▄▅▆▇█"
EIGHTHS_RIGHT = " ▏▎▍▌▋▊▉█"
REST = "·"
"""What a bar has not reached."""
MISSED = "✕"
"""A value of `float("nan")` in a sparkline: it was tried, and failed."""
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a Braille letter, from the top row down, left and right."""


def bar(share: float, width: int) -> str:
    """`share` from 0 to 1; more is full."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    full, part = divmod(eighths, 8)
    if share > 0 and eighths == 0:
        part = 1
    text = "█" * full + (EIGHTHS_RIGHT[part] if part else "")
    return text + REST * (width - len(text))


def shares(parts: Sequence[float], width: int) -> list[int]:
    """Cells for each part, `width` in all; what is not nothing gets one at least, as long as there are enough."""
    total = sum(parts)
    if total <= 0:
        return [0 for _ in parts]
    exact = [part / total * width for part in parts]
    cells = [max(1, int(size)) if size > 0 else 0 for size in exact]
    while sum(cells) > width and max(cells) > 1:
        cells[cells.index(max(cells))] -= 1
    order = sorted(range(len(parts)), key=lambda index: exact[index] - cells[index], reverse=True)
    for index in order:
        if sum(cells) >= width:
            break
        cells[index] += 1
    return cells


def gathered(values: Sequence[Value], width: int, how: Literal["sum", "mean", "max"] = "mean") -> list[Value]:
    """The values on so many places: neighbours put together where there are too many, none stretched where there are few."""
    if len(values) <= width:
        return list(values)
    found: list[Value] = []
    for place in range(width):
        part = values[place * len(values) // width : (place + 1) * len(values) // width]
        known = [value for value in part if value is not None]
        if not known:
            found.append(None)
        elif how == "max":
            found.append(max(known))
        else:
            found.append(sum(known) / (1 if how == "sum" else len(known)))
    return found


def sparkline(values: Sequence[Value], width: int, *, least: float = 0.0, most: float | None = None) -> str:
    """The newest at the right; filled with blanks at the left. `most`: of the scale, where several lines share one."""
    shown = gathered(values, width)
    top = most if most is not None else max((value for value in shown if _real(value)), default=0.0)  # pyright: ignore[reportArgumentType]
    letters: list[str] = []
    for value in shown:
        if value is None:
            letters.append(" ")
        elif value != value:
            letters.append(MISSED)
        elif top <= least:
            letters.append(EIGHTHS_UP[1])
        else:
            share = (value - least) / (top - least)
            letters.append(EIGHTHS_UP[1 + round(max(0.0, min(1.0, share)) * 7)])
    return "".join(letters).rjust(width)


def _real(value: Value) -> bool:
    return value is not None and value == value


def columns(values: Sequence[Value], *, width: int, height: int, most: float | None = None) -> list[str]:
    """A column a value, from the top line down; each is as wide as there is room for all, with a gap from 3 cells on."""
    if not values or width <= 0:
        return [" " * width] * height
    shown = gathered(values, width, "sum")
    edges = column_edges(len(shown), width)
    top = most if most is not None else max((value for value in shown if _real(value)), default=0.0)  # pyright: ignore[reportArgumentType]
    lines: list[str] = []
    for row in range(height):
        below = (height - 1 - row) * 8
        letters: list[str] = []
        for start, end, value in zip(edges, edges[1:], shown, strict=False):
            body = end - start - 1 if end - start >= 3 else end - start
            eighths = (
                0 if not value or not _real(value) or top <= 0 else max(1, round(value / top * height * 8))
            )
            letters.append((EIGHTHS_UP[max(0, min(8, eighths - below))] * body).ljust(end - start))
        lines.append("".join(letters).ljust(width)[:width])
    return lines


def column_edges(columns: int, width: int) -> list[int]:
    """Where each of so many columns begins, and where the last one ends: the whole width, shared out evenly."""
    return [index * width // columns for index in range(columns + 1)]


def line(
    series: Sequence[Sequence[Value]],
    *,
    width: int,
    height: int,
    least: float = 0.0,
    most: float | None = None,
) -> list[str]:
    """Braille: every series drawn with 2 x 4 dots a cell, from the top line down. A gap where a value is missing."""
    dots = [[0] * width for _ in range(height)]
    known = [value for one in series for value in one if value is not None and _real(value)]
    top = most if most is not None else max(known, default=0.0)
    span = (top - least) or 1.0
    rows = height * 4 - 1
    for one in series:
        before: tuple[int, int] | None = None
        for index, value in enumerate(gathered(one, width * 2)):
            if value is None or not _real(value):
                before = None
                continue
            places = max(1, len(one) - 1) if len(one) <= width * 2 else width * 2 - 1
            x = round(index * (width * 2 - 1) / places) if places else 0
            y = round((1 - max(0.0, min(1.0, (value - least) / span))) * rows)
            for dot in _between(before, (x, y)):
                _set(dots, *dot)
            before = (x, y)
    return ["".join(chr(0x2800 + bits) if bits else " " for bits in row) for row in dots]


def _between(start: tuple[int, int] | None, end: tuple[int, int]) -> list[tuple[int, int]]:
    """The dots of a straight stroke, its start left out."""
    if start is None:
        return [end]
    (x0, y0), (x1, y1) = start, end
    steps = max(abs(x1 - x0), abs(y1 - y0), 1)
    return [
        (x0 + round((x1 - x0) * step / steps), y0 + round((y1 - y0) * step / steps))
        for step in range(1, steps + 1)
    ]


def _set(dots: list[list[int]], x: int, y: int) -> None:
    if 0 <= y // 4 < len(dots) and 0 <= x // 2 < len(dots[0]):
        dots[y // 4][x // 2] |= _DOTS[y % 4][x % 2]


class Chart(Toned):
    """Values with a scale on the left and a line of text below. Draws nothing but its axes until `plot` was called."""

    DEFAULT_CSS = "Chart { height: 1fr; width: 1fr; min-height: 3; }"
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - as Textual has it
        super().__init__(id=id, classes=classes)
        self._series: tuple[tuple[Value, ...], ...] = ()
        self._kind: Literal["columns", "line"] = "columns"
        self._label: Callable[[float], str] = str
        self._ends = ("", "")
        self._chosen: int | None = None
        self._lines: list[list[Cell]] | None = None
        self._size_drawn = Size(0, 0)

    def plot(
        self,
        *series: Sequence[Value],
        kind: Literal["columns", "line"] = "columns",
        label: Callable[[float], str],
        left: str = "",
        right: str = "",
        chosen: int | None = None,
    ) -> None:
        """`label` writes a value of the scale; `left` and `right` say where the time begins and ends; `chosen` is a column to point at."""
        new = (tuple(tuple(one) for one in series), kind, label, (left, right), chosen)
        if new == (self._series, self._kind, self._label, self._ends, self._chosen):
            return
        self._series, self._kind, self._label, self._ends, self._chosen = new
        self._lines = None
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._lines = None

    def render_line(self, y: int) -> Strip:
        if self._lines is None or self._size_drawn != self.content_size:
            # Asked here and not told by an event: the first line may be wanted before the event came.
            self._size_drawn = self.content_size
            self._lines = self._drawn(self.content_size.width, self.content_size.height)
        if y >= len(self._lines):
            return Strip.blank(self.content_size.width, Style.null())
        return self.strip(fitted(tuple(self._lines[y]), self.content_size.width))

    def _drawn(self, width: int, height: int) -> list[list[Cell]]:
        known = [value for one in self._series for value in one if value is not None and _real(value)]
        top = max(known, default=0.0)
        plot_height = max(1, height - 1)
        marks = (
            {0: self._label(top), plot_height - 1: self._label(0.0)}
            if top
            else {plot_height - 1: self._label(0.0)}
        )
        if top and plot_height >= 5:
            marks[plot_height // 2] = self._label(top * (1 - (plot_height // 2 + 0.5) / plot_height))
        # As wide as most amounts and times are, so that the axis does not move with the numbers.
        side = max(7, *(len(text) for text in marks.values())) + 1
        inner = max(1, width - side - 1)
        if self._kind == "columns":
            values = self._series[0] if self._series else ()
            drawn = columns(values, width=inner, height=plot_height, most=top or None)
        else:
            drawn = line(self._series, width=inner, height=plot_height, most=top or None)
        lines = [
            [
                Cell(marks.get(row, "").rjust(side - 1) + " ", "dim"),
                Cell("┤" if row in marks else "│", "dim"),
                *self._toned(text),
            ]
            for row, text in enumerate(drawn)
        ]
        left, right = self._ends
        lines.append(
            [
                Cell(" " * side + "└" + left, "dim"),
                Cell(" " * max(1, inner - cell_len(left) - cell_len(right))),
                Cell(right, "dim"),
            ]
        )
        return lines

    def _toned(self, text: str) -> list[Cell]:
        """One line of the plot, with the chosen column in another tone."""
        if self._chosen is None or self._kind != "columns" or not self._series or not self._series[0]:
            return [Cell(text, "accent")]
        edges = column_edges(min(len(self._series[0]), len(text)), len(text))
        if self._chosen + 1 >= len(edges):
            return [Cell(text, "accent")]
        start, end = edges[self._chosen], edges[self._chosen + 1]
        return [Cell(text[:start], "accent"), Cell(text[start:end], "warn"), Cell(text[end:], "accent")]
