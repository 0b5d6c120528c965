"""Topics on talking to the program: exit codes, variables, forms of output, commands, clients, settings."""

from __future__ import annotations

import textwrap

import click

from laidian.cli.exits import Exit


def exit_codes() -> str:
    lines = "\n".join(f"{code.value:>5}  {code.meaning}" for code in Exit)
    return f"Exit codes\n\n{lines}"


def environment() -> str:
    return """Environment

  LAIDIAN_DATA               data folder, where --data is not given
  LAIDIAN_CONFIG             configuration file, where --config is not given
  LAIDIAN_SERVER             another machine's server, where neither --server nor --data is given
  LAIDIAN_PROFILE            a server you logged in to, where none of --profile, --server and --data is given
  LAIDIAN_ADMIN_TOKEN_FILE   its admin token's file, where --admin-token-file is not given
  LAIDIAN_ADMIN_TOKEN        the token itself, where no file is named
  LAIDIAN_LANG               en or zh, for the dashboard; LC_ALL, LC_MESSAGES and LANG after it
  LAIDIAN_ASCII              any value: the dashboard draws with plain characters only
  LAIDIAN_CACHE              where laidian.pyz unpacks itself once; XDG_CACHE_HOME/laidian or ~/.cache/laidian without it
  NO_COLOR                   any value: no colours
  COLUMNS                    width of tables, also where stdout is not a terminal
  XDG_CONFIG_HOME            laidian/profiles.toml in it holds what `laidian login` keeps; ~/.config without it
  XDG_DATA_HOME              the default data folder is laidian in it; ~/.local/share/laidian without it

The first `laidian serve` also looks at OPENAI_API_KEY, GEMINI_API_KEY and ANTHROPIC_API_KEY, and at OPENAI_BASE_URL,
GEMINI_BASE_URL and ANTHROPIC_BASE_URL, and makes an upstream of what it finds."""


def formatting() -> str:
    return """Formatting

stdout is data, stderr is talk; -q silences the talk. On an error stdout stays empty.

  --json         one JSON document: a list of objects, or one object, with the admin API's field names;
                 `usage tail` and `usage export` write one object a line
  --csv          the same fields, lists only; lists of words with commas, other nested values as JSON
  --fields A,B   only these fields, in this order, in any form

Money is exact decimal text in US dollars ("0.018622"), times are ISO 8601 in UTC, a missing value is null.
Tables are for people and may change: times are relative with the UTC time behind; on a terminal they are fitted to its
width, a cut text ends with an ellipsis, columns that do not fit are left out. Into a pipe nothing is cut.

Where a moment is asked for: ISO 8601 ("2026-11-22T10:00:00Z"), a date, or a duration ("30d", "12h", "90m"), which goes
forward for --expires and back for --since and --until. `none` or `never` removes a value in an edit."""


def config() -> str:
    from laidian.data import config_example

    return f"Configuration: config.toml, every setting with its default\n\n{config_example().rstrip()}"


def commands() -> str:
    """Every command with its sentence."""
    from laidian.cli.root import root

    lines = ["Commands", ""]
    top = root.make_context("laidian", [], resilient_parsing=True)
    for name in root.list_commands(top):
        command = root.get_command(top, name)
        assert command is not None
        lines.append(_command(name, command))
        if isinstance(command, click.Group):
            below = click.Context(command, parent=top, info_name=name)
            for verb in command.list_commands(below):
                found = command.get_command(below, verb)
                assert found is not None
                lines.append(_command(f"{name} {verb}", found))
    return "\n".join([*lines, "", "Each of them explains itself: laidian help COMMAND, or --help behind it."])


def _command(path: str, command: click.Command) -> str:
    sentence = (command.help or "").split("\n\n")[0].split("\n\b")[0].replace("\n", " ").strip()
    return textwrap.fill(
        sentence,
        width=110,
        initial_indent=f"  {path:<22} ",
        subsequent_indent=" " * 25,
        break_on_hyphens=False,
    )


def clients() -> str:
    """From the table that the pages and the dashboard show, too."""
    from laidian.domain.snippets import CLIENTS

    lines = [
        "Clients",
        "",
        "How each is set up, with your address and a model that works now: laidian snippet CLIENT --key NAME",
        "",
    ]
    for client in CLIENTS:
        lines.append(f"  {client.id:<16} {client.title} ({client.tested})")
        lines.append(
            textwrap.fill(client.says, width=110, initial_indent=" " * 19, subsequent_indent=" " * 19)
        )
    return "\n".join(lines)
