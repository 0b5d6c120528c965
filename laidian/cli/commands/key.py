"""`laidian key`: what clients log in with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from laidian.admin.schema import (
    GroupServing,
    Key,
    KeyCreate,
    KeyCreated,
    KeyEdit,
    Quota,
    TopUp,
    Trial,
    TrialOutcome,
)
from laidian.cli.call import Call, ListCommand, Noun, with_call
from laidian.cli.clock import now
from laidian.cli.commands.model import put_served
from laidian.cli.exits import Exit
from laidian.cli.names import named
from laidian.cli.output import put_list, put_one
from laidian.cli.reach import ask
from laidian.cli.secret import read_api_key
from laidian.cli.table import Column
from laidian.cli.text import dollars, milliseconds, moment
from laidian.cli.values import amount, amount_or_none, changed, refuse_empty, removable

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

KEY = click.argument("key", metavar="KEY", shell_complete=named("keys"))


@click.group(cls=Noun)
def key() -> None:
    """Keys: what clients log in with. Alone: `list`.

    \b
    laidian key create alice --limit 10
    laidian key

    KEY is a name, an id, or the start of the key as lists show it.
    """


def _columns() -> Sequence[Column[Key]]:
    at = now()
    return (
        Column("name", lambda key: key.name),
        Column("state", lambda key: key.state, colored=True),
        Column("group", lambda key: key.group),
        Column("quota", lambda key: key.quota),
        Column("spent", lambda key: dollars(key.spent_usd), right=True),
        Column("limit", lambda key: dollars(key.limit_usd), right=True),
        Column("today", lambda key: dollars(key.spent_today_usd), right=True, optional=True),
        Column("requests today", lambda key: str(key.requests_today), right=True, optional=True),
        Column(
            "last used",
            lambda key: moment(key.last_used_at, at, missing="never"),
            short=lambda key: moment(key.last_used_at, at, missing="never", short=True),
        ),
        Column("key", lambda key: key.display, optional=True),
    )


@key.command("list", cls=ListCommand)
@with_call
def list_keys(call: Call) -> None:
    """List the keys.

    \b
    laidian key
    laidian key list --json --fields name,state,left_usd
    """
    keys = ask(call, lambda client: client.keys())
    put_list(call, Key, keys, _columns(), empty="no keys yet. Make one: laidian key create NAME")


@key.command("show")
@KEY
@with_call
def show_key(call: Call, key: str) -> None:
    """Show one key, without the credential, which nobody can read again.

    \b
    laidian key show alice
    """
    _put(call, ask(call, lambda client: client.key(key)))


@key.command("create")
@click.argument("name")
@click.option("--group", metavar="GROUP", help="What it may use; `default`, or the only one.")
@click.option("--quota", metavar="QUOTA", help="What it may spend; `unlimited`, or the only one.")
@click.option("--limit", metavar="USD", help="What it may spend in all, whatever the quota has left.")
@click.option("--expires", metavar="WHEN", help="`30d`, a date, or ISO 8601.")
@click.option("--disabled", is_flag=True, help="Make it, but do not let it in yet.")
@with_call
def create_key(
    call: Call,
    name: str,
    group: str | None,
    quota: str | None,
    limit: str | None,
    expires: str | None,
    disabled: bool,
) -> None:
    """Make a key and print it, alone, on stdout. It is shown this once.

    \b
    laidian key create alice
    KEY=$(laidian key create ci --limit 10 --expires 30d)
    """
    new = KeyCreate(
        name=name,
        group=group,
        quota=quota,
        limit_usd=amount_or_none(limit),
        expires_at=expires,
        enabled=not disabled,
    )
    created = ask(call, lambda client: client.create_key(new), makes_data=True)
    _put_secret(call, created, "made")


@key.command("edit")
@KEY
@click.option("--name", metavar="NAME", help="A new name.")
@click.option("--group", metavar="GROUP")
@click.option("--quota", metavar="QUOTA")
@click.option("--limit", metavar="USD", help="`none` removes it.")
@click.option("--expires", metavar="WHEN", help="`never` removes it.")
@with_call
def edit_key(
    call: Call,
    key: str,
    name: str | None,
    group: str | None,
    quota: str | None,
    limit: str | None,
    expires: str | None,
) -> None:
    """Change what is named, leave the rest.

    \b
    laidian key edit alice --limit 20 --expires 30d
    laidian key edit alice --limit none --group team
    """
    edit = KeyEdit(
        name=changed(name),
        group=changed(group),
        quota=changed(quota),
        limit_usd=removable(amount_or_none(limit)),
        expires_at=removable(expires),
    )
    refuse_empty(edit)
    _put(call, ask(call, lambda client: client.edit_key(key, edit)))


@key.command("enable")
@KEY
@with_call
def enable_key(call: Call, key: str) -> None:
    """Let a key in again.

    \b
    laidian key enable alice
    """
    _put(call, ask(call, lambda client: client.edit_key(key, KeyEdit(enabled=True))))


@key.command("disable")
@KEY
@with_call
def disable_key(call: Call, key: str) -> None:
    """Refuse a key until it is enabled; what runs goes on.

    \b
    laidian key disable alice
    """
    _put(call, ask(call, lambda client: client.edit_key(key, KeyEdit(enabled=False))))


@key.command("rotate")
@KEY
@with_call
def rotate_key(call: Call, key: str) -> None:
    """Give a key a new credential and print it; the old one stops working at once.

    \b
    laidian key rotate alice
    KEY=$(laidian key rotate ci --yes)
    """
    call.confirm(f"The present credential of `{key}` stops working at once.", key)
    _put_secret(call, ask(call, lambda client: client.rotate_key(key)), "rotated")


@key.command("models", cls=ListCommand)
@KEY
@click.option("--all", "everything", is_flag=True, help="Also those it cannot have now, and why.")
@with_call
def models_of_key(call: Call, key: str, everything: bool) -> None:
    """List the models that a key can use now, from whom, at the published price.

    \b
    laidian key models alice
    laidian key models alice --all
    """

    async def look(client: AdminClient) -> GroupServing:
        return await client.serving((await client.key(key)).group)

    put_served(call, ask(call, look).models, everything=everything)


@key.command("test")
@click.argument("key", metavar="[KEY]", required=False)
@click.option("--model", metavar="MODEL", help="Instead of the first it can use for chat now.")
@click.option("--api-key-env", metavar="VAR", help="Test the very credential in this variable.")
@click.option("--api-key-stdin", is_flag=True, help="Test the very credential on standard input.")
@with_call
def test_key(
    call: Call, key: str | None, model: str | None, api_key_env: str | None, api_key_stdin: bool
) -> int:
    """Send one tiny request through the whole way. Exit code 3 if it does not come back well.

    \b
    laidian key test alice
    laidian key create ci | laidian key test --api-key-stdin

    It is a real request and costs a fraction of a cent. Without the credential, which nobody can read again, a key with the group and
    quota of KEY is made for it, and deleted after it.
    """
    given = api_key_stdin or api_key_env is not None
    if given == (key is not None):
        raise click.UsageError(
            "name the key, or give its credential with --api-key-stdin or --api-key-env.",
            click.get_current_context(),
        )
    secret = read_api_key(call, stdin=api_key_stdin, variable=api_key_env) if given else ""

    async def send(client: AdminClient) -> TrialOutcome:
        found = await client.key(secret or key or "")
        chosen = model or await _chat_model(client, found)
        return await client.test(Trial(model=chosen, api_key=secret, key="" if secret else found.name))

    outcome = ask(call, send)
    lines = [
        ("ok", "yes" if outcome.ok else "no"),
        ("model", outcome.model),
        ("upstream", outcome.upstream or "-"),
        ("tokens", f"{outcome.input_tokens} in, {outcome.output_tokens} out"),
        ("cost", dollars(outcome.cost_usd)),
        (
            "took",
            f"{milliseconds(outcome.duration_ms)}, first byte after {milliseconds(outcome.first_byte_ms)}",
        ),
        ("request", outcome.request_id or "-"),
    ]
    if not outcome.ok:
        lines += [("status", str(outcome.status)), ("error", f"{outcome.code}: {outcome.message}")]
    put_one(call, outcome, lines)
    return Exit.DONE if outcome.ok else Exit.PROBLEMS


async def _chat_model(client: AdminClient, key: Key) -> str:
    """What the examples for this key name. Raises UsageError when it can use no model for chat now."""
    snippets = await client.snippets(key=key.name)
    for part in (part for one in snippets if one.client == "curl" for part in one.parts):
        if part.capability == "chat" and part.model is not None:
            return part.model
    raise click.UsageError(
        f"group `{key.group}` has no model for chat that works now (laidian key models {key.name} --all says why);"
        " name one with --model to see what happens.",
        click.get_current_context(),
    )


@key.command("topup")
@KEY
@click.argument("usd", metavar="USD")
@click.option("--note", metavar="TEXT", default="", help="Kept with the credit; names the key if not given.")
@with_call
def top_up(call: Call, key: str, usd: str, note: str) -> None:
    """Add money to the prepaid quota a key spends from. Other keys on that quota may spend it too.

    \b
    laidian key topup alice 10
    laidian key topup alice 25 --note "invoice 17"
    """

    async def pay(client: AdminClient) -> Quota:
        quota = (await client.key(key)).quota
        found = await client.quota(quota)
        if found.kind != "prepaid":
            raise click.UsageError(
                f"key `{key}` spends from quota `{quota}`, which is {found.kind} and takes no money."
                f" Give the key a prepaid one: laidian key edit {key} --quota NAME,"
                f" or change what it may spend: laidian key edit {key} --limit USD",
                click.get_current_context(),
            )
        return await client.top_up(quota, TopUp(amount_usd=amount(usd), note=note or f"key {key}"))

    after = ask(call, pay)
    call.narrate(
        f"Quota `{after.name}` has {dollars(after.left_usd)} left, for {after.keys} key{'s' if after.keys != 1 else ''}."
    )
    if call.json or call.fields:
        put_one(call, after, [])
        return
    click.echo(after.left_usd)


@key.command("delete")
@KEY
@with_call
def delete_key(call: Call, key: str) -> None:
    """Delete a key. Its usage records stay.

    \b
    laidian key delete alice
    """
    call.confirm(f"Key `{key}` is going to be deleted; its usage records stay.", key)
    gone = ask(call, lambda client: client.delete_key(key))
    call.narrate(f"Key `{gone.name}` is deleted.")
    if call.json:
        _put(call, gone)


def _put_secret(call: Call, created: KeyCreated, done: str) -> None:
    """The credential alone on stdout, so that `KEY=$(…)` works."""
    made = created.key
    call.narrate(
        f"Key `{made.name}` is {done}: group {made.group}, quota {made.quota}"
        + (f", limit {dollars(made.limit_usd)}" if made.limit_usd else "")
        + ". It is shown this once; only a digest of it is kept."
    )
    if call.json:
        put_one(call, created, [])
    else:
        click.echo(created.secret)


def _put(call: Call, key: Key) -> None:
    at = now()
    limit = dollars(key.limit_usd, missing="none")
    lines = [
        ("name", key.name),
        ("id", str(key.id)),
        ("key", key.display),
        ("state", key.state),
        ("group", key.group),
        ("quota", key.quota),
        ("limit", limit if key.left_usd is None else f"{limit}, {dollars(key.left_usd)} left"),
        ("spent", f"{dollars(key.spent_usd)} in all, {dollars(key.spent_today_usd)} today"),
        ("requests", f"{key.requests_today} today, {key.in_flight} in flight ({dollars(key.held_usd)} held)"),
        ("last used", moment(key.last_used_at, at, missing="never")),
        ("expires", moment(key.expires_at, at, missing="never")),
        ("created", moment(key.created_at, at)),
    ]
    put_one(call, key, lines)
