"""`laidian tui`: the dashboard, on the same client as the commands."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Literal

import click

from laidian.cli.call import Call, Command, with_call
from laidian.cli.reach import answering, check_folder, over_http, over_loopback, target


@click.command(cls=Command)
@click.option("--lang", type=click.Choice(["en", "zh"]), help="English or Chinese (or LAIDIAN_LANG, LANG).")
@with_call
def tui(call: Call, lang: Literal["en", "zh"] | None) -> None:
    """Open the dashboard. `q` quits, `?` helps.

    \b
    laidian tui
    laidian tui --profile home
    laidian tui --server https://relay.example --admin-token-file ./admin.token
    """
    if os.environ.get("TERM", "dumb") in ("dumb", ""):
        raise click.ClickException(
            "this terminal cannot show the dashboard (TERM is dumb or not set)."
            " The same is there as commands: laidian status, laidian usage tail, laidian --help.",
        )
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        raise click.ClickException(
            "the dashboard needs a terminal. For pipes there is: laidian status --json, laidian usage tail --json.",
        )
    from laidian.admin.client import UNREACHABLE, AdminError

    whom = target(call)
    if whom.folder is None:
        client = over_http(call, whom)
    else:
        check_folder(whom.folder, makes_data=False)
        if not whom.folder.served():
            raise AdminError(
                0,
                UNREACHABLE,
                f"no server runs from {whom.folder.root}, so there is nothing to watch. Start one: laidian serve",
            )
        running = asyncio.run(answering(whom.folder))
        client = over_loopback(call, whom.folder, running)
    from tui.app import run

    run(client, lang)
