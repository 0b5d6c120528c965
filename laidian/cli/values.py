"""How options are written and what they become in the API's types. Judging them is the API's business."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import click
import msgspec
from msgspec import UNSET, UnsetType

NOTHING = ("none", "never", "unlimited")
"""Words that remove a value."""


def words(given: Iterable[str]) -> tuple[str, ...]:
    """An option that may be repeated, and may hold several with commas between."""
    return tuple(word.strip() for text in given for word in text.split(",") if word.strip())


def pairs(given: Iterable[str], what: str) -> dict[str, str]:
    """`NAME=VALUE` options. Raises UsageError for one without either side."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise click.UsageError(f"{text!r} is not {what}.", click.get_current_context())
        found[name] = value
    return found


def changed_words(given: Sequence[str]) -> tuple[str, ...] | UnsetType:
    """Of an edit: not given stays; `""` or `none` empties."""
    if not given:
        return UNSET
    return tuple(word for word in words(given) if word != "none")


def changed_pairs(given: Sequence[str], what: str) -> dict[str, str] | UnsetType:
    if not given:
        return UNSET
    return pairs([text for text in given if text not in ("", "none")], what)


def changed(given: str | None) -> str | UnsetType:
    return UNSET if given is None else given


def removable(given: str | None) -> str | UnsetType | None:
    """Of an edit: not given stays; `none` or `never` removes."""
    if given is None:
        return UNSET
    return None if given.strip().lower() in NOTHING else given


def removable_count(given: str | None, option: str) -> int | UnsetType | None:
    text = removable(given)
    if not isinstance(text, str):
        return text
    if not text.isdecimal():
        raise click.UsageError(
            f"{option} takes a whole number or `none`, not {text!r}.", click.get_current_context()
        )
    return int(text)


def refuse_empty(edit: msgspec.Struct) -> None:
    """Raises UsageError for an edit that edits nothing."""
    if all(getattr(edit, name) is UNSET for name in edit.__struct_fields__):
        raise click.UsageError("nothing to change: name at least one option.", click.get_current_context())


_MINUS = "\u2212"


def guard_negative(arguments: Sequence[str]) -> list[str]:
    """`-5` as an argument, not as an option: click has no negative numbers. Undone by `amount`."""
    return [_MINUS + text[1:] if re.fullmatch(r"-\.?\d[\d.]*", text) else text for text in arguments]


def amount(text: str) -> str:
    """Dollars without the sign people like to write."""
    plain = text.strip().replace(_MINUS, "-")
    return plain.replace("$", "", 1) if plain.startswith(("$", "-$")) else plain


def amount_or_none(text: str | None) -> str | None:
    return None if text is None else amount(text)
