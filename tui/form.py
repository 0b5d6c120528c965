"""Forms: labelled fields in a box, sent to the server as one action.

    Form(title, (Field("name", words.name), Field("group", words.group, choices=names)), send)

`send` makes the server's call from what was typed; it raises `Wrong` for what it can tell itself. The rules a newcomer would break: a
refused form stays open with all that was typed, the server's sentence in it and the cursor where the fault is; and what is typed into a
secret field is never drawn, never kept, and goes into the one call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from tui.cells import Cell, Lines, Shown, Toned, fitted, wrapped
from tui.dialog import Dialog
from tui.feed import Refused
from tui.text import clean

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

T = TypeVar("T")
LABEL = 20
"""Cells of the labels' column."""
WIDTH = 70
"""Of the text in a box."""


class Wrong(Exception):
    """What was typed cannot be sent; its text is a sentence for the operator."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class Field:
    """One line of a form. With `choices` (value and label) one of them is chosen, otherwise text is typed."""

    __slots__ = ("choices", "hint", "label", "name", "secret", "value")

    def __init__(
        self,
        name: str,
        label: str,
        *,
        value: str = "",
        hint: str = "",
        choices: Sequence[tuple[str, str]] = (),
        secret: bool = False,
    ) -> None:
        self.name = name
        """Of the value that is sent; the server's `param` finds it."""
        self.label = label
        self.value = value
        self.hint = hint
        """Shown while the cursor is in it."""
        self.choices = tuple(choices)
        self.secret = secret


Send = Callable[["AdminClient", Mapping[str, str]], Awaitable[T]]


class Typed(Input):
    """A line to type into, without a border."""

    DEFAULT_CSS = """
    Typed { border: none; height: 1; padding: 0; width: 1fr; background: $boost; }
    Typed:focus { border: none; background: $primary 40%; }
    Typed:ansi:focus { background: ansi_default; text-style: underline; }
    """


class Choice(Toned, can_focus=True):
    """One of a few values: left and right change it, a letter goes to the next one that begins with it."""

    DEFAULT_CSS = """
    Choice { height: 1; width: 1fr; }
    Choice:focus { background: $primary 40%; }
    Choice:ansi:focus { background: ansi_default; text-style: underline; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "turn(-1)", "form.previous", show=False),
        Binding("right,space", "turn(1)", "form.next", key_display="→"),
    ]

    class Changed(Message):
        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

    def __init__(self, choices: Sequence[tuple[str, str]], value: str, *, id: str) -> None:  # noqa: A002 - as Textual has it
        super().__init__(id=id)
        self.choices = tuple(choices)
        values = [one for one, _ in self.choices]
        self.at = values.index(value) if value in values else 0

    @property
    def value(self) -> str:
        return self.choices[self.at][0]

    def choose(self, at: int) -> None:
        if at != self.at:
            self.at = at
            self.refresh()
            self.post_message(self.Changed(self))

    def action_turn(self, step: int) -> None:
        self.choose((self.at + step) % len(self.choices))

    def on_key(self, event: events.Key) -> None:
        letter = (event.character or "").lower()
        if not letter.isalnum():
            return
        for step in range(1, len(self.choices) + 1):
            at = (self.at + step) % len(self.choices)
            if self.choices[at][1].lower().startswith(letter):
                event.stop()
                self.choose(at)
                return

    def on_click(self) -> None:
        self.action_turn(1)

    def render_line(self, y: int) -> Strip:
        where = f"  {self.at + 1}/{len(self.choices)}" if len(self.choices) > 1 else ""
        cells = (
            Cell("◂ ", "accent"),
            Cell(self.choices[self.at][1]),
            Cell(" ▸", "accent"),
            Cell(where, "dim"),
        )
        return self.strip(fitted(cells, self.content_size.width))


class Form(Dialog[T]):
    """Gives back the server's answer; None when it was left."""

    DEFAULT_CSS = """
    Form .form-fields { height: auto; max-height: 100%; scrollbar-size-vertical: 1; }
    Form .form-row { height: 1; width: 1fr; }
    Form .form-label { width: 20; }
    Form .form-said { margin-top: 1; min-height: 2; }
    Form .form-above { margin-bottom: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "send", "form.send", key_display="ctrl+s"),
        Binding("enter", "send", "form.send", show=False),
        Binding("down", "app.focus_next", "frame.next_pane", show=False),
        Binding("up", "app.focus_previous", "frame.previous_pane", show=False),
    ]

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        send: Send[T],
        *,
        above: Sequence[Shown] = (),
        focus: str = "",
    ) -> None:
        """`above`: lines before the fields, such as what is going to happen. `focus`: the field to begin in."""
        super().__init__()
        self._title = title
        self._fields = tuple(fields)
        self._send = send
        self._above = tuple(above)
        self.hints = {field.name: field.hint for field in fields}
        """Of each field; may become another one with what is chosen."""
        self._begin = focus or (fields[0].name if fields else "")
        self._said = Lines(classes="form-said")
        self._problem = ""
        """Why it was refused, until something else is typed."""
        self.sending = False

    def compose(self) -> ComposeResult:
        with titled(Vertical(classes="box"), self._title):
            if self._above:
                above = Lines(classes="form-above")
                above.put(*sentences(self._above))
                yield above
            with VerticalScroll(classes="form-fields", can_focus=False):
                for field in self._fields:
                    yield self._row(field)
            yield self._said
            yield self.last_line

    def _row(self, field: Field) -> Horizontal:
        label = Lines(classes="form-label")
        label.put(fitted_label(field.label))
        entry: Widget
        if field.choices:
            entry = Choice(field.choices, field.value, id=f"field-{field.name}")
        else:
            entry = Typed(field.value, password=field.secret, select_on_focus=False, id=f"field-{field.name}")
        return Horizontal(label, entry, classes="form-row", id=f"row-{field.name}")

    def on_mount(self) -> None:
        super().on_mount()
        if self._begin:
            self.query_one(f"#field-{self._begin}").focus()

    def entry(self, name: str) -> Typed | Choice:
        found = self.query_one(f"#field-{name}")
        assert isinstance(found, Typed | Choice)
        return found

    @property
    def values(self) -> dict[str, str]:
        """What stands in the fields, without blanks around it."""
        return {field.name: self.entry(field.name).value.strip() for field in self._fields}

    def put(self, name: str, value: str) -> None:
        """Fills a field in, as if it had been typed."""
        entry = self.entry(name)
        if isinstance(entry, Typed):
            entry.value = value
        else:
            entry.choose([one for one, _ in entry.choices].index(value))

    def on_descendant_focus(self, _: events.DescendantFocus) -> None:
        self._hint()

    def on_input_changed(self, _: Input.Changed) -> None:
        self._forgive()

    def on_choice_changed(self, _: Choice.Changed) -> None:
        self._forgive()

    def _forgive(self) -> None:
        if self._problem and not self.sending:
            self._problem = ""
            self._hint()

    def _hint(self) -> None:
        """What the field says of itself; a refusal stays in its place until something was changed."""
        if self._problem:
            return
        name = ((self.focused and self.focused.id) or "").removeprefix("field-")
        self.say(self.hints.get(name, ""))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_send()

    def say(self, sentence: str, *, bad: bool = False) -> None:
        width = max(30, self._said.content_size.width or 70)
        self._said.put(*(Cell(line, "bad" if bad else "dim") for line in wrapped(sentence, width)))

    def action_send(self) -> None:
        if not self.sending:
            self.sending = True
            self._problem = ""
            self.say(self.words.form.sending)
            self.run_worker(self._sent(), exclusive=True, exit_on_error=True)

    async def _sent(self) -> None:
        values = self.values
        try:
            answer = await self.console_app.feed.change(lambda client: self._send(client, values))
        except Wrong as wrong:
            self._refused(wrong.field, wrong.message)
        except Refused as refused:
            self._refused(refused.param or "", refused.message)
        else:
            self.dismiss(answer)
        finally:
            self.sending = False

    def _refused(self, field: str, message: str) -> None:
        self._problem = message
        if any(one.name == field for one in self._fields):
            self.entry(field).focus()
        self.say(message, bad=True)


W = TypeVar("W", bound=Widget)


def titled(box: W, title: str) -> W:
    """With a title in its border: as rich text, since a string would be read as markup."""
    box.border_title = Text(clean(title))  # pyright: ignore[reportAttributeAccessIssue]
    return box


def fitted_label(label: str) -> tuple[Cell, ...]:
    return tuple(fitted(Cell(label, "dim"), LABEL - 1))


def sentences(lines: Sequence[Shown], width: int = WIDTH) -> list[Shown]:
    """Texts on as many lines as they need; a line of several cells is drawn as it is."""
    found: list[Shown] = []
    for line in lines:
        if isinstance(line, Cell):
            found += [Cell(part, line.tone) for part in wrapped(line.text, width)]
        elif isinstance(line, str):
            found += [Cell(part) for part in wrapped(line, width)]
        else:
            found.append(line)
    return found
