"""ctrl+o: a letter on every pane and every tab; pressing it goes there."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget

from tui.cells import Cell, Lines
from tui.dialog import Dialog
from tui.frame import focusables

LETTERS = "asdfghjkl"
"""Of panes, from the home row; tabs have their own digits already."""


class Letter(Lines):
    DEFAULT_CSS = "Letter { position: absolute; width: 5; height: 1; background: $accent; color: $text; }"


class Jump(Dialog[None], inherit_bindings=False):
    DEFAULT_CSS = """
    Jump { align: left top; background: $background 40%; }
    Jump > #jump-prompt { dock: bottom; height: 1; width: 1fr; background: $accent; color: $text; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+o", "leave", "frame.close", key_display="esc")
    ]

    def __init__(self, screen: Screen[Any]) -> None:
        super().__init__()
        self._targets: dict[str, Widget] = dict(zip(LETTERS, focusables(screen), strict=False))

    def compose(self) -> ComposeResult:
        for letter, widget in self._targets.items():
            label = Letter()
            label.put(Cell(f"  {letter}  ", "strong"))
            label.styles.offset = (widget.region.x + 2, widget.region.y)
            yield label
        prompt = Lines(id="jump-prompt")
        prompt.put(Cell(self.words.frame.jump_prompt))
        yield prompt

    def on_key(self, event: events.Key) -> None:
        widget = self._targets.get(event.key)
        if widget is not None:
            event.stop()
            self.dismiss(None)
            widget.focus()
        elif event.key.isdigit() and len(event.key) == 1:
            event.stop()
            self.dismiss(None)
            self.console_app.simulate_key(event.key)
