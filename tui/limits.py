"""A limit in one line: how much of it is gone, as a bar and in money, what is left, and when it begins again."""

from __future__ import annotations

from laidian.admin.schema import QuotaWindow
from tui.cells import Cell, fitted
from tui.chart import bar
from tui.idiom import Idiom
from tui.text import short_dollars

TITLE = 14
"""Cells of what the limit is called."""
BAR = 8
"""Of the bar: with it a window's line ends within 80 columns."""


def limit_line(idiom: Idiom, title: str, spent: str, limit: str, left: str | None) -> tuple[Cell, ...]:
    """`Own limit     █████···  $6.13 of $10.00  $3.87 left`."""
    words = idiom.words.keys
    share = float(spent) / float(limit) if float(limit) else 1.0
    said = words.of_limit.format(spent=short_dollars(spent), limit=short_dollars(limit))
    more = "" if left is None else words.left.format(left=short_dollars(left))
    return (
        *fitted(Cell(title), TITLE),
        Cell(bar(share, BAR), "warn" if share >= 0.9 else "good"),
        Cell(f"  {said}  "),
        Cell(more, "strong"),
    )


def window_line(idiom: Idiom, window: QuotaWindow) -> tuple[Cell, ...]:
    """Of a plan, with the time until it begins again."""
    title = f"  {window_name(idiom, window.kind)}"
    line = limit_line(idiom, title, window.spent_usd, window.limit_usd, window.left_usd)
    if window.resets_at is None:
        return line
    return (*line, Cell(f"  {idiom.words.keys.resets.format(time=idiom.until(window.resets_at))}", "dim"))


def window_name(idiom: Idiom, kind: str) -> str:
    word: str = getattr(idiom.words.quotas, f"window_{kind}", kind)
    return word
