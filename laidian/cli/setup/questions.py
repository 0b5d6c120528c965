"""Questions of a wizard on a terminal, and what holds when nobody can be asked."""

from __future__ import annotations

import click

from laidian.cli.call import Call
from laidian.cli.text import clean


def choose(call: Call, question: str, choices: dict[str, str], given: str | None, default: str) -> str:
    """One of `choices` (id to title): what was given, what is answered, or the default."""
    if given is not None:
        return given
    if not call.may_ask():
        return default
    call.narrate("")
    width = max(map(len, choices))
    for name, title in choices.items():
        click.echo(f"  {name:<{width}}  {title}", err=True)
    answer: str = click.prompt(
        question, default=default, err=True, type=click.Choice(list(choices)), show_choices=False
    )
    return answer


def fill(call: Call, question: str, given: str | None, default: str) -> str:
    """A word: what was given, what is typed (empty: the default), or the default. `none` empties it."""
    if given is None and call.may_ask():
        given = click.prompt(question, default=default or "none", err=True, type=str)
    text = default if given is None else given.strip()
    return "" if text == "none" else text


def agree(call: Call, question: str, *, default: bool) -> bool:
    """Yes or no; the default when nobody can be asked, yes with --yes."""
    if call.yes:
        return True
    if not call.may_ask():
        return default
    return click.confirm(question, default=default, err=True)


def say(call: Call, text: str) -> None:
    """Several lines to the person, with nothing in them that could move the cursor."""
    call.narrate(clean(text).rstrip())
