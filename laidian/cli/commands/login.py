"""`laidian login`, `logout` and `profiles`: other machines' servers under a name."""

from __future__ import annotations

import asyncio
import os
import sys

import click
import msgspec

from laidian.cli.call import Bare, BareList, Call, Command, with_call
from laidian.cli.output import put_list
from laidian.cli.profiles import Profile, keep_profiles, load_profiles, profile_named
from laidian.cli.reach import remote_token, token_among
from laidian.cli.table import Column

NAME = click.argument("name")


class Known(msgspec.Struct, frozen=True):
    """A profile without its token."""

    name: str
    server: str
    insecure: bool


COLUMNS: tuple[Column[Known], ...] = (
    Column("name", lambda one: one.name),
    Column("server", lambda one: one.server),
    Column("plain http", lambda one: "allowed" if one.insecure else "no", optional=True),
)


@click.command(cls=Command)
@NAME
@click.option("--admin-token-stdin", is_flag=True, help="Take the admin token from standard input.")
@with_call
def login(call: Call, name: str, admin_token_stdin: bool) -> None:
    """Keep another machine's server under a name, after a look whether it lets you in.

    \b
    laidian login home --server https://relay.example --admin-token-file token
    laidian login home --server https://relay.example --admin-token-stdin
    laidian key list --profile home

    The token is kept in profiles.toml below XDG_CONFIG_HOME, where only you can read it. That machine has to allow it:
    `admin.remote = true` in its config.toml, or a tunnel: ssh -L 8080:127.0.0.1:8080 relay.example
    """
    from laidian.admin.client import AdminClient, checked_url

    server = call.server or (None if call.data else os.environ.get("LAIDIAN_SERVER"))
    if server is None:
        raise click.UsageError("say which server: --server URL.", click.get_current_context())
    if not name.strip() or not name.isprintable():
        raise click.UsageError("a profile's name is one printable word.", click.get_current_context())
    url = checked_url(server, insecure=call.insecure)
    profile = Profile(server=url, admin_token=_token(call, stdin=admin_token_stdin), insecure=call.insecure)

    async def look() -> str:
        async with AdminClient.over_http(
            url, profile.admin_token, timeout_s=call.timeout, insecure=call.insecure
        ) as client:
            return (await client.status()).version

    version = asyncio.run(look())
    path = keep_profiles(load_profiles() | {name: profile})
    call.narrate(f"Profile `{name}` is kept in {path}: {url}, LaiDian {version}. Use it: --profile {name}")


def _token(call: Call, *, stdin: bool) -> str:
    if stdin:
        return token_among(sys.stdin.read(), "standard input")
    named = call.admin_token_file or os.environ.get("LAIDIAN_ADMIN_TOKEN_FILE")
    if not named and not os.environ.get("LAIDIAN_ADMIN_TOKEN") and call.may_ask():
        typed = click.prompt("Admin token (not shown)", hide_input=True, err=True)
        return token_among(typed, "what was typed")
    return remote_token(call)


@click.command(cls=Bare)
@NAME
@with_call
def logout(call: Call, name: str) -> None:
    """Forget a profile and its token.

    \b
    laidian logout home
    """
    profile_named(name)
    keep_profiles({known: profile for known, profile in load_profiles().items() if known != name})
    call.narrate(f"Profile `{name}` is forgotten. The token itself stays valid on that server.")


@click.command(cls=BareList)
@with_call
def profiles(call: Call) -> None:
    """List the servers you logged in to.

    \b
    laidian profiles
    laidian profiles --json
    """
    known = [Known(name, one.server, one.insecure) for name, one in sorted(load_profiles().items())]
    put_list(
        call,
        Known,
        known,
        COLUMNS,
        empty="no profiles yet. Make one: laidian login NAME --server URL --admin-token-file FILE",
    )
