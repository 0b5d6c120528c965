"""What lies on a screen: a box in the middle, which takes all keys until it is closed.

The base of help, palette, forms and questions. Bindings are written as everywhere (`"section.word"`); the box's last line shows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from tui.cells import Cell, Lines
from tui.frame import when_bindings_change
from tui.idiom import Idiom
from tui.words import Words, described

if TYPE_CHECKING:
    from tui.app import LaiDianApp

R = TypeVar("R")


class Dialog(ModalScreen[R], inherit_bindings=False):
    """`R` is what it gives back; None when it was left with esc."""

    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog > .box {
        width: 76; max-width: 100%; height: auto; max-height: 100%; background: $surface; border: round $accent; padding: 0 1;
    }
    Dialog > .box > .dialog-keys { height: 1; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "frame.close", key_display="esc"),
        Binding("tab", "app.focus_next", "frame.next_pane", show=False),
        Binding("shift+tab", "app.focus_previous", "frame.previous_pane", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.last_line = Lines(classes="dialog-keys")

    @property
    def console_app(self) -> LaiDianApp:
        return cast("LaiDianApp", self.app)  # pyright: ignore[reportUnknownMemberType]

    @property
    def words(self) -> Words:
        return self.console_app.words

    def idiom(self) -> Idiom:
        return self.console_app.idiom()

    def on_mount(self) -> None:
        self.draw_keys()
        when_bindings_change(self, self.draw_keys)

    def draw_keys(self) -> None:
        cells: list[Cell] = []
        seen: set[str] = set()
        for one in self.active_bindings.values():
            binding = one.binding
            if not binding.show or not binding.description or not one.enabled or binding.action in seen:
                continue
            seen.add(binding.action)
            does = f"app.simulate_key('{binding.key}')"
            key = binding.key_display or self.console_app.get_key_display(binding)
            cells += [
                Cell(f" {key} ", "accent", does),
                Cell(f"{described(self.words, binding.description)} ", "plain", does),
            ]
        self.last_line.put(tuple(cells))

    def action_leave(self) -> None:
        self.dismiss(None)
