"""What a catalogue is made of: sections of texts, and how wide a text may be where it is drawn in a place of fixed width.

A section is a struct of texts, one file each, in English and in simplified Chinese side by side. The rules a newcomer would break:
`{…}` are filled with str.format and are the same in both languages; a text with a width says it with `Cells`, and a test holds it
to that in both languages (a Chinese letter takes two cells).
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Language = Literal["en", "zh"]


class Cells(msgspec.Struct, frozen=True):
    """The most cells that a text may take on screen."""

    most: int


Tab = Annotated[str, Cells(6)]
"""In the line of tabs of a terminal of 80 columns; its digit comes before it."""
Act = Annotated[str, Cells(18)]
"""What a key does, as the last line of the screen says it."""
State = Annotated[str, Cells(9)]
"""The word of a state; its sign comes before it."""
Title = Annotated[str, Cells(12)]
"""Of a column."""
Label = Annotated[str, Cells(18)]
"""Of a field of a form."""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Texts of one screen, or of one thing that several screens show."""
