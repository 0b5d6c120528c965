"""Text in cells: what a place on screen shows, with its tone, fitted to a width.

Owns the smallest thing that every widget here draws. The rules a newcomer would break: text from outside becomes harmless in
`Cell` itself, so nothing that is drawn needs a second cleaning; widths are cells of the terminal, not letters (a Chinese letter
takes two); a tone is a meaning, and the theme says its colour.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from rich.cells import cell_len, get_character_cell_size, set_cell_size
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.app import App
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from tui.text import clean

Tone = Literal["plain", "good", "warn", "bad", "dim", "strong", "accent", "title", "chosen"]
"""Meaning of a text: good, warn and bad are states; dim is secondary; accent is a key or a link; chosen is where one is."""


class Cell(NamedTuple):
    """A piece of one line. `does` is an action that a click carries out: `app.top('keys')`."""

    text: str
    tone: Tone = "plain"
    does: str = ""


Shown = Cell | str | tuple[Cell, ...]
"""What a column or a line gives: a text, a toned text, or several in a row."""


def cells_of(shown: Shown) -> tuple[Cell, ...]:
    if isinstance(shown, str):
        return (Cell(shown),)
    if isinstance(shown, Cell):
        return (shown,)
    return shown


def text_of(shown: Shown) -> str:
    return "".join(cell.text for cell in cells_of(shown))


def length_of(shown: Shown) -> int:
    return sum(cell_len(cell.text) for cell in cells_of(shown))


def fitted(shown: Shown, width: int, *, right: bool = False) -> list[Cell]:
    """Exactly so many cells: filled up with blanks, or cut with `…` for a mark."""
    cells = [cell._replace(text=clean(cell.text)) for cell in cells_of(shown)]
    total = sum(cell_len(cell.text) for cell in cells)
    if total <= width:
        blank = Cell(" " * (width - total))
        return [blank, *cells] if right else [*cells, blank]
    kept: list[Cell] = []
    left = width
    for cell in cells:
        size = cell_len(cell.text)
        if size < left:
            kept.append(cell)
            left -= size
            continue
        kept.append(cell._replace(text=set_cell_size(cell.text, max(0, left - 1)) + ("…" if left else "")))
        break
    return kept


NEVER_FIRST = frozenset("。，、；：？！）》」』…,.;:?!)")
"""Signs that no line begins with."""


def wrapped(text: str, width: int) -> list[str]:
    """A sentence on as many lines as it needs; broken at blanks, beside Chinese, and anywhere in a word that is longer than a line."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, used, cut = "", 0, 0
        for letter in clean(paragraph):
            size = get_character_cell_size(letter)
            if _may_break(line, letter, size):
                cut = len(line)
            if used + size > width and line:
                if letter == " ":
                    lines.append(line.rstrip())
                    line, used, cut = "", 0, 0
                    continue
                cut = cut or len(line)
                lines.append(line[:cut].rstrip())
                line, cut = line[cut:], 0
                used = cell_len(line)
            line += letter
            used += size
        lines.append(line.rstrip())
    return lines


def _may_break(line: str, letter: str, size: int) -> bool:
    """Whether a new line may begin with this letter."""
    if not line.strip() or letter == " ":
        return False
    beside_chinese = size == 2 or get_character_cell_size(line[-1]) == 2
    return line[-1] == " " or (beside_chinese and letter not in NEVER_FIRST)


_LOOKS: dict[Tone, tuple[str, str, str]] = {
    "good": ("text-success", "ansi_green", ""),
    "warn": ("text-warning", "ansi_yellow", ""),
    "bad": ("text-error", "ansi_red", "bold"),
    "dim": ("foreground", "ansi_bright_black", ""),
    "strong": ("", "", "bold"),
    "accent": ("text-accent", "ansi_cyan", "bold"),
    "title": ("text-primary", "ansi_blue", "bold"),
    "chosen": ("", "", "bold reverse"),
}
"""The theme's variable, the colour where the terminal's own are used, and the weight."""
_STYLES: dict[tuple[str, bool], dict[Tone, Style]] = {}
"""By theme, and whether the terminal's own colours are used."""


def tones(app: App[object]) -> dict[Tone, Style]:
    """How each tone looks in the application's theme."""
    theme = (app.theme, app.native_ansi_color)
    if theme not in _STYLES:
        _STYLES[theme] = _toned(app.get_css_variables(), ansi=app.native_ansi_color)
    return _STYLES[theme]


def _toned(variables: dict[str, str], *, ansi: bool) -> dict[Tone, Style]:
    found: dict[Tone, Style] = {"plain": Style.null()}
    for tone, (variable, name, weight) in _LOOKS.items():
        colour = name if ansi else variables.get(variable, "")
        found[tone] = Style(color=Color.parse(colour).rich_color if colour else None) + Style.parse(weight)
    return found


class Toned(Widget):
    """A widget that draws cells. The rule a newcomer would break: tones are no component classes. Textual keeps a node of some kilobytes
    for every such class of every widget, and they look alike in all of them.
    """

    def strip(self, cells: Iterable[Cell], *, under: Style | None = None) -> Strip:
        """A line of the terminal. `under`: style of the whole line, below the tones."""
        styles = tones(self.app)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        segments: list[Segment] = []
        for cell in cells:
            style = styles[cell.tone]
            if under is not None:
                style = style + under
            if cell.does:
                style = style + Style.from_meta({"@click": cell.does})
            segments.append(Segment(cell.text, style))
        return Strip(segments)


class Lines(Toned):
    """A few lines of cells, drawn as they are given; each is cut at the right edge. For cards, headers and short lists."""

    DEFAULT_CSS = "Lines { height: auto; width: 1fr; }"
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - as Textual has it
        super().__init__(id=id, classes=classes)
        self._rows: list[tuple[Cell, ...]] = []

    @property
    def text(self) -> str:
        """What it was given, for tests and for the clipboard."""
        return "\n".join(text_of(row) for row in self._rows)

    def put(self, *rows: Shown) -> None:
        """Draws anew only when something changed; asks for another height only when the number of lines changed."""
        new = [cells_of(row) for row in rows]
        if new == self._rows:
            return
        longer = len(new) != len(self._rows)
        self._rows = new
        self.refresh(layout=longer)
        if longer and self.is_mounted:
            # Once more when that is done: a layout that was under way asked for the height before these rows.
            self.call_after_refresh(self.refresh, layout=True)

    def put_text(self, text: str, tone: Tone = "plain") -> None:
        """A sentence, wrapped to the width there is now."""
        self.put(*(Cell(line, tone) for line in wrapped(text, max(20, self.content_size.width or 80))))

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._rows)

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        if y >= len(self._rows):
            return Strip.blank(width, Style.null())
        return self.strip(fitted(self._rows[y], width))


def entitle(widget: Widget, text: str) -> None:
    """Puts a text into the widget's border. As rich text: a string would be read as markup."""
    widget.border_title = Text(clean(text))  # pyright: ignore[reportAttributeAccessIssue]
