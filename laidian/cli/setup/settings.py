"""A setting changed in config.toml by hand, as it were: the one line, and nothing else in the file.

The rule a newcomer would break: the file is its owner's. It is never written anew from what was understood of it, since comments, order
and what a later version knows would be lost.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from typing import Any

import msgspec

from laidian.cli.toml import toml_value
from laidian.config import Config, ConfigProblem

_LINE = r"(?m)^([ \t]*{key}[ \t]*=[ \t]*)(\"[^\"\n]*\"|'[^'\n]*'|[^#\n]*?)([ \t]*(?:#.*)?)$"


def with_settings(text: str, section: str, values: Mapping[str, Any]) -> str:
    """The file with these values in `[section]`. A value that holds already is left as it is written.

    Raises ConfigProblem for a file that is not understood, or in which a line cannot be found for certain.
    """
    before = _loaded(text)
    said: dict[str, Any] = before.get(section, {})
    changes = {
        name: value for name, value in values.items() if said.get(name, _default(section, name)) != value
    }
    if not changes:
        return text
    if section not in before:
        gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
        lines = "".join(f"{name} = {toml_value(value)}\n" for name, value in changes.items())
        changed = f"{text}{gap}[{section}]\n{lines}"
    else:
        head = re.search(rf"(?m)^[ \t]*\[[ \t]*{section}[ \t]*\][^\n]*(?:\n|\Z)", text)
        if head is None:
            raise ConfigProblem(
                f"[{section}] is not written as a table of its own; change it by hand: {changes}."
            )
        following = re.search(r"(?m)^[ \t]*\[", text[head.end() :])
        end = head.end() + following.start() if following else len(text)
        gap = "" if text[: head.end()].endswith("\n") else "\n"
        changed = text[: head.end()] + gap + _edited(text[head.end() : end], said, changes) + text[end:]
    if _loaded(changed) != before | {section: said | changes}:
        raise ConfigProblem(f"the lines of [{section}] are not understood; change them by hand: {changes}.")
    return changed


def difference(before: str, after: str, name: str) -> str:
    """As `diff -u` shows it."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"{name} as it is", f"{name} as it would be", lineterm=""
    )
    return "\n".join(lines)


def _edited(body: str, said: Mapping[str, Any], changes: Mapping[str, Any]) -> str:
    if body and not body.endswith("\n"):
        body += "\n"
    new: list[str] = []
    for name, value in changes.items():
        line = re.compile(_LINE.format(key=re.escape(name)))
        if name in said and line.search(body):
            written = toml_value(value)
            body = line.sub(lambda found: found[1] + written + found[3], body, count=1)  # noqa: B023 - used at once
        else:
            new.append(f"{name} = {toml_value(value)}\n")
    return "".join(new) + body


def _loaded(text: str) -> dict[str, Any]:
    try:
        found = tomllib.loads(text)
        msgspec.convert(found, Config)
    except tomllib.TOMLDecodeError as error:
        raise ConfigProblem(
            f"config.toml is not valid TOML: {error}. Mend it first; it was not changed."
        ) from None
    except msgspec.ValidationError as error:
        raise ConfigProblem(f"config.toml: {error}. Mend it first; it was not changed.") from None
    return found


def _default(section: str, name: str) -> Any:
    return getattr(getattr(Config(), section), name)
