"""Questions before something is done: what will happen, and either one key or the name typed.

    self.app.push_screen(Sure(title, lines, verb), then)                      # enter does it
    self.app.push_screen(TypeName(title, lines, "alice-mac", verb), then)     # the name has to be typed first

Both give True when it is to be done. The rule a newcomer would break: what cannot be taken back asks for the name, and its lines
say what goes and what stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input

from tui.cells import Cell, Lines, Shown
from tui.dialog import Dialog
from tui.form import Typed, sentences, titled


class Sure(Dialog[bool]):
    """`verb` is what happens, on its own line above the keys."""

    DEFAULT_CSS = """
    Sure .question-text { height: auto; max-height: 100%; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y", "do", "form.do", key_display="enter"),
    ]

    def __init__(self, title: str, lines: Sequence[Shown]) -> None:
        super().__init__()
        self._title = title
        self._text = lines

    def compose(self) -> ComposeResult:
        with titled(Vertical(classes="box"), self._title):
            with VerticalScroll(classes="question-text", can_focus=False):
                lines = Lines()
                lines.put(*sentences(self._text))
                yield lines
            yield from self.more()
            yield self.last_line

    def more(self) -> ComposeResult:
        """What stands between the text and the keys."""
        yield from ()

    def action_do(self) -> None:
        self.dismiss(True)


class Told(Sure):
    """Says why something cannot be done, or what would be; there is nothing to decide."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "leave", "frame.close", show=False)]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "do"


class TypeName(Sure):
    """Does it when the name was typed, letter by letter, and enter pressed."""

    DEFAULT_CSS = """
    TypeName .question-ask { margin-top: 1; }
    """
    # The letter that says yes elsewhere may be part of the name.
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "do", "form.do")]

    def __init__(self, title: str, lines: Sequence[Shown], name: str) -> None:
        super().__init__(title, lines)
        self.name_to_type = name
        self._ask = Lines(classes="question-ask")
        self._typed = Typed(id="typed-name")

    def more(self) -> ComposeResult:
        self._ask.put(Cell(self.words.form.type_name.format(name=self.name_to_type)))
        yield self._ask
        yield self._typed

    def on_mount(self) -> None:
        super().on_mount()
        self._typed.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_do()

    def action_do(self) -> None:
        if self._typed.value.strip() == self.name_to_type:
            self.dismiss(True)
        else:
            self._ask.put(Cell(self.words.form.not_the_name.format(name=self.name_to_type), "bad"))
