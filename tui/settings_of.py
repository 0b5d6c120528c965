"""The settings of one client after the other, with the key in them: a pane with a line of clients and the text to copy."""

from __future__ import annotations

from collections.abc import Callable

from textual.strip import Strip

from laidian.admin.schema import Snippet, SnippetPart
from tui.cells import Cell, Shown, Toned, fitted
from tui.form import sentences
from tui.idiom import Idiom
from tui.words import CHINESE


class ClientSettings(Toned):
    DEFAULT_CSS = """
    ClientSettings { height: 1fr; width: 1fr; border: round $primary; padding: 0 1; }
    """

    def __init__(self, idiom: Callable[[], Idiom], secret: str) -> None:
        super().__init__()
        self.snippets: tuple[Snippet, ...] = ()
        self._idiom = idiom
        self._secret = secret
        self._at = 0
        self._part = 0
        self._problem = ""

    def on_mount(self) -> None:
        self.border_title = self._idiom().words.created.settings
        self._problem = self._idiom().words.form.sending

    def show(self, snippets: tuple[Snippet, ...]) -> None:
        self.snippets = snippets
        self._problem = "" if snippets else self._idiom().words.created.settings_none
        self._at = self._part = 0
        self.refresh()

    def said(self, sentence: str) -> None:
        """Why there are none."""
        self._problem = sentence
        self.refresh()

    def choose(self, step: int) -> None:
        if self.snippets:
            self._at = (self._at + step) % len(self.snippets)
            self._part = 0
            self.refresh()

    def choose_part(self, step: int) -> None:
        if self.snippets:
            self._part = (self._part + step) % len(self.snippets[self._at].parts)
            self.refresh()

    @property
    def client(self) -> str:
        return self.snippets[self._at].title if self.snippets else ""

    @property
    def part(self) -> SnippetPart | None:
        return self.snippets[self._at].parts[self._part] if self.snippets else None

    @property
    def text(self) -> str:
        """With the key in it: what is copied."""
        return "" if self.part is None else self.part.text.replace("{key}", self._secret)

    def render_line(self, y: int) -> Strip:
        lines = self._lines()
        if y >= len(lines):
            return Strip.blank(self.content_size.width)
        return self.strip(fitted(lines[y], self.content_size.width))

    def _lines(self) -> list[Shown]:
        width = max(20, self.content_size.width)
        if self._problem:
            return sentences((Cell(self._problem, "dim"),), width)
        snippet, part = self.snippets[self._at], self.part
        assert part is not None
        words = self._idiom().words
        says = snippet.says_zh if words is CHINESE else snippet.says
        place = part.place
        if len(snippet.parts) > 1:
            place = words.created.part_of.format(
                place=part.place, number=self._part + 1, count=len(snippet.parts)
            )
        # A text is copied as it is; here its long lines go on below, so that nothing of it is out of sight.
        return [
            self._clients(width),
            Cell("─" * width, "dim"),
            Cell(place, "title"),
            *sentences((Cell(says, "dim"),), width),
            "",
            *sentences(self.text.splitlines(), width),
        ]

    def _clients(self, width: int) -> Shown:
        """The line of clients, moved so that the chosen one is in sight."""
        cells: list[Cell] = []
        names = [one.title for one in self.snippets]
        start = 0
        while start < self._at and sum(len(name) + 2 for name in names[start : self._at + 1]) > width - 4:
            start += 1
        if start:
            cells.append(Cell("‹ ", "dim"))
        for index in range(start, len(names)):
            cells += [Cell(names[index], "chosen" if index == self._at else "plain"), Cell("  ")]
        return tuple(cells)
