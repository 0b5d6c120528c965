"""What may be spent: a prepaid balance, a plan with windows, or unlimited.

Owns the arithmetic of windows and the question "how much is left". It moves no money: the ledger does, with these rules.
A newcomer would break this one: a window is chosen when the hold is made and the settlement goes to the same window, so the
start of each window is carried by the hold.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

QuotaKind = Literal["prepaid", "plan", "unlimited"]
WindowKind = Literal["5h", "day", "week", "month"]
WINDOW_KINDS: tuple[WindowKind, ...] = ("5h", "day", "week", "month")

FIVE_HOURS_MS = 5 * 3600 * 1000


class Quota(msgspec.Struct, frozen=True):
    """The unchanging side of a quota; counters are rows of the ledger."""

    id: int
    name: str
    kind: QuotaKind
    enabled: bool
    expires_at_ms: int | None
    limits_nano: dict[WindowKind, int]
    """Of a plan: nano-USD per window. Empty for the other kinds."""


class Counter(msgspec.Struct, frozen=True):
    """Money in one place: what may go out, what is set aside, what is gone. All nano-USD."""

    limit_nano: int | None
    """None: no limit here."""
    held_nano: int
    spent_nano: int

    @property
    def left_nano(self) -> int | None:
        if self.limit_nano is None:
            return None
        return self.limit_nano - self.held_nano - self.spent_nano


def window_start_ms(kind: WindowKind, now_ms: int, last_start_ms: int | None) -> int:
    """When the window that `now_ms` belongs to began, in epoch milliseconds.

    Day, week (from Monday) and month are calendar windows in UTC. The 5-hour window opens with the first request after
    the last one ended, as the providers' own plans do; `last_start_ms` is the start of the latest one, if any.
    """
    if kind == "5h":
        if last_start_ms is not None and abs(now_ms - last_start_ms) < FIVE_HOURS_MS:
            return last_start_ms
        return now_ms
    day = datetime.fromtimestamp(now_ms // 1000, UTC).replace(hour=0, minute=0, second=0)
    if kind == "week":
        day -= timedelta(days=day.weekday())
    elif kind == "month":
        day = day.replace(day=1)
    return int(day.timestamp()) * 1000


def window_end_ms(kind: WindowKind, start_ms: int) -> int:
    """When the window that began at `start_ms` ends."""
    if kind == "5h":
        return start_ms + FIVE_HOURS_MS
    day = datetime.fromtimestamp(start_ms // 1000, UTC)
    if kind == "day":
        day += timedelta(days=1)
    elif kind == "week":
        day += timedelta(days=7)
    else:
        day = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return int(day.timestamp()) * 1000
