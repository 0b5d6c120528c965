"""A QR code over the whole terminal: black on white, whatever the theme."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widget import Widget

from tui.cells import Cell, Lines
from tui.dialog import Dialog
from tui.form import sentences
from tui.qr import MARGIN, Squares, half_blocks, squares, whole_blocks, with_margin

_INK = Style(color="#000000", bgcolor="#ffffff")


class _Picture(Widget):
    DEFAULT_CSS = "_Picture { width: auto; height: auto; }"
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []

    def put(self, lines: list[str]) -> None:
        self._lines = lines
        self.display = bool(lines)
        self.refresh(layout=True)

    def get_content_width(self, container: object, viewport: object) -> int:
        return len(self._lines[0]) if self._lines else 0

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        return Strip([Segment(self._lines[y], _INK)])


class QrCode(Dialog[None]):
    DEFAULT_CSS = """
    QrCode { align: center top; background: $surface; }
    QrCode > #qr-title { height: 1; width: 1fr; }
    QrCode > #qr-said { margin-top: 1; padding: 0 1; }
    QrCode > .dialog-keys { dock: bottom; height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("Q,enter", "leave", "frame.close", show=False)]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._drawn = _Picture()
        self._said = Lines(id="qr-said")

    def compose(self) -> ComposeResult:
        title = Lines(id="qr-title")
        title.put(Cell(f" {self._title}", "title"))
        yield title
        yield self._drawn
        yield self._said
        yield self.last_line

    def on_resize(self, _: events.Resize) -> None:
        """Whoever is told to enlarge the terminal sees it as soon as there is room."""
        lines, sentence = self._picture()
        self._drawn.put(lines)
        self._said.put(*sentences((Cell(sentence, "warn"),), 76))
        self._said.display = not lines

    def _picture(self) -> tuple[list[str], str]:
        """As large a margin as there is room for; half of it is enough for most readers. Otherwise a sentence that says why not."""
        words = self.words.created
        try:
            code = squares(self._text)
        except ValueError:
            return [], words.qr_too_long
        width, height = self.console_app.size
        needed = (0, 0)
        for margin in (MARGIN, MARGIN // 2):
            lines = self._letters(with_margin(code, margin))
            needed = (len(lines[0]), len(lines) + 2)
            if needed[0] <= width and needed[1] <= height:
                return lines, ""
        return [], words.qr_too_small.format(
            width=needed[0], height=needed[1], has_width=width, has_height=height
        )

    def _letters(self, code: Squares) -> list[str]:
        return whole_blocks(code) if self.console_app.ascii_only else half_blocks(code)
