"""A test request through the whole relay path, and what came of it: tokens, cost and time, or the gate that was closed."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from laidian.admin.schema import Trial, TrialOutcome
from tui.cells import Cell, Lines, Shown
from tui.dialog import Dialog
from tui.feed import Refused
from tui.form import sentences, titled
from tui.text import count, dollars, milliseconds
from tui.words import Words


class Tried(Dialog[TrialOutcome]):
    """Gives back what came of it, once it has come."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "again", "created.again"),
        Binding("enter", "leave", "frame.close", show=False),
    ]

    def __init__(self, name: str, trial: Trial) -> None:
        """`name`: of the key, or of what else is tested."""
        super().__init__()
        self.outcome: TrialOutcome | None = None
        self._name = name
        self._trial = trial
        self._lines = Lines()

    def compose(self) -> ComposeResult:
        with titled(Vertical(classes="box"), self.words.created.test_title.format(name=self._name)):
            yield self._lines
            yield self.last_line

    def on_mount(self) -> None:
        super().on_mount()
        self.action_again()

    def action_again(self) -> None:
        self._lines.put(Cell(self.words.created.testing.format(model=self._trial.model), "dim"))
        self.run_worker(self._ask(), exclusive=True)

    async def _ask(self) -> None:
        try:
            outcome = await self.console_app.feed.change(lambda client: client.test(self._trial))
        except Refused as refused:
            self._lines.put(*sentences((Cell(refused.message, "bad"),)))
        else:
            self.outcome = outcome
            self._lines.put(*outcome_lines(self.words, outcome))

    def action_leave(self) -> None:
        self.dismiss(self.outcome)


def outcome_lines(words: Words, outcome: TrialOutcome) -> list[Shown]:
    own = words.created
    lines: list[Shown] = []
    if outcome.ok:
        said = own.test_ok.format(model=outcome.model, upstream=outcome.upstream)
        first = "-" if outcome.first_byte_ms is None else milliseconds(outcome.first_byte_ms)
        lines += [
            (Cell("✓ ", "good"), Cell(f"{outcome.status}  ", "good"), Cell(said)),
            own.test_tokens.format(
                input=count(outcome.input_tokens),
                output=count(outcome.output_tokens),
                cost=dollars(outcome.cost_usd),
            ),
            own.test_times.format(first=first, total=milliseconds(outcome.duration_ms)),
        ]
    else:
        said = own.test_refused.format(model=outcome.model)
        lines += [
            (Cell("✕ ", "bad"), Cell(f"{outcome.status}  {outcome.code}  ", "bad"), Cell(said)),
            *sentences((outcome.message,)),
        ]
    if outcome.request_id:
        lines.append(Cell(own.test_request.format(id=outcome.request_id), "dim"))
    return lines
