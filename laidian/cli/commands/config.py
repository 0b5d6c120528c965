"""`laidian config`: which file, what it says, and whether it can be used."""

from __future__ import annotations

import os
from pathlib import Path

import click
import msgspec

from laidian.cli.call import Call, Noun, with_call
from laidian.cli.exits import Exit
from laidian.cli.output import put_one
from laidian.cli.toml import toml_lines
from laidian.config import Config, ConfigProblem, data_folder, load_config

HIDDEN = "…"
"""What stands for a credential: the file may hold some, the output must not."""


class ConfigNoun(Noun):
    alone = "show"


class FileFound(msgspec.Struct, frozen=True):
    path: str
    exists: bool


class Verdict(msgspec.Struct, frozen=True):
    path: str
    ok: bool
    message: str


@click.group(cls=ConfigNoun)
def config() -> None:
    """The configuration file of this machine. Alone: `show`.

    \b
    laidian config check
    laidian config path
    """


@config.command("path")
@with_call
def path(call: Call) -> None:
    """Print which file is read.

    \b
    laidian config path
    """
    found = _path(call)
    if call.json or call.fields:
        put_one(call, FileFound(str(found), found.exists()), [("path", str(found))])
        return
    click.echo(str(found))
    if not found.exists():
        call.narrate("It does not exist, so every setting has its default.")


@config.command("check")
@with_call
def check(call: Call) -> int:
    """Check the file. Exit code 3 if it cannot be used; the reason names file and key.

    \b
    laidian config check
    laidian config check --config ./config.toml
    """
    found = _path(call)
    verdict = Verdict(
        str(found), True, "" if found.exists() else "there is no file, so every setting has its default"
    )
    try:
        _load(call)
    except ConfigProblem as problem:
        verdict = Verdict(str(found), False, problem.message)
    lines = [("file", verdict.path), ("ok", "yes" if verdict.ok else "no")]
    if verdict.message:
        lines.append(("message", verdict.message))
    put_one(call, verdict, lines)
    return Exit.DONE if verdict.ok else Exit.PROBLEMS


@config.command("show")
@with_call
def show(call: Call) -> None:
    """Show what holds: the file over the defaults, as TOML. Credentials are hidden.

    \b
    laidian config show
    laidian config show --json
    """
    settings = _without_secrets(_load(call))
    if call.json or call.fields:
        put_one(call, settings, [])
        return
    click.echo("\n".join(toml_lines(msgspec.to_builtins(settings))))


def _path(call: Call) -> Path:
    """As `load_config` chooses it."""
    chosen = call.config or os.environ.get("LAIDIAN_CONFIG")
    return (
        Path(chosen).expanduser().absolute() if chosen else data_folder(call.data, os.environ) / "config.toml"
    )


def _load(call: Call) -> Config:
    return load_config(call.config, os.environ, data_folder(call.data, os.environ))


def _without_secrets(settings: Config) -> Config:
    upstreams = tuple(
        msgspec.structs.replace(
            entry, api_key=HIDDEN if entry.api_key else "", proxy=_without_login(entry.proxy)
        )
        for entry in settings.upstream
    )
    return msgspec.structs.replace(settings, upstream=upstreams)


def _without_login(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    return f"{scheme}{mark}{HIDDEN}@{rest.rpartition('@')[2]}" if "@" in rest else url
