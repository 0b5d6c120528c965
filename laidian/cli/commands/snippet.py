"""`laidian snippet`: what to type into which client, with the key filled in where the caller gave it."""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
import msgspec

from laidian.admin.schema import Snippet, SnippetPart
from laidian.cli.call import Call, ListCommand, with_call
from laidian.cli.output import put_list
from laidian.cli.reach import ask
from laidian.cli.table import Column
from laidian.domain.key import display
from laidian.domain.snippets import NO_KEY, NO_MODEL
from laidian.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

_CREDENTIAL = re.compile(r"sk-[0-9A-Za-z_-]{20,200}")


@click.command(cls=ListCommand)
@click.argument("client", required=False)
@click.option("--key", "name", metavar="NAME", help="For this key: its group's clients and models.")
@click.option("--group", metavar="NAME", help="For the keys of this group; `default`, or the only one.")
@click.option("--model", metavar="MODEL", help="Instead of the first that the key can use now.")
@click.option("--key-env", metavar="VARIABLE", help="Fill in the credential that this variable holds.")
@click.option("--key-stdin", is_flag=True, help="Fill in the credential that is piped in.")
@with_call
def snippet(
    call: Call,
    client: str | None,
    name: str | None,
    group: str | None,
    model: str | None,
    key_env: str | None,
    key_stdin: bool,
) -> None:
    """Show how a client is set up for this instance. Alone: which clients there are.

    \b
    laidian snippet codex --key alice
    laidian key create ci | laidian snippet curl --key-stdin | sh
    """
    if name and group:
        raise click.UsageError("--key and --group exclude each other.", click.get_current_context())
    if name and _CREDENTIAL.fullmatch(name):
        raise click.UsageError(
            "--key takes the key's name; others could see a credential here. Pipe it in with --key-stdin.",
            click.get_current_context(),
        )
    secret = _secret(key_env, piped=key_stdin)

    async def question(api: AdminClient) -> tuple[Snippet, ...]:
        of = name or (None if group or secret is None else await _name_of(api, secret))
        return await api.snippets(key=of, group=group, model=model)

    snippets = tuple(_filled(one, secret) for one in ask(call, question))
    if client is not None:
        snippets = (_chosen(snippets, client),)
        if not (call.json or call.csv or call.fields):
            _put_text(call, snippets[0])
            return
    put_list(call, Snippet, snippets, _COLUMNS, empty="the group has no capability that a client here needs")


_COLUMNS: Sequence[Column[Snippet]] = (
    Column("client", lambda one: one.client),
    Column("title", lambda one: one.title),
    Column("model", lambda one: next((part.model for part in one.parts if part.model), "-")),
    Column("tested with", lambda one: one.tested, optional=True),
)


def _secret(variable: str | None, *, piped: bool) -> str | None:
    """The credential, or None when none was given. Raises UsageError for what cannot be one; never repeats it."""
    context = click.get_current_context()
    if variable and piped:
        raise click.UsageError("--key-stdin and --key-env exclude each other.", context)
    if not variable and not piped:
        return None
    place = f"the variable {variable}" if variable else "standard input"
    if variable and variable not in os.environ:
        raise click.UsageError(f"{place} is not set.", context)
    text = (os.environ[variable] if variable else sys.stdin.read()).strip()
    if not _CREDENTIAL.fullmatch(text):
        raise click.UsageError(f"{place} holds no key of LaiDian: those begin with sk-.", context)
    return text


async def _name_of(api: AdminClient, secret: str) -> str:
    """The key's name by what may be shown of it, so that the credential stays here."""
    seen = display(secret)
    names = [key.name for key in await api.keys() if key.display == seen]
    if len(names) != 1:
        raise NotFound(f"this instance has no key {seen}. `laidian key list` shows those it has.")
    return names[0]


def _filled(snippet: Snippet, secret: str | None) -> Snippet:
    parts = tuple(
        msgspec.structs.replace(part, text=part.text.replace("{key}", secret or NO_KEY))
        for part in snippet.parts
    )
    return msgspec.structs.replace(snippet, parts=parts)


def _chosen(snippets: tuple[Snippet, ...], client: str) -> Snippet:
    for one in snippets:
        if one.client == client.lower():
            return one
    known = [one.client for one in snippets]
    if not known:
        raise BadRequest("the group has no capability that a client here needs.")
    near = difflib.get_close_matches(client.lower(), known, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}."
    raise NotFound(f"there is no snippet for {client[:40]!a} here. {hint}")


def _put_text(call: Call, snippet: Snippet) -> None:
    """The texts alone on stdout; several are told apart by a line that a shell takes for a comment."""
    call.narrate(f"{snippet.title} (tested with {snippet.tested}). {snippet.says}")
    for number, part in enumerate(snippet.parts):
        if number:
            click.echo()
        if len(snippet.parts) > 1:
            click.echo(f"# {part.place}")
        else:
            call.narrate(f"Goes to: {part.place}")
        click.echo(part.text)
    _tell_of_missing(call, snippet.parts)


def _tell_of_missing(call: Call, parts: tuple[SnippetPart, ...]) -> None:
    if any(part.model is None and NO_MODEL in part.text for part in parts):
        call.narrate(f"No model that suits it can be used now; put one in the place of {NO_MODEL}.")
