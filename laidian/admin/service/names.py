"""What a name may look like, and the sentence for one that nobody has."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from laidian.errors import BadRequest, Conflict, NotFound

LONGEST = 64
LISTED = 8


def checked_name(name: str, what: str, *, without: str = "/", param: str = "name") -> str:
    """The name itself. Raises BadRequest when it could not be typed, shown or put in a path."""
    if not name or len(name) > LONGEST:
        raise BadRequest(
            f"The name of {what} needs 1 to {LONGEST} characters; this one has {len(name)}.", param=param
        )
    if name != name.strip() or not name.isprintable():
        raise BadRequest(
            f"The name {name!a} has blanks around it or characters that do not print; leave them out.",
            param=param,
        )
    found = [mark for mark in without if mark in name]
    if found or name in (".", ".."):
        raise BadRequest(
            f"The name {shown(name)} cannot be used for {what}: it must not contain {' or '.join(without)}.",
            param=param,
        )
    return name


def unknown(what: str, name: str, known: Iterable[str], *, param: str = "name") -> NotFound:
    """The refusal of a name that does not exist, with the nearest one that does."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        hint = f"Did you mean `{near[0]}`?"
    elif names:
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        hint = f"There are: {', '.join(names[:LISTED])}{more}."
    else:
        hint = f"There is no {what} at all yet."
    return NotFound(f"There is no {what} {shown(name)}. {hint}", param=param)


def taken(what: str, name: str) -> Conflict:
    return Conflict(
        f"There is already a {what} {shown(name)}. Choose another name, or edit that one.", param="name"
    )


def in_use(what: str, name: str, by: str, users: list[str]) -> Conflict:
    """The refusal to delete what others need, naming them."""
    more = f" and {len(users) - LISTED} more" if len(users) > LISTED else ""
    return Conflict(
        f"The {what} {shown(name)} is used by {by} {', '.join(users[:LISTED])}{more}. Move them first, or disable it instead."
    )


def of_config(what: str, name: str) -> Conflict:
    return Conflict(
        f"The {what} {shown(name)} comes from config.toml. Change it there and restart the server."
    )


def shown(name: str) -> str:
    """A name in a sentence: short, and without what a terminal would obey."""
    short = name if len(name) <= LONGEST else name[:LONGEST] + "…"
    return f"`{''.join(mark if mark.isprintable() else '�' for mark in short)}`"
