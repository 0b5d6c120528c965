"""`?`: what works here, in two columns, made from the bindings themselves; and a few sentences about what one sees."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Vertical, VerticalScroll

from tui.cells import Cell, Lines, Shown, fitted, wrapped
from tui.dialog import Dialog
from tui.frame import Framed
from tui.words import described

WIDTH = 72


class Help(Dialog[None]):
    DEFAULT_CSS = """
    Help > .box { width: 78; height: auto; max-height: 100%; }
    #help-text { height: auto; max-height: 100%; scrollbar-size-vertical: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,question_mark", "leave", "frame.close", show=False),
        Binding("up,k", "scroll(-1)", "frame.scroll_up", show=False),
        Binding("down,j", "scroll(1)", "frame.scroll_down", show=False),
        Binding("pageup", "scroll(-15)", "frame.page_up", show=False),
        Binding("pagedown,space", "scroll(15)", "frame.page_down", show=False),
    ]

    def __init__(self, screen: Framed[Any]) -> None:
        super().__init__()
        self._here = screen
        self._bindings_here = screen.bindings_here()
        self._lines = Lines()

    def compose(self) -> ComposeResult:
        words = self.words
        self._box = Vertical(classes="box")
        self._box.border_title = f"{words.frame.help}: {described(words, f'frame.go_{self._here.top}')}"
        with self._box, VerticalScroll(id="help-text", can_focus=False):
            yield self._lines

    def on_mount(self) -> None:
        super().on_mount()
        self._lines.put(*self._text())

    def _text(self) -> list[Shown]:
        words = self.words
        everywhere = [one for one in self._bindings_here if one.node is self.console_app]
        here = [one for one in self._bindings_here if one.node is not self.console_app]
        lines: list[Shown] = []
        about: str = getattr(getattr(words, self._here.top, None), "about", "")
        if about:
            lines += [Cell(line) for line in wrapped(about, WIDTH)]
            lines.append("")
        for title, ones in ((words.frame.help_here, here), (words.frame.help_everywhere, everywhere)):
            if ones:
                lines.append(Cell(title, "title"))
                lines += self._columns(ones)
                lines.append("")
        lines.append(Cell(words.frame.help_closes, "dim"))
        return lines

    def _columns(self, bindings: list[ActiveBinding]) -> list[Shown]:
        half = (len(bindings) + 1) // 2
        lines: list[Shown] = []
        for left, right in zip_longest(bindings[:half], bindings[half:]):
            lines.append((*self._entry(left), *(self._entry(right) if right is not None else ())))
        return lines

    def _entry(self, one: ActiveBinding) -> tuple[Cell, ...]:
        binding = one.binding
        keys = [
            other.binding.key_display or self.console_app.get_key_display(other.binding)
            for other in self._here.active_bindings.values()
            if other.binding.action == binding.action and other.node is one.node
        ]
        key = " ".join(dict.fromkeys(keys))
        said = described(self.words, binding.description)
        return (
            *fitted(Cell(f" {key}", "accent"), max(13, cell_len(key) + 2)),
            *fitted(said, WIDTH // 2 - max(13, cell_len(key) + 2)),
        )

    def action_scroll(self, lines: int) -> None:
        self.query_one("#help-text", VerticalScroll).scroll_relative(y=lines, animate=False)
