"""How values are said to this operator now: language, signs, and the moment that "2 min ago" counts from.

One is made for every drawing and handed to columns and cards. It reads no clock itself, so a test says what time it is.
"""

from __future__ import annotations

import datetime

import msgspec

from tui.cells import Cell, Tone
from tui.text import ago, moment
from tui.words import Words

SIGNS: dict[str, tuple[str, Tone]] = {
    "up": ("●", "good"),
    "active": ("●", "good"),
    "ok": ("✓", "good"),
    "slow": ("▲", "warn"),
    "resting": ("▲", "warn"),
    "near": ("▲", "warn"),
    "warn": ("▲", "warn"),
    "draining": ("▲", "warn"),
    "down": ("✕", "bad"),
    "no_credential": ("✕", "bad"),
    "expired": ("✕", "bad"),
    "used_up": ("✕", "bad"),
    "fail": ("✕", "bad"),
    "disabled": ("◌", "dim"),
    "deleted": ("◌", "dim"),
}
"""Sign and tone of a state; its word always stands beside, since neither may be visible."""


class Idiom(msgspec.Struct, frozen=True):
    words: Words
    ascii: bool
    now: datetime.datetime
    """With its zone."""

    def state(self, name: str) -> Cell:
        """`● UP`; in ASCII `[UP]`. What this dashboard does not know yet is shown as the server wrote it."""
        sign, tone = SIGNS.get(name, ("·", "plain"))
        word: str = getattr(self.words.states, name, name.upper())
        return Cell(f"[{word}]" if self.ascii else f"{sign} {word}", tone)

    def sign(self, name: str) -> Cell:
        """The sign alone, where the word stands elsewhere on the line."""
        sign, tone = SIGNS.get(name, ("·", "plain"))
        return Cell(sign, tone)

    def ago(self, iso: str | None) -> str:
        """`2 s`, `4 min`, `41 d`; `-` when it never was."""
        at = moment(iso)
        return "-" if at is None else ago((self.now - at).total_seconds())

    def until(self, iso: str | None) -> str:
        """How long it is until then, in the same units; `-` for never."""
        at = moment(iso)
        return "-" if at is None else ago((at - self.now).total_seconds())

    def ended(self, name: str) -> str:
        found: str = getattr(self.words.states, name, name)
        return found
