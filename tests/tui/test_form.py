"""Forms and questions: what is typed is sent once, what is refused stays, and nothing is done without being asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from laidian.admin.client import AdminClient, AdminError
from tests.tui.conftest import Console
from tests.tui.screens import Shown, shown
from tests.tui.walk import presses
from tui.dialog import Dialog
from tui.form import Choice, Field, Form, Typed, Wrong
from tui.question import Sure, TypeName

FIELDS = (
    Field("name", "Name", hint="Whose it is."),
    Field("group", "Group", value="img", choices=(("team", "team"), ("img", "img"), ("demo", "demo"))),
    Field("secret", "Key", secret=True),
)


class Sent:
    """What a form sent, and what to answer."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.calls: list[dict[str, str]] = []
        self.answers: list[str | None] = []

    async def __call__(self, _: AdminClient, values: Mapping[str, str]) -> str:
        self.calls.append(dict(values))
        if self.error is not None:
            raise self.error
        return "made"


async def opened(seen: Shown, sent: Sent) -> Form[str]:
    form: Form[str] = Form("New thing", FIELDS, sent)
    await seen.app.push_screen(form, sent.answers.append)
    await seen.until(lambda: seen.here is form)
    return form


@presses(Form, "ctrl+s", "enter", "down", "up")
@presses(Choice, "left", "right", "space")
async def test_a_form_is_filled_in_by_keys_alone_and_sent_once(console: Console) -> None:
    async with shown(console.connect) as seen:
        sent = Sent()
        form = await opened(seen, sent)
        assert "Whose it is." in seen.text
        await seen.press(*"alice", "down", "left")
        assert form.values["group"] == "team"
        await seen.press("right", "space")
        assert form.values["group"] == "demo"
        await seen.press("i", "enter")
        await seen.until(lambda: bool(sent.answers))
        assert sent.calls == [{"name": "alice", "group": "img", "secret": ""}]
        assert sent.answers == ["made"]

        form = await opened(seen, sent)
        await seen.press("down", "up", "b", "enter")
        await seen.until(lambda: len(sent.answers) == 2)
        assert sent.calls[1]["name"] == "b"

        form = await opened(seen, sent)
        await seen.press("c", "ctrl+s")
        await seen.until(lambda: len(sent.answers) == 3)

        await opened(seen, sent)
        await seen.press("d", "escape")
        assert sent.answers[3] is None
        assert len(sent.calls) == 3, "esc sends nothing"


async def test_letters_typed_into_a_form_are_no_commands(console: Console) -> None:
    async with shown(console.connect) as seen:
        form = await opened(seen, Sent())
        await seen.press("q", "2", "L", "question_mark")
        assert form.values["name"] == "q2L?"
        assert seen.here is form


async def test_a_refused_form_stays_with_the_sentence_and_the_cursor_where_the_fault_is(
    console: Console,
) -> None:
    async with shown(console.connect, size=(80, 24)) as seen:
        sent = Sent(AdminError(422, "bad", "group `demo` has no [red]upstream[/red].", param="group"))
        form = await opened(seen, sent)
        await seen.press(*"alice", "enter")
        await seen.until_text("group `demo` has no [red]upstream[/red].")
        assert seen.here is form
        assert form.values["name"] == "alice"
        assert seen.app.focused is form.entry("group")
        sent.error = Wrong("name", "This is needed.")
        await seen.press("ctrl+s")
        await seen.until_text("This is needed.")
        assert seen.app.focused is form.entry("name")
        sent.error = None
        await seen.press("enter")
        await seen.until(lambda: sent.answers == ["made"])


async def test_a_secret_is_not_drawn(console: Console) -> None:
    async with shown(console.connect) as seen:
        form = await opened(seen, Sent())
        await seen.press("tab", "tab", *"sk-very-secret")
        assert form.values["secret"] == "sk-very-secret"
        assert "very" not in seen.text
        assert isinstance(form.entry("secret"), Typed)


@presses(Dialog, "tab", "shift+tab")
async def test_tab_goes_through_the_fields_and_back(console: Console) -> None:
    async with shown(console.connect) as seen:
        form = await opened(seen, Sent())
        for name in ("group", "secret", "name"):
            await seen.press("tab")
            assert seen.app.focused is form.entry(name)
        await seen.press("shift+tab")
        assert seen.app.focused is form.entry("secret")


async def test_a_mouse_turns_a_choice(console: Console) -> None:
    async with shown(console.connect) as seen:
        form = await opened(seen, Sent())
        await seen.pilot.click("#field-group")
        assert form.values["group"] == "demo"


@presses(Sure, "enter", "y")
async def test_a_question_does_nothing_until_it_is_answered(console: Console) -> None:
    async with shown(console.connect) as seen:
        answers: list[bool | None] = []
        for key in ("enter", "y", "escape"):
            await seen.app.push_screen(
                Sure("Rotate alice-mac", ("The old key stops working at once.",)), answers.append
            )
            await seen.until_text("stops working")
            assert len(answers) < 3
            await seen.press(key)
        assert answers == [True, True, None]


@presses(TypeName, "enter")
async def test_what_cannot_be_taken_back_asks_for_the_name(console: Console) -> None:
    async with shown(console.connect, size=(80, 24)) as seen:
        answers: list[bool | None] = []
        long = "Every request with it is refused from now on, whoever sends it and wherever from, and nothing brings it back."
        await seen.app.push_screen(TypeName("Delete 小王-笔记本", (long,), "小王-笔记本"), answers.append)
        await seen.until_text("nothing brings")
        await seen.press("y", "enter")
        assert answers == []
        assert "That is not it" in seen.text
        await seen.press("backspace", *"小王-笔记本", "enter")
        assert answers == [True]
        await seen.app.push_screen(TypeName("Delete x", ("Gone.",), "x"), answers.append)
        await asyncio.sleep(0)
        await seen.press("x", "escape")
        assert answers == [True, None]
