"""Taking back what was just done: a notice that says `u`, and eight seconds in which that works.

    class Keys(Undoing, Top[…]):
        BINDINGS = [UNDO, …]
        ... self.done(sentence, lambda client: client.edit_key(name, KeyEdit(enabled=True)))

For what is done at once and without a question. The next such action takes the place of the one before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

from textual.binding import Binding
from textual.timer import Timer

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient
    from tui.frame import Framed

UNDO_S = 8.0
UNDO = Binding("u", "undo", "form.undo", show=False)

Back = Callable[["AdminClient"], Awaitable[object]]


class Undoing:
    """Before `Top` or `Detail` in the bases of a screen."""

    _back: Back | None = None
    _ends: Timer | None = None

    def done(self, sentence: str, back: Back) -> None:
        """Says what was done, and keeps the way back for a while."""
        screen = cast("Framed[Any]", self)
        if self._ends is not None:
            self._ends.stop()
        self._back = back
        self._ends = screen.set_timer(UNDO_S, self._over)
        screen.notify(
            f"{sentence} {screen.words.form.undo_for.format(seconds=int(UNDO_S))}",
            markup=False,
            timeout=UNDO_S,
        )
        screen.refresh_bindings()

    def _over(self) -> None:
        self._back = None
        cast("Framed[Any]", self).refresh_bindings()

    @property
    def can_undo(self) -> bool:
        return self._back is not None

    def action_undo(self) -> None:
        if self._back is None:
            return
        screen = cast("Framed[Any]", self)
        back, self._back = self._back, None
        screen.refresh_bindings()
        screen.act(back, lambda _: screen.notify(screen.words.form.undone, markup=False))
