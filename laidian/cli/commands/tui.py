"""`laidian tui`: the dashboard, on the same client as the commands."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Literal

import click

from laidian import __version__
from laidian.cli.call import Call, Command, with_call
from laidian.cli.reach import answering, check_folder, over_http, over_loopback, remote_token, target
from laidian.config import ConfigProblem, data_folder, load_config
from laidian.errors import LaidianError
from laidian.server.folder import Folder

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

SCREENS = (
    "dashboard",
    "keys",
    "groups",
    "quotas",
    "upstreams",
    "models",
    "live",
    "usage",
    "doctor",
    "settings",
)
"""As the dashboard names its tabs, which is not imported for the help's sake; a test holds the two together."""


@click.command(cls=Command)
@click.option("--lang", type=click.Choice(["en", "zh"]), help="English or Chinese (or LAIDIAN_LANG, LANG).")
@click.option("--ascii", "plain", is_flag=True, help="Nothing but ASCII signs (or LAIDIAN_ASCII=1).")
@click.option("--screen", type=click.Choice(SCREENS), default="dashboard", help="The tab to begin with.")
@click.option(
    "--keys", "lists", is_flag=True, help="List what [tui.keys] in config.toml can change, and end."
)
@with_call
def tui(call: Call, lang: Literal["en", "zh"] | None, plain: bool, screen: str, lists: bool) -> None:
    """Open the dashboard. `q` quits, `?` helps.

    \b
    laidian tui
    laidian tui --profile home
    laidian tui --screen usage --ascii
    laidian tui --server https://relay.example --admin-token-file ./admin.token
    """
    if lists:
        list_keys()
        return
    if os.environ.get("TERM", "dumb") in ("dumb", ""):
        raise click.ClickException(
            "this terminal cannot show the dashboard (TERM is dumb or not set)."
            " The same is there as commands: laidian status, laidian usage tail, laidian --help.",
        )
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        raise click.ClickException(
            "the dashboard needs a terminal. For pipes there is: laidian status --json, laidian usage tail --json.",
        )
    whom = target(call)
    # What is missing is said here and not in a banner: no waiting will bring it.
    if whom.folder is None:
        remote_token(call, whom.profile)
    else:
        check_folder(whom.folder, makes_data=False)
        if not whom.folder.served():
            raise _unserved(whom.folder)

    async def connect() -> AdminClient:
        """Looked up anew after every loss: a server that was started again may have another port, and another token."""
        from laidian.admin.client import AdminError

        try:
            if whom.folder is None:
                return over_http(call, whom, "tui")
            if not whom.folder.served():
                raise _unserved(whom.folder)
            running = await answering(whom.folder)
            return over_loopback(call, whom.folder, running, "tui")
        except AdminError:
            raise
        except LaidianError as error:
            raise AdminError(401, error.code, error.message) from None

    keys = own_keys(call, whom.folder)

    from tui.app import run

    run(connect, lang, ascii_only=plain, version=__version__, first=screen, keys=keys)


def own_keys(call: Call, folder: Folder | None) -> dict[str, str]:
    """What `[tui.keys]` wants. Of a server elsewhere it is this machine's file that counts."""
    root = folder.root if folder is not None else data_folder(call.data, os.environ)
    wanted = load_config(call.config, os.environ, root).tui.keys
    if not wanted:
        return {}
    from tui.keys import WrongKeys, checked

    try:
        return checked(wanted)
    except WrongKeys as wrong:
        raise ConfigProblem(f"[tui.keys] in the configuration file: {wrong}") from None


def list_keys() -> None:
    from tui.keys import known
    from tui.words import ENGLISH, described

    for name, keys, _ in known():
        click.echo(f"{name:<24}{keys:<24}{described(ENGLISH, name)}")


def _unserved(folder: Folder) -> LaidianError:
    from laidian.admin.client import UNREACHABLE, AdminError

    return AdminError(
        0,
        UNREACHABLE,
        f"no server runs from {folder.root}, so there is nothing to watch. Start one: laidian serve",
    )
