"""What the options common to all commands said, and the command classes that carry those options.

The rule a newcomer would break: a command never reads the terminal or the environment for these; it asks its `Call`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

import click
import msgspec
from rich_click import RichCommand, RichGroup
from rich_click.rich_context import RichContext
from rich_click.rich_panel import RichOptionPanel

from laidian.cli.exits import Declined

P = ParamSpec("P")
R = TypeVar("R")

OUTPUT, QUESTIONS, WHICH_SERVER = "Output", "Questions", "Which server"
_SAID = "laidian.said"
HELP_NAMES = ("-h", "--help")


class Call(msgspec.Struct, frozen=True, kw_only=True):
    json: bool = False
    csv: bool = False
    fields: tuple[str, ...] = ()
    """The API's names, in the order asked for; empty: all."""
    quiet: bool = False
    no_color: bool = False
    yes: bool = False
    no_input: bool = False
    data: str | None = None
    config: str | None = None
    server: str | None = None
    """URL of another machine's server; None: the one of the data folder."""
    profile: str | None = None
    """Name that `laidian login` kept a server under."""
    admin_token_file: str | None = None
    insecure: bool = False
    timeout: float | None = None
    """Seconds; None: what the client thinks right."""

    def narrate(self, text: str) -> None:
        """A word to the person at the terminal; never data."""
        if not self.quiet:
            click.echo(text, err=True)

    def color(self) -> bool:
        """Whether stdout may be coloured (no-color.org: any value that is not empty)."""
        environment = os.environ
        return (
            not (self.no_color or environment.get("NO_COLOR") or environment.get("TERM") == "dumb")
            and sys.stdout.isatty()
        )

    def may_ask(self) -> bool:
        return not self.no_input and sys.stdin.isatty()

    def confirm(self, warning: str, name: str) -> None:
        """Returns when the person typed the name. Raises UsageError when nobody can be asked, Declined otherwise."""
        if self.yes:
            return
        if not self.may_ask():
            raise click.UsageError(
                f"{warning} Say --yes to do it without being asked.", click.get_current_context()
            )
        typed = click.prompt(
            f"{warning} Type {name} to go on", err=True, default="", show_default=False, type=str
        )
        if typed != name:
            raise Declined("not confirmed, so nothing was changed.")


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Remembers an option that was given; a sub-command's wins over its parent's."""
    assert parameter.name is not None
    if context.get_parameter_source(parameter.name) is not click.core.ParameterSource.DEFAULT:
        given: dict[str, object] = context.meta.setdefault(_SAID, {})
        given[parameter.name] = value


def _fields(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    names = tuple(name.strip() for name in (value or "").split(",") if name.strip())
    if value is not None and not names:
        raise click.BadParameter("it names no field.", context, parameter)
    if names:
        context.meta.setdefault(_SAID, {})["fields"] = names


def _option(*names: str, panel: str, **rest: Any) -> click.Option:
    rest.setdefault("callback", _keep)
    option = click.Option(names, expose_value=False, **rest)
    option.panel = panel  # pyright: ignore[reportAttributeAccessIssue] - read by rich-click's help
    return option


def place_options() -> list[click.Parameter]:
    """Which server, which data."""
    panel = WHICH_SERVER
    return [
        *folder_options(),
        _option("--server", metavar="URL", help="Another machine's server (or LAIDIAN_SERVER).", panel=panel),
        _option(
            "--admin-token-file",
            metavar="FILE",
            help="Its admin token (or LAIDIAN_ADMIN_TOKEN_FILE, LAIDIAN_ADMIN_TOKEN).",
            panel=panel,
        ),
        _option(
            "--profile",
            metavar="NAME",
            help="A server you logged in to (or LAIDIAN_PROFILE): laidian login.",
            panel=panel,
        ),
        _option("--insecure", is_flag=True, help="Allow http:// to another machine.", panel=panel),
        _option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True),
            metavar="SECONDS",
            help="How long to wait for an answer.",
            panel=panel,
        ),
    ]


def folder_options() -> list[click.Parameter]:
    """Which data of this machine."""
    panel = WHICH_SERVER
    return [
        _option("--data", metavar="DIR", help="Data folder (or LAIDIAN_DATA).", panel=panel),
        _option("--config", metavar="FILE", help="Configuration file (or LAIDIAN_CONFIG).", panel=panel),
    ]


def output_options(*, lists: bool) -> list[click.Parameter]:
    panel = OUTPUT
    table = [_option("--csv", is_flag=True, help="Comma-separated values.", panel=panel)] if lists else []
    return [
        _option("--json", is_flag=True, help="One JSON document.", panel=panel),
        *table,
        _option(
            "--fields", metavar="A,B", callback=_fields, help="Only these, by the API's names.", panel=panel
        ),
        _option("-q", "--quiet", is_flag=True, help="Data and errors only.", panel=panel),
        _option("--no-color", is_flag=True, help="No colours (or NO_COLOR).", panel=panel),
    ]


def asking_options() -> list[click.Parameter]:
    panel = QUESTIONS
    return [
        _option("--yes", "-y", is_flag=True, help="Do it without asking.", panel=panel),
        _option("--no-input", is_flag=True, help="Never ask; fail instead.", panel=panel),
    ]


def add_option_panels(command: RichCommand) -> None:
    """The help shows a command's own options first, then the common ones."""
    for name in ("Options", OUTPUT, QUESTIONS, WHICH_SERVER):
        command.add_panel(RichOptionPanel(name))


class Command(RichCommand):
    """A command with the common options."""

    def __init__(self, *arguments: Any, **rest: Any) -> None:
        super().__init__(*arguments, **rest)
        self.params = [*self.params, *self.common()]
        add_option_panels(self)

    def common(self) -> Sequence[click.Parameter]:
        return [*output_options(lists=False), *asking_options(), *place_options()]

    def invoke(self, ctx: click.Context) -> Any:
        ctx.obj = said(ctx)
        return super().invoke(ctx)


class ListCommand(Command):
    """A command that prints any number of things, so `--csv` makes sense."""

    def common(self) -> Sequence[click.Parameter]:
        return [*output_options(lists=True), *asking_options(), *place_options()]


class Bare(Command):
    """A command that needs no server: only how it talks."""

    def common(self) -> Sequence[click.Parameter]:
        return output_options(lists=False)


class Local(Command):
    """A command that works on this machine's data folder and nowhere else."""

    def common(self) -> Sequence[click.Parameter]:
        return [*output_options(lists=False), *asking_options(), *folder_options()]


class BareList(Command):
    """A listing that needs no server."""

    def common(self) -> Sequence[click.Parameter]:
        return output_options(lists=True)


class Noun(RichGroup):
    """A group of verbs; without one it lists, or does its `alone`."""

    command_class = Command
    alone = "list"

    def parse_args(self, ctx: RichContext, args: list[str]) -> list[str]:  # type: ignore[override]
        bare = not args or (args[0].startswith("-") and args[0] not in HELP_NAMES)
        # A shell that asks for completions must hear the verbs, so nothing is put in for it.
        if bare and not ctx.resilient_parsing:
            args = [self.alone, *args]
        return super().parse_args(ctx, args)


def with_call(function: Callable[Concatenate[Call, P], R]) -> Callable[P, R]:
    """Hands the command its `Call` first."""
    return click.pass_obj(function)


def said(context: click.Context) -> Call:
    """The common options so far. Raises UsageError for some that contradict each other."""
    given: Mapping[str, object] = context.meta.get(_SAID, {})
    call = msgspec.convert(given, Call)
    if call.json and call.csv:
        raise click.UsageError("--json and --csv exclude each other.", context)
    places = [f"--{name}" for name in ("server", "profile", "data") if getattr(call, name)]
    if len(places) > 1:
        raise click.UsageError(
            f"{' and '.join(places)} exclude each other: a server has its own data.", context
        )
    return call
