"""Text from outside, made fit for a terminal: no control characters, and times as people read them."""

from __future__ import annotations

import datetime

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def clean(text: str) -> str:
    """Without what could move the cursor, colour the screen or turn the reading direction; line ends stay."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in text)


def relative(moment: datetime.datetime, now: datetime.datetime) -> str:
    """`12 min ago`, `in 3 d`, `now`."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < 1:
        return "now"
    size, unit = next(((size, unit) for size, unit in _UNITS if abs(seconds) >= size), (1, "s"))
    count = f"{int(abs(seconds) // size)} {unit}"
    return f"{count} ago" if seconds > 0 else f"in {count}"


def moment(iso: str | None, now: datetime.datetime, *, missing: str = "-", short: bool = False) -> str:
    """An API time as relative and UTC: `12 min ago (2026-11-22 10:00Z)`; short: only the first part."""
    if iso is None or not iso:
        return missing
    try:
        found = datetime.datetime.fromisoformat(iso)
    except ValueError:
        return iso
    if found.tzinfo is None:
        found = found.replace(tzinfo=datetime.UTC)
    ago = relative(found, now)
    return ago if short else f"{ago} ({found.astimezone(datetime.UTC):%Y-%m-%d %H:%M}Z)"


def duration(seconds: float) -> str:
    """The two largest units: `6 d 4 h`, `12 s`."""
    parts: list[str] = []
    left = int(seconds)
    for size, unit in (*_UNITS, (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def milliseconds(value: int | None) -> str:
    """`812 ms`, `1.2 s`, or `-`."""
    if value is None:
        return "-"
    return f"{value} ms" if value < 1_000 else f"{value / 1_000:.1f} s"


def dollars(amount: str | None, *, missing: str = "-") -> str:
    """`$0.018622`; the text of the API is exact and stays so."""
    if amount is None:
        return missing
    return f"-${amount[1:]}" if amount.startswith("-") else f"${amount}"
