"""`laidian config`: which file, what it says, and whether it can be used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import click
import msgspec

from laidian.cli.call import Call, Noun, with_call
from laidian.cli.exits import Exit
from laidian.cli.output import put_one
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
    """The configuration file of this machine. Alone: `show`."""


@config.command("path")
@with_call
def path(call: Call) -> None:
    """Print which file is read."""
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
    """Check the file. Exit code 3 if it cannot be used; the reason names file and key."""
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
    """Show what holds: the file over the defaults, as TOML. Credentials are hidden."""
    settings = _without_secrets(_load(call))
    if call.json or call.fields:
        put_one(call, settings, [])
        return
    click.echo("\n".join(_toml(msgspec.to_builtins(settings))))


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


def _toml(plain: dict[str, Any]) -> Iterator[str]:
    """A struct of settings as TOML: tables of plain values, arrays of such tables. null is left out, as TOML has none."""
    first = True
    for name, content in plain.items():
        tables: list[dict[str, Any]] = [content] if isinstance(content, dict) else content
        for values in tables:
            if not first:
                yield ""
            first = False
            yield f"[{name}]" if isinstance(content, dict) else f"[[{name}]]"
            yield from (f"{key} = {_value(value)}" for key, value in values.items() if value is not None)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value).items()
        return "{" + ", ".join(f"{_value(key)} = {_value(one)}" for key, one in pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(one) for one in cast("list[Any]", value)) + "]"
    if isinstance(value, str):
        # A JSON string is a TOML string, but for DEL, which TOML wants escaped.
        return msgspec.json.encode(value).decode().replace("\x7f", "\\u007F")
    return msgspec.json.encode(value).decode()
