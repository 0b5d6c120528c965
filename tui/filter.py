"""What an operator types to narrow a table: words, `!words` to exclude, `column:value`.

    team            rows in which some shown text holds "team"
    team !alice     and none holds "alice"
    state:on        the column named state holds "on"

The same text goes to the server where the server filters; see `terms`.
"""

from __future__ import annotations

import msgspec


class Term(msgspec.Struct, frozen=True):
    text: str
    """In lower case; never empty."""
    column: str = ""
    """Empty: any."""
    excludes: bool = False


def terms(typed: str) -> tuple[Term, ...]:
    """Half-typed terms (`!`, `state:`) ask for nothing yet."""
    found: list[Term] = []
    for word in typed.lower().split():
        excludes = word.startswith("!")
        column, colon, value = word.removeprefix("!").partition(":")
        if not colon:
            column, value = "", column
        if value:
            found.append(Term(value, column, excludes))
    return tuple(found)
