"""What is done to a key, from whatever screen it is seen on: the questions, the forms, the calls and what is said after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from laidian.admin.schema import Key, KeyCreated, Page
from tui.dialogs import key as forms
from tui.dialogs.several import Several
from tui.frame import Framed
from tui.question import Sure, TypeName
from tui.text import count, dollars

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

Then = Callable[[], object]
NAMED = 12
"""Keys that are named where something cannot be deleted because of them."""


def say(screen: Framed[Any], several: Several | None) -> None:
    """After a form about one thing or several; None: it was left."""
    if several is not None:
        severity = "warning" if several.refused else "information"
        screen.notify(several.sentence(screen.words), severity=severity, markup=False)
        screen.look_again()


def new(screen: Framed[Any], *, group: str = "", quota: str = "") -> None:
    def push(given: forms.Shelves) -> None:
        screen.console_app.push_screen(
            forms.new_key(screen.words, given, group=group, quota=quota),
            lambda made: show_created(screen, made),
        )

    screen.act(forms.shelves, push)


def show_created(screen: Framed[Any], made: KeyCreated | None) -> None:
    """The one place that shows a secret."""
    from tui.screens.created import Created

    if made is not None:
        screen.console_app.push_screen(Created(made))


def edit(screen: Framed[Any], key: Key) -> None:
    def saved(key: Key | None) -> None:
        if key is not None:
            screen.notify(screen.words.keys.saved.format(name=key.name), markup=False)

    def push(given: forms.Shelves) -> None:
        screen.console_app.push_screen(forms.edit_key(screen.words, key, given), saved)

    screen.act(forms.shelves, push)


def put_on(screen: Framed[Any], what: str, names: Sequence[str], value: str, then: Then) -> None:
    """Another group or quota."""

    def after(several: Several | None) -> None:
        if several is not None:
            then()
        say(screen, several)

    def push(given: forms.Shelves) -> None:
        screen.console_app.push_screen(forms.put_on(screen.words, what, names, given, value), after)

    screen.act(forms.shelves, push)


def balance(screen: Framed[Any], names: Sequence[str], then: Then) -> None:
    async def found(client: AdminClient) -> tuple[list[Key], forms.Shelves]:
        return [await client.key(name) for name in names], await forms.shelves(client)

    def after(several: Several | None) -> None:
        if several is not None:
            then()
        say(screen, several)

    def push(found: tuple[list[Key], forms.Shelves]) -> None:
        keys, given = found
        form = forms.add_balance(screen.words, keys, given)
        if form is None:
            said = screen.words.keys.no_balance.format(
                name=", ".join(key.name for key in keys), quota=", ".join({key.quota: None for key in keys})
            )
            screen.notify(said, severity="warning", markup=False)
        else:
            screen.console_app.push_screen(form, after)

    screen.act(found, push)


def rotate(screen: Framed[Any], key: Key) -> None:
    words = screen.words.keys

    def sure(yes: bool | None) -> None:
        if yes:
            screen.act(lambda client: client.rotate_key(str(key.id)), lambda made: show_created(screen, made))

    lines = (words.rotate_effect.format(display=key.display), words.rotate_once)
    screen.console_app.push_screen(Sure(words.rotate_title.format(name=key.name), lines), sure)


def delete(screen: Framed[Any], name: str, then: Then) -> None:
    words = screen.words.keys

    def gone(key: Key) -> None:
        screen.notify(words.deleted.format(name=key.name), markup=False)
        then()

    def push(key: Key) -> None:
        def sure(yes: bool | None) -> None:
            if yes:
                screen.act(lambda client: client.delete_key(str(key.id)), gone)

        lines = [words.delete_effect.format(display=key.display)]
        if key.in_flight:
            lines.append(words.delete_running.format(count=count(key.in_flight)))
        lines.append(words.delete_records.format(spent=dollars(key.spent_usd)))
        screen.console_app.push_screen(
            TypeName(words.delete_title.format(name=key.name), lines, key.name), sure
        )

    # Asked again: what the question says of it has to be of now.
    screen.act(lambda client: client.key(name), push)


def in_use(sentence: str, more: str, page: Page[Key]) -> str:
    """Which keys are in the way; the first few by name."""
    total = page.total if page.total is not None else len(page.items)
    said = sentence.format(count=count(total), names=", ".join(one.name for one in page.items))
    return said if total <= len(page.items) else said + more.format(count=count(total - len(page.items)))
