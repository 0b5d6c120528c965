"""Terminals without Unicode glyphs: everything drawn is turned into ASCII, one cell for one cell.

Works on the lines that are about to be sent, so no widget needs to know of it, be it ours or Textual's. The rule a newcomer would
break: only signs are turned (lines, blocks, dots, arrows). Letters stay what they are: a key named 小王 is named so here, too.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_SIGNS = {
    "●": "*", "○": "o", "◌": "o", "◐": "%", "▲": "^", "▼": "v", "△": "^", "▽": "v", "▸": ">", "▶": ">", "◀": "<", "◂": "<",
    "✓": "+", "✔": "+", "✗": "x", "✕": "x", "✖": "x", "×": "x", "⚠": "!", "→": ">", "←": "<", "↑": "^", "↓": "v", "↳": ">",
    "…": "~", "·": ".", "•": "*", "—": "-", "–": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "❚": "|", "≠": "#", "≥": ">",
    "≤": "<", "█": "#", "▉": "#", "▊": "#", "▋": "#", "▌": "#", "▍": "=", "▎": "=", "▏": "-", "▐": "#", "▁": ".", "▂": ".",
    "▃": ":", "▄": ":", "▅": "|", "▆": "|", "▇": "#", "▀": "#", "▔": "-", "▕": "|", "░": ".", "▒": ":", "▓": "#", "■": "#",
    "─": "-", "━": "-", "│": "|", "┃": "|", "┤": "|", "├": "|", "└": "+", "╰": "+", "┘": "+", "╯": "+", "┐": "+", "╮": "+",
    "┌": "+", "╭": "+", "┬": "+", "┴": "+", "┼": "+", "═": "=", "║": "|", "🔎": " ", "›": ">", "␣": "_", "⏎": "<",
}  # fmt: skip


class _Table(Mapping[int, str]):
    """For str.translate: the signs above, boxes as `+`, blocks as `#`, Braille dots by the height of the cell they fill."""

    def __getitem__(self, code: int) -> str:
        if code < 0x80:
            raise KeyError(code)
        sign = _SIGNS.get(chr(code))
        if sign is not None:
            return sign
        if 0x2500 <= code < 0x2580:
            return "+"
        if 0x2580 <= code < 0x2600 or 0x1FB00 <= code < 0x1FC00:
            return "#"
        if 0x2800 <= code < 0x2900:
            return _dots(code - 0x2800)
        raise KeyError(code)

    def __iter__(self):  # pyright: ignore[reportIncompatibleMethodOverride] - str.translate never asks
        return iter(())

    def __len__(self) -> int:
        return len(_SIGNS)


def _dots(pattern: int) -> str:
    upper, lower = pattern & 0b00011011, pattern & 0b11100100
    if upper and lower:
        return "|"
    return "'" if upper else "." if lower else " "


_TABLE = _Table()


def ascii_of(text: str) -> str:
    return text if text.isascii() else text.translate(_TABLE)


class Ascii(LineFilter):
    """Put into the application's filters when the terminal asks for ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(ascii_of(text), style, control) for text, style, control in segments]
