"""Moments as people write them and as the wire shows them. The clock comes in."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from laidian.clock import moment as iso
from laidian.errors import BadRequest

_DURATION = re.compile(r"([0-9]{1,6})\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LATEST_MS = 253_402_300_799_000
"""End of the year 9999."""
_SECONDS_BELOW = 100_000_000_000
"""Smaller numbers are epoch seconds (until the year 5138), larger ones milliseconds (since 1973)."""


def iso_or_none(at_ms: int | None) -> str | None:
    return None if at_ms is None else iso(at_ms)


def iso_exact(at_ms: int) -> str:
    """2026-11-22T10:00:00.123Z"""
    return f"{iso(at_ms)[:-1]}.{at_ms % 1000:03d}Z"


def day(at_ms: int) -> str:
    """2026-11-22"""
    return iso(at_ms)[:10]


def day_start_ms(now_ms: int) -> int:
    """00:00 UTC of the same day."""
    return now_ms - now_ms % 86_400_000


def parse_when(when: str | int, now_ms: int, *, param: str, back: bool = False) -> int:
    """Epoch milliseconds of a moment: ISO 8601 (UTC unless it says otherwise), a date (its 00:00 UTC), epoch seconds or milliseconds,
    or a duration from now, with `back` before now. Raises BadRequest naming `param`.
    """
    text = str(when).strip()
    if duration := _DURATION.fullmatch(text):
        distance_ms = int(duration[1]) * _SECONDS[duration[2]] * 1000
        return _within(now_ms - distance_ms if back else now_ms + distance_ms, text, param)
    if text.isdecimal() and text.isascii() and len(text) <= 15:
        number = int(text)
        return _within(number * 1000 if number < _SECONDS_BELOW else number, text, param)
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return _within(int(moment.timestamp() * 1000), text, param)
    except (ValueError, OverflowError):
        raise _unreadable(text, param) from None


def parse_expiry(when: str | int | None, now_ms: int) -> int | None:
    """When something expires; None never. Raises BadRequest for a moment that is over."""
    if when is None:
        return None
    at_ms = parse_when(when, now_ms, param="expires_at")
    if at_ms <= now_ms:
        raise BadRequest(
            f"The expiry {iso(at_ms)} is over already (it is {iso(now_ms)}). Give a later one, or disable it.",
            param="expires_at",
        )
    return at_ms


def _within(at_ms: int, text: str, param: str) -> int:
    if not 0 <= at_ms <= _LATEST_MS:
        raise _unreadable(text, param)
    return at_ms


def _unreadable(text: str, param: str) -> BadRequest:
    return BadRequest(
        f"{text[:40]!a} is no moment that can be used for {param}; write 2026-12-31, 2026-12-31T18:00:00Z, 30d, 12h, or epoch seconds.",
        param=param,
    )
