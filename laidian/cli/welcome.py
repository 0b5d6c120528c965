"""`laidian` alone: where things stand in one line, and what one would probably do next."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click

from laidian import __version__
from laidian.cli.call import Call, said
from laidian.cli.text import clean, dollars
from laidian.errors import LaidianError

if TYPE_CHECKING:
    from laidian.admin.schema import Status

LOOK_S = 3.0


def welcome(context: click.Context) -> None:
    """A screenful for a person; whoever runs it in a pipe gets the help. Never fails because a server is away."""
    if not sys.stdout.isatty():
        click.echo(context.get_help())
        return
    call = said(context)
    line, status = _standing(call)
    click.echo(f"LaiDian {__version__}  {clean(line)}\n")
    for command, reason in _next(status):
        click.echo(f"  {command:<44}{reason}")
    click.echo("\nEverything: laidian --help")


def _standing(call: Call) -> tuple[str, Status | None]:
    from laidian.cli.reach import target

    whom = target(call)
    if whom.folder is not None and not whom.folder.served():
        known = "" if whom.folder.database.exists() else ", nothing there yet"
        return f"not serving  (data: {whom.folder.root}{known})", None
    try:
        status = asyncio.run(_look(call))
    except (LaidianError, TimeoutError) as error:
        reason = (
            error.message if isinstance(error, LaidianError) else f"it did not answer within {LOOK_S:g} s."
        )
        return f"no status: {reason}", None
    up = sum(one.state == "up" for one in status.upstreams)
    return (
        f"serving {status.base_url}  upstreams {up}/{len(status.upstreams)} up  keys {status.keys}"
        f"  spent today {dollars(status.spent_today_usd)}",
        status,
    )


async def _look(call: Call) -> Status:
    from laidian.cli.reach import reach

    async with asyncio.timeout(LOOK_S), reach(call) as client:
        return await client.status()


def _next(status: Status | None) -> list[tuple[str, str]]:
    add = ("laidian upstream add openai --kind openai", "add a provider's account")
    key = ("laidian key create NAME", "hand out a key; it is shown once")
    if status is None:
        return [
            ("laidian demo", "try everything with a simulated provider"),
            ("laidian setup", "account, address, first key and service, asked one by one"),
            ("laidian serve", "start serving"),
            add,
            key,
            ("laidian help topics", "the manual"),
        ]
    look = [
        ("laidian status", "what works now, and why not"),
        ("laidian usage", "the last requests"),
        ("laidian usage summary --by key", "who spent what"),
        ("laidian tui", "the dashboard"),
    ]
    check = ("laidian doctor", "is everything as it should be?")
    return [add, key, *look] if not status.upstreams else [key, *look, check]
