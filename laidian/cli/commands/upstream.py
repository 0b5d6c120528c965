"""`laidian upstream`: provider endpoints, their credentials, and what works."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
import msgspec
from msgspec import UNSET

from laidian.admin.schema import (
    Circuit,
    CircuitsReset,
    CredentialCreate,
    CredentialEdit,
    Probe,
    Upstream,
    UpstreamCreate,
    UpstreamEdit,
    UpstreamKind,
    UpstreamModel,
)
from laidian.cli.call import Call, ListCommand, Noun, with_call
from laidian.cli.exits import Exit
from laidian.cli.names import named
from laidian.cli.output import put_list, put_one
from laidian.cli.reach import ask
from laidian.cli.secret import read_api_key
from laidian.cli.table import Column
from laidian.cli.upstreams import COLUMNS_OF_UPSTREAMS, columns_of_circuits, columns_of_probes, put_upstream
from laidian.cli.values import changed, changed_pairs, changed_words, refuse_empty, removable_count

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

NEW = click.argument("name")
NAME = click.argument("name", shell_complete=named("upstreams"))
LABEL = click.argument("label")
ALIAS = "NAME=MODEL"
AT_ONCE = 4
"""Upstreams probed at the same time."""


@click.group(cls=Noun)
def upstream() -> None:
    """Upstreams: provider endpoints with your accounts. Alone: `list`.

    \b
    laidian upstream add openai --kind openai --api-key-stdin < openai.key
    laidian upstream probe --all
    """


def _settings(function: Callable[..., None]) -> Callable[..., None]:
    seconds = click.FloatRange(min=0, min_open=True)
    for option in reversed(
        [
            click.option(
                "--model",
                metavar="PATTERN",
                multiple=True,
                help="What it serves; otherwise what a probe finds.",
            ),
            click.option("--alias", metavar=ALIAS, multiple=True, help="Our name of a model, and its own."),
            click.option("--priority", type=int, metavar="N", help="Lower is tried first."),
            click.option("--weight", type=int, metavar="N", help="Share among equals."),
            click.option("--max-concurrent", metavar="N", help="Requests at once."),
            click.option("--proxy", metavar="URL", help="Way out: http://…, socks5://… or socks5h://…"),
            click.option("--connect-timeout", type=seconds, metavar="SECONDS"),
            click.option("--first-byte-timeout", type=seconds, metavar="SECONDS"),
            click.option("--idle-timeout", type=seconds, metavar="SECONDS", help="Silence in a stream."),
        ]
    ):
        function = option(function)
    return function


def _secret(function: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--api-key-env", metavar="VAR", help="Take the API key from this variable."),
        click.option("--api-key-stdin", is_flag=True, help="Take the API key from standard input."),
    ):
        function = option(function)
    return function


@upstream.command("list", cls=ListCommand)
@with_call
def list_upstreams(call: Call) -> None:
    """List the upstreams.

    \b
    laidian upstream
    laidian upstream list --json --fields name,state
    """
    upstreams = ask(call, lambda client: client.upstreams())
    put_list(
        call,
        Upstream,
        upstreams,
        COLUMNS_OF_UPSTREAMS,
        empty="no upstreams yet. Add one: laidian upstream add NAME --kind openai --api-key-stdin",
    )


@upstream.command("show")
@NAME
@with_call
def show_upstream(call: Call, name: str) -> None:
    """Show one upstream, with its credentials (never the secrets) and what rests.

    \b
    laidian upstream show openai
    """
    put_upstream(call, ask(call, lambda client: client.upstream(name)))


@upstream.command("add", aliases=["create"])
@NEW
@click.option(
    "--kind",
    required=True,
    type=click.Choice(["openai", "gemini", "anthropic", "compatible", "responses"]),
    help="What it speaks; `compatible` is OpenAI's protocol at another place, `responses` its Responses alone.",
)
@click.option("--base-url", metavar="URL", default="", help="The provider's public one if not given.")
@_secret
@click.option("--no-api-key", is_flag=True, help="Add the credential later.")
@click.option("--label", metavar="TEXT", default="", help="Name of the credential; `key-1` if not given.")
@_settings
@click.option("--disabled", is_flag=True, help="Add it, but send nothing there yet.")
@with_call
def add_upstream(
    call: Call,
    name: str,
    kind: UpstreamKind,
    base_url: str,
    api_key_stdin: bool,
    api_key_env: str | None,
    no_api_key: bool,
    label: str,
    disabled: bool,
    **given: Any,
) -> None:
    """Add a provider's endpoint with an account.

    \b
    laidian upstream add openai --kind openai --api-key-stdin < openai.key
    laidian upstream add local --kind compatible --base-url http://127.0.0.1:8000/v1 --no-api-key
    """
    credentials: tuple[CredentialCreate, ...] = ()
    if no_api_key and (api_key_stdin or api_key_env):
        raise click.UsageError("--no-api-key contradicts the other.", click.get_current_context())
    if not no_api_key:
        secret = read_api_key(call, stdin=api_key_stdin, variable=api_key_env)
        credentials = (CredentialCreate(api_key=secret, label=label),)
    edit = _edit(given)
    chosen = {
        field: value for field in edit.__struct_fields__ if (value := getattr(edit, field)) is not UNSET
    }
    new = UpstreamCreate(
        name=name, kind=kind, base_url=base_url, credentials=credentials, enabled=not disabled
    )
    new = msgspec.structs.replace(new, **chosen)
    made = ask(call, lambda client: client.create_upstream(new), makes_data=True)
    call.narrate(f"Upstream `{made.name}` is added. Check it: laidian upstream probe {made.name}")
    put_upstream(call, made)


@upstream.command("edit")
@NAME
@click.option("--name", "new_name", metavar="NAME", help="A new name.")
@click.option("--base-url", metavar="URL")
@_settings
@with_call
def edit_upstream(call: Call, name: str, new_name: str | None, base_url: str | None, **given: Any) -> None:
    """Change what is named, leave the rest. Lists are replaced; `none` empties them and removes values.

    \b
    laidian upstream edit openai --model 'gpt-*' --priority 1
    laidian upstream edit openai --proxy socks5://127.0.0.1:1080
    """
    edit = msgspec.structs.replace(_edit(given), name=changed(new_name), base_url=changed(base_url))
    refuse_empty(edit)
    put_upstream(call, ask(call, lambda client: client.edit_upstream(name, edit)))


@upstream.command("enable")
@NAME
@with_call
def enable_upstream(call: Call, name: str) -> None:
    """Send requests there again.

    \b
    laidian upstream enable openai
    """
    put_upstream(call, ask(call, lambda client: client.edit_upstream(name, UpstreamEdit(enabled=True))))


@upstream.command("disable", aliases=["drain"])
@NAME
@with_call
def disable_upstream(call: Call, name: str) -> None:
    """Send nothing new there; what runs goes on.

    \b
    laidian upstream disable openai
    laidian upstream drain openai
    """
    put_upstream(call, ask(call, lambda client: client.edit_upstream(name, UpstreamEdit(enabled=False))))


@upstream.command("delete")
@NAME
@with_call
def delete_upstream(call: Call, name: str) -> None:
    """Delete an upstream and its credentials. Usage records stay.

    \b
    laidian upstream delete openai
    """
    call.confirm(f"Upstream `{name}` and its credentials are going to be deleted; usage records stay.", name)
    gone = ask(call, lambda client: client.delete_upstream(name))
    call.narrate(f"Upstream `{gone.name}` is deleted.")
    if call.json:
        put_upstream(call, gone)


# Credentials


@upstream.command("add-key")
@NAME
@_secret
@click.option("--label", metavar="TEXT", default="", help="`key-2`, `key-3` … if not given.")
@with_call
def add_key(call: Call, name: str, api_key_stdin: bool, api_key_env: str | None, label: str) -> None:
    """Add one more credential to an upstream.

    \b
    laidian upstream add-key openai --api-key-stdin --label second < second.key
    """
    secret = read_api_key(call, stdin=api_key_stdin, variable=api_key_env)
    new = CredentialCreate(api_key=secret, label=label)
    put_upstream(call, ask(call, lambda client: client.add_credential(name, new)))


@upstream.command("rotate-key")
@NAME
@_secret
@click.option("--label", metavar="TEXT", help="Which credential; the only one if not given.")
@with_call
def rotate_key(
    call: Call, name: str, api_key_stdin: bool, api_key_env: str | None, label: str | None
) -> None:
    """Replace a credential by a new one, at once.

    \b
    laidian upstream rotate-key openai --label key-1 --api-key-env NEW_KEY
    """
    secret = read_api_key(call, stdin=api_key_stdin, variable=api_key_env)

    async def rotate(client: AdminClient) -> Upstream:
        chosen = label or _only_label(await client.upstream(name))
        return await client.edit_credential(name, chosen, CredentialEdit(api_key=secret))

    changed_one = ask(call, rotate)
    call.narrate(f"The credential of `{changed_one.name}` is replaced; the old one is gone.")
    put_upstream(call, changed_one)


@upstream.command("enable-key")
@NAME
@LABEL
@with_call
def enable_key(call: Call, name: str, label: str) -> None:
    """Use a credential again.

    \b
    laidian upstream enable-key openai key-1
    """
    put_upstream(
        call, ask(call, lambda client: client.edit_credential(name, label, CredentialEdit(enabled=True)))
    )


@upstream.command("disable-key")
@NAME
@LABEL
@with_call
def disable_key(call: Call, name: str, label: str) -> None:
    """Leave a credential unused.

    \b
    laidian upstream disable-key openai key-1
    """
    put_upstream(
        call, ask(call, lambda client: client.edit_credential(name, label, CredentialEdit(enabled=False)))
    )


@upstream.command("delete-key")
@NAME
@LABEL
@with_call
def delete_key(call: Call, name: str, label: str) -> None:
    """Delete a credential of an upstream.

    \b
    laidian upstream delete-key openai key-1
    """
    call.confirm(f"Credential `{label}` of `{name}` is going to be deleted.", label)
    after = ask(call, lambda client: client.delete_credential(name, label))
    call.narrate(f"Credential `{label}` of `{after.name}` is deleted.")
    if call.json:
        put_upstream(call, after)


# What works


@upstream.command("probe", cls=ListCommand)
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--all", "everyone", is_flag=True, help="Every upstream that is enabled.")
@with_call
def probe(call: Call, names: tuple[str, ...], everyone: bool) -> int:
    """Check upstreams now: ask for their model list, which costs nothing. Exit code 3 if any fails.

    \b
    laidian upstream probe openai
    laidian upstream probe --all --json
    """
    if bool(names) == everyone:
        raise click.UsageError("name upstreams, or say --all.", click.get_current_context())

    async def check(client: AdminClient) -> tuple[Probe, ...]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(name: str) -> Probe:
            async with gate:
                return await client.probe(name)

        chosen = names or [found.name for found in await client.upstreams() if found.enabled]
        return tuple(await asyncio.gather(*map(one, chosen)))

    probes = ask(call, check)
    put_list(
        call,
        Probe,
        probes,
        columns_of_probes(),
        empty="no upstream is enabled, so there is nothing to probe.",
    )
    return Exit.DONE if probes and all(found.ok for found in probes) else Exit.PROBLEMS


@upstream.command("probes", cls=ListCommand)
@NAME
@click.option("--limit", type=click.IntRange(1, 1_000), default=20, show_default=True, metavar="N")
@with_call
def probes(call: Call, name: str, limit: int) -> None:
    """List earlier probes of an upstream, newest first.

    \b
    laidian upstream probes openai --limit 5
    """
    found = ask(call, lambda client: client.probes(name, limit=limit))
    put_list(call, Probe, found, columns_of_probes(), empty="it was never probed.")


@upstream.command("models", cls=ListCommand)
@NAME
@with_call
def models(call: Call, name: str) -> None:
    """List the models an upstream can be said to serve, and whether they are priced.

    \b
    laidian upstream models openai
    """
    columns: tuple[Column[UpstreamModel], ...] = (
        Column("model", lambda model: model.model),
        Column("its own name", lambda model: model.upstream_model),
        Column("known from", lambda model: model.known_from),
        Column("priced", lambda model: "yes" if model.priced else "no: refused"),
    )
    found = ask(call, lambda client: client.upstream_models(name))
    put_list(
        call, UpstreamModel, found, columns, empty=f"none known yet. Ask it: laidian upstream probe {name}"
    )


@upstream.command("errors", cls=ListCommand)
@click.argument("name", required=False)
@with_call
def errors(call: Call, name: str | None) -> None:
    """List what gets no traffic now, why, and until when.

    \b
    laidian upstream errors
    laidian upstream errors openai
    """

    async def look(client: AdminClient) -> tuple[Circuit, ...]:
        if name is not None:
            return (await client.upstream(name)).circuits
        return await client.circuits()

    put_list(
        call,
        Circuit,
        ask(call, look),
        columns_of_circuits(),
        empty="nothing rests: every upstream gets traffic.",
    )


@upstream.command("reset")
@click.argument("name", required=False)
@with_call
def reset(call: Call, name: str | None) -> None:
    """Send traffic again at once to what rests: of one upstream, or of all.

    \b
    laidian upstream reset openai
    """

    async def close(client: AdminClient) -> CircuitsReset:
        if name is not None:
            await client.upstream(name)
        return await client.reset_circuits(name or "")

    done = ask(call, close)
    put_one(call, done, [("reset", str(done.reset))])


def _only_label(found: Upstream) -> str:
    labels = [credential.label for credential in found.credentials]
    if len(labels) == 1:
        return labels[0]
    if not labels:
        raise click.UsageError(
            f"upstream `{found.name}` has no credential yet; use add-key.", click.get_current_context()
        )
    raise click.UsageError(
        f"upstream `{found.name}` has several credentials; say which with --label: {', '.join(labels)}.",
        click.get_current_context(),
    )


def _edit(given: dict[str, Any]) -> UpstreamEdit:
    def or_unset(name: str) -> Any:
        return UNSET if given[name] is None else given[name]

    return UpstreamEdit(
        models=changed_words(given["model"]),
        aliases=changed_pairs(given["alias"], ALIAS),
        priority=or_unset("priority"),
        weight=or_unset("weight"),
        max_concurrent=removable_count(given["max_concurrent"], "--max-concurrent"),
        proxy="" if given["proxy"] == "none" else changed(given["proxy"]),
        connect_timeout_s=or_unset("connect_timeout"),
        first_byte_timeout_s=or_unset("first_byte_timeout"),
        idle_timeout_s=or_unset("idle_timeout"),
    )
