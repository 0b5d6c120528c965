"""The command `laidian`: which commands there are, and that each is imported only when it is used."""

from __future__ import annotations

import importlib
from typing import Any

import click
import msgspec
from rich_click import RichGroup
from rich_click.rich_panel import RichCommandPanel

from laidian import __version__
from laidian.cli.call import HELP_NAMES, add_option_panels, output_options, place_options


class Entry(msgspec.Struct, frozen=True):
    module: str
    """Below laidian.cli.commands."""
    attribute: str
    panel: str


SERVE, RELAY, MONEY, INSTANCE, PROGRAM = (
    "Serve",
    "What is relayed",
    "Money and usage",
    "This instance",
    "This program",
)
COMMANDS = {
    "serve": Entry("serve", "serve", SERVE),
    "demo": Entry("serve", "demo", SERVE),
    "setup": Entry("setup", "setup", SERVE),
    "key": Entry("key", "key", RELAY),
    "group": Entry("group", "group", RELAY),
    "upstream": Entry("upstream", "upstream", RELAY),
    "snippet": Entry("snippet", "snippet", RELAY),
    "model": Entry("model", "model", RELAY),
    "quota": Entry("quota", "quota", MONEY),
    "price": Entry("price", "price", MONEY),
    "usage": Entry("usage", "usage", MONEY),
    "audit": Entry("audit", "audit", MONEY),
    "reconcile": Entry("reconcile", "reconcile", MONEY),
    "status": Entry("status", "status", INSTANCE),
    "doctor": Entry("doctor", "doctor", INSTANCE),
    "operations": Entry("doctor", "operations", INSTANCE),
    "tui": Entry("tui", "tui", INSTANCE),
    "config": Entry("config", "config", INSTANCE),
    "import": Entry("carry", "import_command", INSTANCE),
    "backup": Entry("backup", "backup", INSTANCE),
    "restore": Entry("backup", "restore", INSTANCE),
    "upgrade": Entry("upgrade", "upgrade", PROGRAM),
    "login": Entry("login", "login", PROGRAM),
    "logout": Entry("login", "logout", PROGRAM),
    "profiles": Entry("login", "profiles", PROGRAM),
    "completion": Entry("completion", "completion", PROGRAM),
    "help": Entry("help", "help_command", PROGRAM),
    "version": Entry("version", "version", PROGRAM),
}


class Root(RichGroup):
    def __init__(self, *arguments: Any, **rest: Any) -> None:
        super().__init__(*arguments, **rest)
        # Before the command they mean the same as after it: `laidian --data DIR key list`.
        self.params += [*output_options(lists=False), *place_options()]
        for name in dict.fromkeys(entry.panel for entry in COMMANDS.values()):
            self.add_panel(RichCommandPanel(name))
        add_option_panels(self)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = getattr(importlib.import_module(f"laidian.cli.commands.{entry.module}"), entry.attribute)
        assert isinstance(command, click.Command)
        command.panel = entry.panel  # type: ignore[attr-defined]  # read by rich-click's help
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            # click looks for the nearest among imported commands, and none is
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=COMMANDS, ctx=ctx
            ) from None


@click.group(
    cls=Root,
    invoke_without_command=True,
    context_settings={
        "help_option_names": list(HELP_NAMES),
        "max_content_width": 100,
        "rich_help_config": {
            "padding_helptext_first_line": (0, 0, 1, 0),
        },
    },
)
@click.version_option(__version__, "-V", "--version", message="laidian %(version)s")
@click.pass_context
def root(context: click.Context) -> None:
    """LaiDian: a small, exact relay in front of accounts at model providers.

    \b
    laidian demo                     try everything, with no account and no money
    laidian serve                    serve; the first start says what to do next
    laidian key create alice         hand out a key
    """
    if context.invoked_subcommand is None:
        from laidian.cli.welcome import welcome

        welcome(context)
