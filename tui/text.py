"""Values as they are written on screen, and text from outside made harmless."""

from __future__ import annotations

import datetime

from rich.text import Text


def plain(text: str, style: str = "") -> Text:
    """Without control characters, direction marks or markup, on one line."""
    return Text(clean(text), style=style, no_wrap=True, overflow="ellipsis")


def clean(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def dollars(amount: str) -> str:
    """The API's exact decimal text, with its sign."""
    return f"-${amount[1:]}" if amount.startswith("-") else f"${amount}"


def duration(seconds: int) -> str:
    """The two largest units: `6 d 4 h`."""
    parts: list[str] = []
    left = max(0, seconds)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def milliseconds(value: int) -> str:
    return f"{value} ms" if value < 1_000 else f"{value / 1_000:.1f} s"


def clock(iso: str) -> str:
    """The time of day in UTC, `10:00:05`; what is no time stays as it is."""
    try:
        found = datetime.datetime.fromisoformat(iso)
    except ValueError:
        return iso
    if found.tzinfo is not None:
        found = found.astimezone(datetime.UTC)
    return f"{found:%H:%M:%S}"
